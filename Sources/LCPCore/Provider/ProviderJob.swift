package import LCPWire
package import LightningTypes

/// The provider's side of one job (LCP v0.1 §6).
///
/// Pure: no clock, no I/O, no randomness. Time and identifiers arrive with each step. Input, output
/// and prompts stay in the journal; the state holds their hashes and lengths.
package struct ProviderJob: Equatable, Sendable {
    /// Where the job stands.
    package enum State: Equatable, Sendable {
        /// Nothing is promised: not asked yet, or refused.
        case unquoted
        /// The terms are fixed; lnd has been asked for an invoice bound to them (§5.3).
        case awaitingInvoice(Draft)
        /// Cancelled while lnd makes the invoice, which must be cancelled when it is there.
        case droppingInvoice(Draft)
        /// The quote is out; nothing has been paid yet.
        case quoted(Quote)
        /// lnd has been asked to cancel the invoice; it may have been paid first.
        case withdrawing(Quote, Withdrawal)
        /// The invoice can't be paid any more.
        case closed(Quote, Withdrawal, until: UnixTime)
        /// Paid; compute is running until a deadline.
        case executing(Quote, deadline: UnixTime)
        /// The one answer is fixed, and kept for those who ask again.
        case answered(Quote, Answer, until: UnixTime)
        /// The job may be forgotten.
        case finished
    }

    /// Why a quote is taken back.
    package enum Withdrawal: Equatable, Sendable {
        /// Its time is over.
        case expired
        /// Its time is over, and the peer asked for it again: it gets `quote_expired`.
        case expiredAndAsked
        /// The peer cancelled.
        case cancelled
        /// It exceeds what the peer says it can receive; the peer is told so.
        case tooLarge
    }

    /// The peer that asked.
    package let peer: NodeID
    /// The job; unique for its peer only.
    package let jobID: JobID
    /// Where the job stands.
    package internal(set) var state: State
    /// Everything still to do for this job, in order; replaces what was outstanding before.
    package internal(set) var outstanding: [Effect]

    /// A job nobody has looked at.
    package init(peer: NodeID, jobID: JobID) {
        self.init(peer: peer, jobID: jobID, state: .unquoted, outstanding: [])
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
        // A withdrawal's outcome wakes the job.
        case .unquoted, .droppingInvoice, .withdrawing, .finished: nil
        case .awaitingInvoice(let draft): draft.terms.quoteExpiry
        case .quoted(let quote): quote.expiry
        case .closed(_, _, let until), .answered(_, _, let until): until
        case .executing(_, let deadline): deadline
        }
    }

    /// When the bridge must send `lcp_error` itself, if the job is paid and still unanswered.
    ///
    /// Set as soon as the job could be paid: the worker may be gone when it is.
    ///
    /// - Parameter rules: How this provider does business.
    /// - Returns: Unix seconds; nil when the job can't be paid and unanswered.
    package func answerBy(_ rules: ProviderRules) -> UnixTime? {
        switch state {
        case .unquoted, .awaitingInvoice, .droppingInvoice, .closed, .answered, .finished: nil
        case .quoted(let quote), .withdrawing(let quote, _):
            quote.expiry
                .advanced(bySeconds: rules.executionSeconds)
                .advanced(bySeconds: rules.answerGraceSeconds)
        case .executing(_, let deadline): deadline.advanced(bySeconds: rules.answerGraceSeconds)
        }
    }

    /// Advances the job and says, in ``outstanding``, what the world must do about it.
    ///
    /// Total: every event may come in every state. What is late, repeated or foreign changes
    /// nothing but its own outcome.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - context: Time, identifiers and rules of this step.
    package mutating func handle(_ event: Event, in context: ProviderContext) {
        if case .tooLargeToSend(let id) = event,
            !outstanding.contains(where: { $0.messageID == id })
        {
            return  // about a message that another has replaced
        }
        removeWhatIsDone(by: event)
        switch state {
        case .unquoted: handleUnquoted(event, context)
        case .awaitingInvoice(let draft): handleAwaitingInvoice(draft, event, context)
        case .droppingInvoice(let draft): handleDroppingInvoice(draft, event, context)
        case .quoted(let quote): handleQuoted(quote, event, context)
        case .withdrawing(let quote, let why): handleWithdrawing(quote, why, event, context)
        case .closed(let quote, let why, let until):
            handleClosed(quote, why, until: until, event, context)
        case .executing(let quote, let deadline):
            handleExecuting(quote, deadline: deadline, event, context)
        case .answered(let quote, let answer, let until):
            handleAnswered(quote, answer, until: until, event, context)
        case .finished: handleFinished(event)
        }
    }

    /// Removes the effects whose outcome an event reports.
    private mutating func removeWhatIsDone(by event: Event) {
        outstanding.removeAll { effect in
            switch (event, effect) {
            case (.sent(let id), _), (.tooLargeToSend(let id), _): effect.messageID == id
            case (.invoiceCreated, .createInvoice), (.invoiceNotCreated, .createInvoice): true
            case (.invoiceSettled(let hash), .cancelInvoice(let cancelled)),
                (.invoiceCancelled(let hash), .cancelInvoice(let cancelled)):
                hash == cancelled
            case (.computed, .startCompute), (.computeFailed, .startCompute),
                (.computeCancelled, .startCompute):
                true
            case (.computed, .cancelCompute), (.computeFailed, .cancelCompute),
                (.computeCancelled, .cancelCompute):
                true
            case (.quoteRequested, _), (.cancelRequested, _), (.invoiceCreated, _),
                (.invoiceNotCreated, _), (.invoiceSettled, _), (.invoiceCancelled, _),
                (.computed, _), (.computeFailed, _), (.computeCancelled, _),
                (.answeredByBridge, _), (.resumed, _), (.woken, _):
                false
            }
        }
    }
}
