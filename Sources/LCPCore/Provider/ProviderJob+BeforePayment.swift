import LCPWire
import LightningTypes

// Moves of a job that nobody has paid.
extension ProviderJob {
    mutating func handleUnquoted(_ event: Event, _ context: ProviderContext) {
        switch event {
        case .quoteRequested(let request): consider(request, context)
        case .cancelRequested: finish()  // of a job we don't know
        case .invoiceCreated(let hash, _): cancelStrayInvoice(hash)
        case .invoiceNotCreated, .invoiceSettled, .invoiceCancelled, .computed, .computeFailed,
            .computeCancelled, .sent, .tooLargeToSend, .answeredByBridge, .resumed, .woken:
            break
        }
    }

    mutating func handleAwaitingInvoice(
        _ draft: Draft,
        _ event: Event,
        _ context: ProviderContext
    ) {
        switch event {
        case .quoteRequested(let request):
            // The same request gets its quote as soon as there is an invoice.
            if !draft.answers(request) { sendConflict(context) }
        case .cancelRequested:
            state = .droppingInvoice(draft)
        case .invoiceCreated(let hash, let paymentRequest):
            let quote = Quote(draft: draft, paymentHash: hash, paymentRequest: paymentRequest)
            guard context.now < quote.expiry else {
                // lnd took longer than the quote would have held.
                withdraw(quote, .expiredAndAsked)
                return
            }
            state = .quoted(quote)
            send(quote, .first, context)
        case .invoiceNotCreated:
            refuse(V01.Failure(code: .rateLimited, message: "no invoice now, try later"), context)
        case .woken:
            guard context.now >= draft.terms.quoteExpiry else { return }
            state = .droppingInvoice(draft)
            outstanding.append(
                .sendError(
                    V01.Failure(code: .rateLimited, message: "no invoice now, try later"),
                    context.freshMessageID,
                    .first
                )
            )
        case .invoiceSettled, .invoiceCancelled, .computed, .computeFailed, .computeCancelled,
            .sent, .tooLargeToSend, .answeredByBridge, .resumed:
            break
        }
    }

    mutating func handleDroppingInvoice(
        _ draft: Draft,
        _ event: Event,
        _ context: ProviderContext
    ) {
        switch event {
        case .invoiceCreated(let hash, let paymentRequest):
            let quote = Quote(draft: draft, paymentHash: hash, paymentRequest: paymentRequest)
            withdraw(quote, .cancelled)
        case .invoiceNotCreated:
            state = .unquoted
            outstanding.append(.finish)
        case .quoteRequested, .cancelRequested, .invoiceSettled, .invoiceCancelled, .computed,
            .computeFailed, .computeCancelled, .sent, .tooLargeToSend, .answeredByBridge, .resumed,
            .woken:
            break
        }
    }

    mutating func handleQuoted(_ quote: Quote, _ event: Event, _ context: ProviderContext) {
        switch event {
        case .quoteRequested(let request):
            guard quote.draft.answers(request) else { return sendConflict(context) }
            guard context.now < quote.expiry else { return withdraw(quote, .expiredAndAsked) }
            send(quote, .again, context)
        case .cancelRequested:
            withdraw(quote, .cancelled)
        case .invoiceCreated(let hash, _):
            if hash != quote.paymentHash { cancelStrayInvoice(hash) }
        case .invoiceSettled(let hash):
            if hash == quote.paymentHash { execute(quote, context) }
        case .invoiceCancelled(let hash):
            if hash == quote.paymentHash { close(quote, .expired, context) }
        case .tooLargeToSend:
            // A peer that can't receive the quote can't pay it.
            withdraw(quote, .tooLarge)
        case .woken:
            if context.now >= quote.expiry { withdraw(quote, .expired) }
        case .invoiceNotCreated, .computed, .computeFailed, .computeCancelled, .sent,
            .answeredByBridge, .resumed:
            break
        }
    }

    mutating func handleWithdrawing(
        _ quote: Quote,
        _ why: Withdrawal,
        _ event: Event,
        _ context: ProviderContext
    ) {
        switch event {
        case .quoteRequested:
            if why == .expired { state = .withdrawing(quote, .expiredAndAsked) }
        case .invoiceCreated(let hash, _):
            if hash != quote.paymentHash { cancelStrayInvoice(hash) }
        case .invoiceSettled(let hash):
            if hash == quote.paymentHash { takePayment(of: quote, despite: why, context) }
        case .invoiceCancelled(let hash):
            if hash == quote.paymentHash { close(quote, why, context) }
        case .cancelRequested, .invoiceNotCreated, .computed, .computeFailed, .computeCancelled,
            .sent, .tooLargeToSend, .answeredByBridge, .resumed, .woken:
            break
        }
    }

    mutating func handleClosed(
        _ quote: Quote,
        _ why: Withdrawal,
        until: UnixTime,
        _ event: Event,
        _ context: ProviderContext
    ) {
        switch event {
        case .quoteRequested: sendWithdrawn(why, context)
        case .invoiceCreated(let hash, _):
            if hash != quote.paymentHash { cancelStrayInvoice(hash) }
        case .invoiceSettled(let hash):
            // lnd promised that this can't happen. If it did, somebody paid and is owed an answer.
            if hash == quote.paymentHash { takePayment(of: quote, despite: why, context) }
        case .woken:
            if context.now >= until { finish() }
        case .cancelRequested, .invoiceNotCreated, .invoiceCancelled, .computed, .computeFailed,
            .computeCancelled, .sent, .tooLargeToSend, .answeredByBridge, .resumed:
            break
        }
    }

