import BridgeProtocol
import LCPCore
import LCPWire
import LightningTypes

// What happened on the bus, as the provider's state machine understands it.
extension EffectBook<ProviderJob.Effect> {
    /// Translates an event; nil for one that means nothing to a provider's job.
    func provider(_ event: BusJobEvent) throws(StepError) -> ProviderJob.Event? {
        switch event.body {
        case .message(let message): return message.providerEvent
        case .invoiceCreated(let created):
            return .invoiceCreated(
                try created.paymentHash.identifier("invoice_created.payment_hash"),
                Redacted(created.paymentRequest)
            )
        case .invoiceFailed: return .invoiceNotCreated
        case .invoiceSettled(let settled):
            return .invoiceSettled(
                try settled.paymentHash.identifier("invoice_settled.payment_hash")
            )
        case .invoiceCancelled(let cancelled):
            return .invoiceCancelled(
                try cancelled.paymentHash.identifier("invoice_cancelled.payment_hash")
            )
        case .computeFinished(let finished):
            return .computed(
                ProviderJob.ComputedOutput(
                    bytes: Redacted([UInt8](finished.output)),
                    contentType: finished.contentType.isEmpty
                        ? ResultLimit.chatContentType : finished.contentType
                )
            )
        case .computeFailed: return .computeFailed
        case .computeCancelled: return .computeCancelled
        case .tooLarge(let refused):
            return effect(refused.effect)?.messageID.map { .tooLargeToSend($0) }
        case .answeredByBridge(let answer):
            guard let code = UInt16(exactly: answer.code) else {
                throw StepError(.itemMalformed, "answered_by_bridge.code is above 65535")
            }
            return .answeredByBridge(V01.ErrorCode(rawValue: code))
        case .resumed(let resumed): return .resumed(downtimeSeconds: resumed.downtimeSeconds)
        case .woken: return .woken
        case .peerReturned:
            // What is still to be sent the bridge sends by itself, and the peer asks for the rest.
            return nil
        case .submitted, .accepted, .clientCancelled, .paymentInFlight, .paymentSucceeded,
            .paymentFailed:
            throw StepError(.itemMalformed, "an event of a requester's job")
        case nil: throw StepError(.eventUnknown, "the item has an event of a newer bus")
        }
    }
}

extension BusPeerMessage {
    /// What a requester's message says; nil when it says nothing to a provider.
    fileprivate var providerEvent: ProviderJob.Event? {
        switch message {
        case .quoteRequest(let envelope, let body):
            .quoteRequested(
                ProviderJob.Request(protocolVersion: envelope.protocolVersion, body: body)
            )
        case .cancel: .cancelRequested
        case .manifest, .quoteResponse, .result, .error: nil
        case nil: unreadableRequestOfAnotherVersion
        }
    }

    /// A request whose body is not ours to read; the answer is `unsupported_version`.
    ///
    /// LCP v0.1 §2 numbers versions in the envelope, so that a body of another version need not
    /// make sense to us. The empty kind of task belongs to no request that can be written.
    private var unreadableRequestOfAnotherVersion: ProviderJob.Event? {
        guard type == V01.MessageType.quoteRequest.rawValue,
            let version = UInt16(exactly: protocolVersion), version != V01.protocolVersion,
            let nothing = try? V01.QuoteRequest(taskKind: "", input: [], params: nil)
        else { return nil }
        return .quoteRequested(ProviderJob.Request(protocolVersion: version, body: nothing))
    }
}
