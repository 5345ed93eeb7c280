package import LCPWire
package import LightningTypes

/// The requester's side of one job (LCP v0.1 §6).
///
/// Pure: no clock, no I/O, no randomness. Time and identifiers arrive with each step. The task and
/// the result stay in the journal; the state holds their hashes and lengths.
package struct RequesterJob: Equatable, Sendable {
    /// Where the job stands.
    package enum State: Equatable, Sendable {
        /// The client hasn't said yet what it wants.
        case unsubmitted
        /// A quote has been asked for.
        case requesting(Asking)
        /// A quote passed every check; the client has to agree to its price.
        case quoted(Offer)
        /// A payment has been asked for; an answer may have overtaken its success.
        case paying(PaymentIntent, overtaking: Answer?)
        /// The client cancelled; the payment may have begun and is tracked to its end.
        case withdrawing(Offer, overtaking: Answer?)
        /// Paid; the provider owes an answer.
        case awaitingAnswer(Receipt)
        /// Paid, and the deadline has passed; a later answer still counts.
        case unanswered(Receipt, until: UnixTime)
        /// The end, kept for the client.
        case ended(Ending, until: UnixTime)
        /// The job may be forgotten.
        case finished
    }

    /// The provider, who must be the payee.
    package let peer: NodeID
    /// The job's id towards the client, and the first one the peer hears.
    package let jobID: JobID
    /// Where the job stands.
    package internal(set) var state: State
    /// Everything still to do for this job, in order; replaces what was outstanding before.
    package internal(set) var outstanding: [Effect]

    /// A job that is about to be submitted.
    package init(peer: NodeID, jobID: JobID) {
        self.init(peer: peer, jobID: jobID, state: .unsubmitted, outstanding: [])
    }

    /// Takes what a mapping has stored.
    package init(peer: NodeID, jobID: JobID, state: State, outstanding: [Effect]) {
        self.peer = peer
        self.jobID = jobID
        self.state = state
        self.outstanding = outstanding
    }

    /// When the job wants to be woken; follows from the state, so no timer is ever stale.
    package var wakeAt: UnixTime? {
        switch state {
        // A payment's outcome wakes the job.
        case .unsubmitted, .paying, .withdrawing, .finished: nil
        case .requesting(let asking): asking.deadline
        case .quoted(let offer): offer.notAfter
        case .awaitingAnswer(let receipt): min(receipt.repeatAt, receipt.deadline)
        case .unanswered(_, let until), .ended(_, let until): until
        }
    }

    /// When the bridge must tell the client "paid, unanswered" itself, if no worker has.
    ///
    /// - Parameter rules: How this requester behaves.
    /// - Returns: Unix seconds; nil unless the job may be paid and unanswered.
    package func answerBy(_ rules: RequesterRules) -> UnixTime? {
        switch state {
        case .unsubmitted, .requesting, .quoted, .unanswered, .ended, .finished: nil
        case .paying(let intent, _):
            answerBy(paidBefore: intent.offer, rules)
        case .withdrawing(let offer, _):
            answerBy(paidBefore: offer, rules)
        case .awaitingAnswer(let receipt):
            receipt.deadline.advanced(bySeconds: rules.answerGraceSeconds)
        }
    }

    private func answerBy(paidBefore offer: Offer, _ rules: RequesterRules) -> UnixTime {
        offer.terms.quoteExpiry
            .advanced(bySeconds: rules.answerSeconds)
            .advanced(bySeconds: rules.answerGraceSeconds)
    }

    /// Advances the job and says, in ``outstanding``, what the world must do about it.
    ///
    /// Total: every event may come in every state. What is late, repeated or foreign changes
    /// nothing but its own outcome.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - context: Time, identifiers and rules of this step.
    package mutating func handle(_ event: Event, in context: RequesterContext) {
        if case .tooLargeToSend(let id) = event,
            !outstanding.contains(where: { $0.messageID == id })
        {
            return  // about a message that another has replaced
        }
        removeWhatIsDone(by: event)
        switch state {
        case .unsubmitted: handleUnsubmitted(event, context)
        case .requesting(let asking): handleRequesting(asking, event, context)
        case .quoted(let offer): handleQuoted(offer, event, context)
        case .paying(let intent, let answer): handlePaying(intent, answer, event, context)
        case .withdrawing(let offer, let answer): handleWithdrawing(offer, answer, event, context)
        case .awaitingAnswer(let receipt): handleAwaitingAnswer(receipt, event, context)
        case .unanswered(let receipt, let until):
            handleUnanswered(receipt, until: until, event, context)
        case .ended(let ending, let until): handleEnded(ending, until: until, event, context)
        case .finished: handleFinished(event)
        }
    }

    /// Removes the effects whose outcome an event reports.
    private mutating func removeWhatIsDone(by event: Event) {
        outstanding.removeAll { effect in
            switch (event, effect) {
            case (.sent(let id), _), (.tooLargeToSend(let id), _): effect.messageID == id
            case (.notified(let told), .notifyClient(let notice)): told == notice
            case (.paymentSucceeded(let hash, _, _), .pay(let intent)),
                (.paymentFailed(let hash, _), .pay(let intent)):
                hash == intent.offer.paymentHash
            case (.paymentSucceeded(let hash, _, _), .withdrawPayment(let withdrawn)),
                (.paymentFailed(let hash, _), .withdrawPayment(let withdrawn)):
                hash == withdrawn
            case (.submitted, _), (.accepted, _), (.cancelledByClient, _), (.quoteReceived, _),
                (.resultReceived, _), (.errorReceived, _), (.paymentSucceeded, _),
                (.paymentFailed, _), (.paymentInFlight, _), (.notified, _), (.peerReturned, _),
                (.resumed, _), (.woken, _):
                false
            }
        }
    }
}