    mutating func handleFinished(_ event: Event) {
        switch event {
        case .invoiceCreated(let hash, _): cancelStrayInvoice(hash)
        case .quoteRequested, .cancelRequested, .invoiceNotCreated, .invoiceSettled,
            .invoiceCancelled, .computed, .computeFailed, .computeCancelled, .sent, .tooLargeToSend,
            .answeredByBridge, .resumed, .woken:
            break
        }
    }

    /// Quotes a request or refuses it.
    ///
    /// Checked before anything is promised: peer and rates, version (LCP v0.1 §2), task, params and
    /// price (§5.2), and whether any answer would fit the peer's `max_payload_bytes` (§5.1).
    private mutating func consider(_ request: Request, _ context: ProviderContext) {
        let rules = context.rules
        if let refusal = rules.peers.refusal(of: peer, context.peer) {
            return refuse(refusal, context)
        }
        guard request.protocolVersion == V01.protocolVersion else {
            let text = "unsupported protocol_version"
            return refuse(V01.Failure(code: .unsupportedVersion, message: text), context)
        }
        let task: PricedTask
        switch rules.prices.price(request.body) {
        case .refused(let refusal): return refuse(refusal, context)
        case .priced(let priced): task = priced
        }
        guard maxResultBytes(ResultLimit.chatContentType, context) ?? 0 > 0 else {
            return refuse(.resultTooLarge, context)
        }
        guard
            let terms = try? V01.Terms(
                jobID: jobID,
                price: task.price,
                quoteExpiry: context.now.advanced(bySeconds: rules.quoteSeconds),
                taskKind: request.body.taskKind,
                input: request.body.input,
                params: request.body.params
            ), let termsHash = try? terms.hash()
        else {
            let text = "params are not canonical"
            return refuse(V01.Failure(code: .unsupportedParams, message: text), context)
        }
        state = .awaitingInvoice(Draft(terms: terms, termsHash: termsHash, task: task))
        outstanding = [
            .createInvoice(
                InvoiceOrder(
                    // LCP v0.1 §5.3 [invoice-commits-to-terms] [invoice-amount-is-price]
                    amount: task.price,
                    descriptionHash: termsHash,
                    // LCP v0.1 §5.3 [invoice-ends-with-quote]
                    expiresAt: context.now.advanced(bySeconds: rules.invoiceSeconds)
                )
            )
        ]
    }

    /// Says no to a request; nothing was promised, so nothing needs remembering.
    private mutating func refuse(_ failure: V01.Failure, _ context: ProviderContext) {
        state = .unquoted
        outstanding = [.sendError(failure, context.freshMessageID, .first), .finish]
    }

    /// Sends the quote, for the first time or because it was asked for again.
    private mutating func send(
        _ quote: Quote,
        _ sending: Sending,
        _ context: ProviderContext
    ) {
        removeQuotes()
        outstanding.append(.sendQuote(quote, context.freshMessageID, sending))
    }

    /// Takes a quote back; only lnd knows whether it has been paid.
    private mutating func withdraw(_ quote: Quote, _ why: Withdrawal) {
        state = .withdrawing(quote, why)
        removeQuotes()
        outstanding.append(.cancelInvoice(quote.paymentHash))
    }

    /// Ends a quote that can't be paid any more.
    private mutating func close(_ quote: Quote, _ why: Withdrawal, _ context: ProviderContext) {
        let seconds = context.rules.unpaidRetentionSeconds
        state = .closed(quote, why, until: context.now.advanced(bySeconds: seconds))
        removeQuotes()
        switch why {
        case .expiredAndAsked, .tooLarge: sendWithdrawn(why, context)
        case .expired, .cancelled: break  // the peer knows
        }
    }

    /// Goes on with a job that was paid while we took its quote back.
    private mutating func takePayment(
        of quote: Quote,
        despite why: Withdrawal,
        _ context: ProviderContext
    ) {
        switch why {
        case .expired, .expiredAndAsked, .tooLarge: execute(quote, context)
        case .cancelled: answer(quote, .failure(.cancelledAfterPayment), context)
        }
    }

    /// Tells the peer that its quote is gone.
    private mutating func sendWithdrawn(_ why: Withdrawal, _ context: ProviderContext) {
        let failure =
            switch why {
            // LCP v0.1 §5.2: a repeated request after the quote's end.
            case .expired, .expiredAndAsked, .cancelled:
                V01.Failure(code: .quoteExpired, message: "quote expired")
            // LCP v0.1 §5.1: what exceeds max_payload_bytes is never sent.
            case .tooLarge:
                V01.Failure(code: .payloadTooLarge, message: "quote exceeds max_payload_bytes")
            }
        replaceError(with: failure, context)
    }

    /// Answers a request that reuses the job for something else; the job itself is unharmed.
    private mutating func sendConflict(_ context: ProviderContext) {
        replaceError(
            with: V01.Failure(code: .paymentInvalid, message: "job_id belongs to another request"),
            context
        )
    }

    /// Sends an error; one that is still waiting to be sent makes room, so repeats don't pile up.
    private mutating func replaceError(with failure: V01.Failure, _ context: ProviderContext) {
        outstanding.removeAll { effect in
            if case .sendError = effect { true } else { false }
        }
        outstanding.append(.sendError(failure, context.freshMessageID, .first))
    }

    private mutating func removeQuotes() {
        outstanding.removeAll { effect in
            if case .sendQuote = effect { true } else { false }
        }
    }

    /// An invoice no quote carries, from asking lnd twice around a crash: nobody can pay it.
    mutating func cancelStrayInvoice(_ hash: PaymentHash) {
        guard !outstanding.contains(.cancelInvoice(hash)) else { return }
        outstanding.insert(.cancelInvoice(hash), at: 0)  // `finish` stays last
    }
}
