import LCPWire
import LightningTypes

// Moves of a job for which money may have left us.
extension RequesterJob {
    mutating func handlePaying(
        _ intent: PaymentIntent,
        _ early: Answer?,
        _ event: Event,
        _ context: RequesterContext
    ) {
        let offer = intent.offer
        switch event {
        case .cancelledByClient:
            // A payment that hasn't begun never will. One that has fails when the provider cancels
            // its invoice in time, which `lcp_cancel` asks for.
            state = .withdrawing(offer, overtaking: early)
            outstanding.removeAll { $0 == .pay(intent) }
            outstanding.append(.withdrawPayment(offer.paymentHash))
            cancel(offer.jobID, context)
        case .resultReceived(let id, let result):
            guard id == offer.jobID else { return }
            state = .paying(intent, overtaking: Self.preferred(early, .result(result)))
        case .errorReceived(let id, let failure):
            guard id == offer.jobID else { return }
            state = .paying(intent, overtaking: Self.preferred(early, .failure(failure)))
        case .paymentSucceeded(let hash, let preimage, let fee):
            guard hash == offer.paymentHash else { return }
            receive(preimage, fee: fee, for: offer, overtaking: early, context)
        case .paymentFailed(let hash, let why):
            if hash == offer.paymentHash { end(.paymentFailed(offer, why), context) }
        case .paymentInFlight(let hash):
            if hash == offer.paymentHash { notify(.paymentInFlight(hash)) }
        case .submitted, .accepted, .quoteReceived, .sent, .tooLargeToSend, .notified,
            .peerReturned, .resumed,
            .woken:
            break  // a second quote never means paying again
        }
    }

    mutating func handleWithdrawing(
        _ offer: Offer,
        _ early: Answer?,
        _ event: Event,
        _ context: RequesterContext
    ) {
        switch event {
        case .resultReceived(let id, let result):
            guard id == offer.jobID else { return }
            state = .withdrawing(offer, overtaking: Self.preferred(early, .result(result)))
        case .errorReceived(let id, let failure):
            guard id == offer.jobID else { return }
            state = .withdrawing(offer, overtaking: Self.preferred(early, .failure(failure)))
        case .paymentSucceeded(let hash, let preimage, let fee):
            guard hash == offer.paymentHash else { return }
            receive(preimage, fee: fee, for: offer, overtaking: early, context)
        case .paymentFailed(let hash, let why):
            guard hash == offer.paymentHash else { return }
            switch why {
            case .withdrawn, .tooLate, .refused:
                // It never began: whatever rule was quicker than the client, it is cancelled.
                end(.paymentFailed(offer, .withdrawn), context)
            case .lnd:
                end(.paymentFailed(offer, why), context)
            }
        case .paymentInFlight(let hash):
            if hash == offer.paymentHash { notify(.paymentInFlight(hash)) }
        case .submitted, .accepted, .cancelledByClient, .quoteReceived, .sent, .tooLargeToSend,
            .notified,
            .peerReturned, .resumed, .woken:
            break
        }
    }

    mutating func handleAwaitingAnswer(
        _ receipt: Receipt,
        _ event: Event,
        _ context: RequesterContext
    ) {
        switch event {
        case .resultReceived(let id, let result):
            guard id == receipt.offer.jobID else { return }
            settle(receipt, .result(result), context)
        case .errorReceived(let id, let failure):
            guard id == receipt.offer.jobID else { return }
            guard receipt.repeats > 0 else { return settle(receipt, .failure(failure), context) }
            // The reference answers a repeat with an error while it still works on the job.
            var waiting = receipt
            waiting.provisional = failure
            state = .awaitingAnswer(waiting)
        case .cancelledByClient:
            // The provider stops and owes an answer all the same.
            cancel(receipt.offer.jobID, context)
        case .peerReturned:
            askForAnswer(receipt, context)
        case .resumed(let downtimeSeconds):
            var waiting = receipt
            waiting.deadline = receipt.deadline.advanced(bySeconds: downtimeSeconds)
            // The answer may have come while nobody listened, however lately we asked.
            state = .awaitingAnswer(repeated(waiting, context))
        case .woken:
            if context.now >= receipt.deadline {
                if let failure = receipt.provisional {
                    return settle(receipt, .failure(failure), context)
                }
                let seconds = context.rules.retentionSeconds
                state = .unanswered(receipt, until: context.now.advanced(bySeconds: seconds))
                notify(.unanswered(receipt.offer.paymentHash, receipt.preimage))
            } else if context.now >= receipt.repeatAt {
                askForAnswer(receipt, context)
            }
        case .submitted, .accepted, .quoteReceived, .paymentSucceeded, .paymentFailed,
            .paymentInFlight, .sent, .tooLargeToSend, .notified:
            break
        }
    }

