import LCPWire
import LightningTypes

// Moves of a job that has been paid. Each ends in `lcp_result` or `lcp_error`.
extension ProviderJob {
    mutating func handleExecuting(
        _ quote: Quote,
        deadline: UnixTime,
        _ event: Event,
        _ context: ProviderContext
    ) {
        switch event {
        case .computed(let output):
            answer(quote, fitting(output, context), context)
        case .computeFailed, .computeCancelled:
            answer(quote, .failure(.executionFailed), context)
        case .cancelRequested:
            // LCP v0.1 §5.5 asks us to stop. The requester has paid and still gets an answer; it is
            // an error because there is no result, and has a code of its own because none of the
            // specification's means "as you wished".
            answer(quote, .failure(.cancelledAfterPayment), context)
            outstanding.append(.cancelCompute)
        case .woken:
            guard context.now >= deadline else { return }
            answer(quote, .failure(.executionTimedOut), context)
            outstanding.append(.cancelCompute)
        case .answeredByBridge(let code):
            answer(quote, .failure(V01.Failure(code: code, message: nil)), context)
            outstanding.removeAll { $0.messageID != nil }  // it has gone out already
            outstanding.append(.cancelCompute)
        case .resumed(let downtimeSeconds):
            // While the bridge was down nothing could finish.
            state = .executing(quote, deadline: deadline.advanced(bySeconds: downtimeSeconds))
        case .invoiceCreated(let hash, _):
            if hash != quote.paymentHash { cancelStrayInvoice(hash) }
        case .quoteRequested, .invoiceNotCreated, .invoiceSettled, .invoiceCancelled, .sent,
            .tooLargeToSend:
            // Silence while executing: the answer will come.
            break
        }
    }

    mutating func handleAnswered(
        _ quote: Quote,
        _ answer: Answer,
        until: UnixTime,
        _ event: Event,
        _ context: ProviderContext
    ) {
        switch event {
        case .quoteRequested(let request):
            // A paid job has one answer; a request for something else gets none.
            if quote.draft.answers(request) { send(answer, context, .again) }
        case .woken:
            if context.now >= until { finish() }
        case .invoiceCreated(let hash, _):
            if hash != quote.paymentHash { cancelStrayInvoice(hash) }
        case .tooLargeToSend:
            // The peer lowered its limit after the result was measured (LCP v0.1 §5.4). An error
            // always fits where anything does.
            guard case .result = answer else { return }
            state = .answered(quote, .failure(.resultTooLarge), until: until)
            send(.failure(.resultTooLarge), context, .first)
        case .cancelRequested, .invoiceNotCreated, .invoiceSettled, .invoiceCancelled, .computed,
            .computeFailed, .computeCancelled, .sent, .answeredByBridge, .resumed:
            break
        }
    }

    /// Starts the execution.
    ///
    /// LCP v0.1 §5.3 [execute-after-settlement]: reached from a settlement of this quote's own
    /// invoice and from nothing else.
    mutating func execute(_ quote: Quote, _ context: ProviderContext) {
        guard let limit = maxResultBytes(ResultLimit.chatContentType, context) else {
            // The peer lowered its limit after the quote.
            return answer(quote, .failure(.resultTooLarge), context)
        }
        let seconds = context.rules.executionSeconds
        state = .executing(quote, deadline: context.now.advanced(bySeconds: seconds))
        outstanding = keptCancellations()
        outstanding.append(
            .startCompute(
                ComputeOrder(
                    task: quote.draft.task,
                    maxResultBytes: UInt32(truncatingIfNeeded: limit)
                )
            )
        )
    }

    /// Fixes the one answer of a paid job.
    mutating func answer(_ quote: Quote, _ answer: Answer, _ context: ProviderContext) {
        let seconds = context.rules.answerRetentionSeconds
        // LCP v0.1 §5.3 [deliver-after-settlement]
        state = .answered(quote, answer, until: context.now.advanced(bySeconds: seconds))
        outstanding = keptCancellations()
        send(answer, context, .first)
    }

    mutating func finish() {
        state = .finished
        outstanding = keptCancellations() + [.finish]
    }

    /// The most result bytes for the peer as it is now.
    func maxResultBytes(_ contentType: String, _ context: ProviderContext) -> Int? {
        ResultLimit.maxResultBytes(
            maxPayloadBytes: context.peer.maxPayloadBytes,
            contentType: contentType,
            expiry: EnvelopeExpiry.window.time(sentAt: context.now)
        )
    }

    /// Sends the answer; a sending that is still waiting makes room for this one.
    private mutating func send(_ answer: Answer, _ context: ProviderContext, _ sending: Sending) {
        outstanding.removeAll { $0.messageID != nil }
        switch answer {
        case .result(let output):
            outstanding.append(.sendResult(output, context.freshMessageID, sending))
        case .failure(let failure):
            outstanding.append(.sendError(failure, context.freshMessageID, sending))
        }
    }

    /// The answer that an output makes: whole, cut at a character, or too large.
    private func fitting(_ output: ComputedOutput, _ context: ProviderContext) -> Answer {
        guard let limit = maxResultBytes(output.contentType, context) else {
            return .failure(.resultTooLarge)
        }
        let bytes = output.bytes.reveal("to measure and cut it")
        guard bytes.count > limit else { return .result(output.kept(bytes.count, of: bytes)) }
        // LCP v0.1 §5.4 [result-fits-peer]:
        // too large is an error. Text is worth more cut than lost.
        guard output.isText, limit > 0 else { return .failure(.resultTooLarge) }
        return .result(output.kept(ResultLimit.cut(bytes, at: limit), of: bytes))
    }

    /// Invoices still to be cancelled survive every move.
    private func keptCancellations() -> [Effect] {
        outstanding.filter { effect in
            if case .cancelInvoice = effect { true } else { false }
        }
    }
}

extension ProviderJob.ComputedOutput {
    /// Whether a part of the output is worth something by itself.
    fileprivate var isText: Bool { contentType.lowercased().hasPrefix("text/") }

    fileprivate func kept(_ count: Int, of bytes: [UInt8]) -> ProviderJob.Output {
        ProviderJob.Output(
            byteCount: UInt32(truncatingIfNeeded: count),
            isCut: count < bytes.count,
            contentType: contentType
        )
    }
}

extension V01.Failure {
    fileprivate static let executionFailed = V01.Failure(
        code: .executionFailed,
        message: "execution failed"
    )
    fileprivate static let executionTimedOut = V01.Failure(
        code: .executionFailed,
        message: "execution took too long"
    )
    static let cancelledAfterPayment = V01.Failure(
        code: .cancelled,
        message: "cancelled after payment"
    )
    /// Without a text, so that the error itself fits wherever a message of LCP does.
    static let resultTooLarge = V01.Failure(code: .payloadTooLarge, message: nil)
}
