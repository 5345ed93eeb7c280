import LCPWire
import LightningTypes

// Moves of a job for which no payment has been asked for.
extension RequesterJob {
    mutating func handleUnsubmitted(_ event: Event, _ context: RequesterContext) {
        switch event {
        case .submitted(let request, let ceiling):
            outstanding.append(.notifyClient(.submitted(jobID)))
            let terms = try? V01.Terms(
                jobID: jobID,
                price: .zero,
                quoteExpiry: UnixTime(seconds: 0),
                taskKind: request.taskKind,
                input: request.input,
                params: request.params
            )
            // Hashing refuses what can't be written: an empty kind of task.
            guard let terms, (try? terms.hash()) != nil else {
                return end(.unpaid(.invalidTask), context)
            }
            ask(
                Asking(terms: terms, ceiling: ceiling, attempts: 0, deadline: context.now),
                context
            )
        case .cancelledByClient: end(.unpaid(.cancelled), context)
        case .accepted, .quoteReceived, .resultReceived, .errorReceived, .paymentSucceeded,
            .paymentFailed, .paymentInFlight, .sent, .tooLargeToSend, .notified, .peerReturned,
            .resumed, .woken:
            break
        }
    }

    mutating func handleRequesting(
        _ asking: Asking,
        _ event: Event,
        _ context: RequesterContext
    ) {
        switch event {
        case .accepted(let ceiling):
            var agreed = asking
            agreed.ceiling = ceiling
            state = .requesting(agreed)
        case .cancelledByClient:
            cancel(asking.terms.jobID, context)
            end(.unpaid(.cancelled), context)
        case .quoteReceived(let id, let response):
            // Only the newest job id may lead to a payment.
            guard id == asking.terms.jobID else { return }
            take(response, asking, context)
        case .errorReceived(let id, let failure):
            guard id == asking.terms.jobID else { return }
            removeMessages()
            end(.unpaid(.refused(failure)), context)
        case .tooLargeToSend: end(.unpaid(.requestTooLarge), context)
        case .peerReturned, .resumed:
            // The quote may have been lost. When asking is used up, the deadline decides.
            if asking.attempts < context.rules.quoteAttempts { askAnew(asking, context) }
        case .woken:
            guard context.now >= asking.deadline else { return }
            guard asking.attempts < context.rules.quoteAttempts else {
                removeMessages()
                return end(.unpaid(.noQuote), context)
            }
            askAnew(asking, context)
        case .submitted, .resultReceived, .paymentSucceeded, .paymentFailed, .paymentInFlight,
            .sent, .notified:
            break
        }
    }

    mutating func handleQuoted(_ offer: Offer, _ event: Event, _ context: RequesterContext) {
        switch event {
        case .accepted(let ceiling): accept(offer, ceiling, context)
        case .cancelledByClient:
            cancel(offer.jobID, context)
            end(.unpaid(.cancelled), context)
        case .errorReceived(let id, let failure):
            if id == offer.jobID { end(.unpaid(.refused(failure)), context) }
        case .woken:
            if context.now >= offer.notAfter { end(.unpaid(.quoteExpired), context) }
        case .submitted, .quoteReceived, .resultReceived, .paymentSucceeded, .paymentFailed,
            .paymentInFlight, .sent, .tooLargeToSend, .notified, .peerReturned, .resumed:
            // A second quote doesn't change the terms, and an unpaid job has no result.
            break
        }
    }

    mutating func handleEnded(
        _ ending: Ending,
        until: UnixTime,
        _ event: Event,
        _ context: RequesterContext
    ) {
        switch event {
        case .woken:
            guard context.now >= until else { return }
            state = .finished
            outstanding = [.finish]
        case .paymentSucceeded(let hash, let preimage, let fee):
            // A failure was reported too early. The money is gone, so the answer is ours.
            guard case .paymentFailed(let offer, _) = ending, hash == offer.paymentHash else {
                return
            }
            receive(preimage, fee: fee, for: offer, overtaking: nil, context)
        case .submitted, .accepted, .cancelledByClient, .quoteReceived, .resultReceived,
            .errorReceived, .paymentFailed, .paymentInFlight, .sent, .tooLargeToSend, .notified,
            .peerReturned,
            .resumed:
            break
        }
    }