    mutating func handleUnanswered(
        _ receipt: Receipt,
        until: UnixTime,
        _ event: Event,
        _ context: RequesterContext
    ) {
        switch event {
        case .resultReceived(let id, let result):
            if id == receipt.offer.jobID { settle(receipt, .result(result), context) }
        case .errorReceived(let id, let failure):
            // The deadline for something better has passed.
            if id == receipt.offer.jobID { settle(receipt, .failure(failure), context) }
        case .peerReturned:
            guard mayRepeat(receipt, context) else { return }
            state = .unanswered(repeated(receipt, context), until: until)
        case .resumed:
            state = .unanswered(repeated(receipt, context), until: until)
        case .woken:
            guard context.now >= until else { return }
            state = .finished
            outstanding = [.finish]
        case .submitted, .accepted, .cancelledByClient, .quoteReceived, .paymentSucceeded,
            .paymentFailed, .paymentInFlight, .sent, .tooLargeToSend, .notified:
            break
        }
    }

    /// Notes that the payment succeeded, and looks at an answer that came before the news.
    mutating func receive(
        _ preimage: Preimage,
        fee: MilliSatoshi,
        for offer: Offer,
        overtaking early: Answer?,
        _ context: RequesterContext
    ) {
        let rules = context.rules
        let receipt = Receipt(
            offer: offer,
            preimage: preimage,
            fee: fee,
            deadline: context.now.advanced(bySeconds: rules.answerSeconds),
            repeats: 0,
            askedAt: context.now,
            repeatAt: context.now.advanced(bySeconds: rules.repeatSeconds),
            provisional: nil
        )
        state = .awaitingAnswer(receipt)
        notify(.paid(offer.paymentHash, preimage, fee: fee))
        // No repeat has been sent yet, so an error that came early is the answer as much as a
        // result.
        if let early { settle(receipt, early, context) }
    }

    /// Accepts the one answer of a payment.
    private mutating func settle(
        _ receipt: Receipt,
        _ answer: Answer,
        _ context: RequesterContext
    ) {
        removeMessages()
        end(.answered(receipt, answer), context)
    }

    /// Asks for the answer, or later when that was done a moment ago.
    private mutating func askForAnswer(_ receipt: Receipt, _ context: RequesterContext) {
        guard mayRepeat(receipt, context) else {
            var waiting = receipt
            let pause = context.rules.repeatPauseSeconds
            waiting.repeatAt = min(receipt.repeatAt, receipt.askedAt.advanced(bySeconds: pause))
            state = .awaitingAnswer(waiting)
            return
        }
        state = .awaitingAnswer(repeated(receipt, context))
    }

    private func mayRepeat(_ receipt: Receipt, _ context: RequesterContext) -> Bool {
        receipt.repeats == 0
            || context.now >= receipt.askedAt.advanced(bySeconds: context.rules.repeatPauseSeconds)
    }

    /// Sends the request again under the same job id, with a fresh message id.
    private mutating func repeated(_ receipt: Receipt, _ context: RequesterContext) -> Receipt {
        var asked = receipt
        // Each repeat waits twice as long for the next, up to sixteen times.
        let wait = context.rules.repeatSeconds << UInt64(min(receipt.repeats + 1, 4))
        asked.repeats += 1
        asked.askedAt = context.now
        asked.repeatAt = context.now.advanced(bySeconds: wait)
        outstanding.removeAll { effect in
            if case .sendQuoteRequest = effect { true } else { false }
        }
        outstanding.append(.sendQuoteRequest(receipt.offer.jobID, context.freshMessageID))
        return asked
    }

    /// Of two answers that overtook the payment: the first result, else the latest error.
    private static func preferred(_ kept: Answer?, _ new: Answer) -> Answer {
        switch (kept, new) {
        case (.result(let first), _): .result(first)
        case (.failure, _), (nil, _): new
        }
    }
}