    mutating func handleFinished(_ event: Event) {
        switch event {
        case .submitted, .accepted, .cancelledByClient, .quoteReceived, .resultReceived,
            .errorReceived, .paymentSucceeded, .paymentFailed, .paymentInFlight, .sent,
            .tooLargeToSend, .notified,
            .peerReturned, .resumed, .woken:
            break
        }
    }

    /// Ends the job for its client.
    mutating func end(_ ending: Ending, _ context: RequesterContext) {
        let seconds = context.rules.retentionSeconds
        state = .ended(ending, until: context.now.advanced(bySeconds: seconds))
        notify(.ended(ending))
    }

    /// Tells the client; what it was to be told before is overtaken, an acknowledgement never is.
    mutating func notify(_ notice: Notice) {
        outstanding.removeAll { effect in
            switch effect {
            case .notifyClient(.submitted): false
            case .notifyClient: true
            case .sendQuoteRequest, .sendCancel, .pay, .withdrawPayment, .finish: false
            }
        }
        outstanding.append(.notifyClient(notice))
    }

    /// Sends `lcp_cancel`, in place of whatever was still to be sent.
    mutating func cancel(_ id: JobID, _ context: RequesterContext) {
        removeMessages()
        outstanding.append(.sendCancel(id, context.freshMessageID))
    }

    mutating func removeMessages() {
        outstanding.removeAll { $0.messageID != nil }
    }

    /// Asks under a new job id: the reference answers a repeated request with an error.
    private mutating func askAnew(_ asking: Asking, _ context: RequesterContext) {
        var next = asking
        next.terms.jobID = context.freshJobID
        ask(next, context)
    }

    private mutating func ask(_ asking: Asking, _ context: RequesterContext) {
        var asking = asking
        asking.attempts += 1
        asking.deadline = context.now.advanced(bySeconds: context.rules.quoteWaitSeconds)
        state = .requesting(asking)
        removeMessages()
        outstanding.append(.sendQuoteRequest(asking.terms.jobID, context.freshMessageID))
    }

    /// Checks a quote, and pays it when the client has agreed to its price beforehand.
    private mutating func take(
        _ response: V01.QuoteResponse,
        _ asking: Asking,
        _ context: RequesterContext
    ) {
        let check = QuoteCheck(request: asking.terms, peer: peer, rules: context.rules)
        switch check.offer(from: response, at: context.now) {
        case .failure(let defect):
            // The cancel lets the provider give up its invoice.
            cancel(asking.terms.jobID, context)
            end(.unpaid(.defectiveQuote(defect)), context)
        case .success(let offer):
            removeMessages()
            state = .quoted(offer)
            notify(.quoted(offer))
            if let ceiling = asking.ceiling { accept(offer, ceiling, context) }
        }
    }

    /// Asks for the payment; no other line does.
    ///
    /// An ``Offer`` exists only when every check of LCP v0.1 §5.3 has passed.
    private mutating func accept(
        _ offer: Offer,
        _ ceiling: MilliSatoshi,
        _ context: RequesterContext
    ) {
        guard context.now < offer.notAfter else {
            return end(.unpaid(.quoteExpired), context)
        }
        guard offer.price <= ceiling else {
            return notify(.aboveCeiling(price: offer.price, ceiling: ceiling))
        }
        let intent = PaymentIntent(offer: offer, ceiling: ceiling)
        state = .paying(intent, overtaking: nil)
        notify(.paying(offer.paymentHash))
        outstanding.append(.pay(intent))
    }
}
