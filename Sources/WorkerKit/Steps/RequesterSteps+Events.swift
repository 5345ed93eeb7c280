import BridgeProtocol
import LCPCore
import LCPWire
import LightningTypes

/// An event for the requester's state machine, and the bytes of a result, which it does not keep.
struct RequesterNews {
    var event: RequesterJob.Event
    var result: [UInt8]?

    init(_ event: RequesterJob.Event, result: [UInt8]? = nil) {
        self.event = event
        self.result = result
    }
}

// What happened on the bus, as the requester's state machine understands it.
extension EffectBook<RequesterJob.Effect> {
    /// Translates an event; nil for one that means nothing to a requester's job.
    func requester(_ event: BusJobEvent) throws(StepError) -> RequesterNews? {
        switch event.body {
        case .message(let message): return message.requesterNews
        case .submitted(let submitted): return RequesterNews(try submitted.event)
        case .accepted(let accepted):
            return RequesterNews(
                .accepted(ceiling: MilliSatoshi(msat: accepted.maxPriceMsat))
            )
        case .clientCancelled: return RequesterNews(.cancelledByClient)
        case .paymentInFlight(let flying):
            return RequesterNews(
                .paymentInFlight(
                    try flying.paymentHash.identifier("payment_in_flight.payment_hash")
                )
            )
        case .paymentSucceeded(let paid):
            return RequesterNews(
                .paymentSucceeded(
                    try paid.paymentHash.identifier("payment_succeeded.payment_hash"),
                    Preimage(try paid.preimage.bytes32("payment_succeeded.preimage")),
                    fee: MilliSatoshi(msat: paid.feeMsat)
                )
            )
        case .paymentFailed(let failed):
            return RequesterNews(
                .paymentFailed(
                    try failed.paymentHash.identifier("payment_failed.payment_hash"),
                    failed.why
                )
            )
        case .tooLarge(let refused):
            return effect(refused.effect)?.messageID.map { RequesterNews(.tooLargeToSend($0)) }
        case .peerReturned: return RequesterNews(.peerReturned)
        case .resumed(let resumed):
            return RequesterNews(.resumed(downtimeSeconds: resumed.downtimeSeconds))
        // The bridge told the client because the time was over, and that is what `woken` finds.
        case .answeredByBridge, .woken: return RequesterNews(.woken)
        case .invoiceCreated, .invoiceFailed, .invoiceSettled, .invoiceCancelled, .computeFinished,
            .computeFailed, .computeCancelled:
            throw StepError(.itemMalformed, "an event of a provider's job")
        case nil: throw StepError(.eventUnknown, "the item has an event of a newer bus")
        }
    }
}

extension BusSubmitted {
    /// The submission.
    ///
    /// What can't be written as a request ends the job as an invalid task, which an empty kind of
    /// task makes the state machine say.
    fileprivate var event: RequesterJob.Event {
        get throws(StepError) {
            let request: V01.QuoteRequest
            do throws(WireError) {
                request = try V01.QuoteRequest(
                    taskKind: taskKind,
                    input: [UInt8](input),
                    params: params.isEmpty ? nil : [UInt8](params)
                )
            } catch {
                guard let nothing = try? V01.QuoteRequest(taskKind: "", input: [], params: nil)
                else { throw StepError(.unwritable, "an empty request") }
                request = nothing
            }
            return .submitted(
                request,
                ceiling: hasMaxPriceMsat ? MilliSatoshi(msat: maxPriceMsat) : nil
            )
        }
    }
}

extension BusPaymentFailed {
    fileprivate var why: RequesterJob.PaymentFailure {
        switch cause {
        case .withdrawn: .withdrawn
        case .tooLate: .tooLate
        case .refused: .refused(objection)
        // Whatever a newer bridge calls it: not paid, and it never will be.
        case .lnd, .unspecified, .UNRECOGNIZED: .lnd(objection)
        }
    }

    private var objection: RequesterJob.PaymentObjection {
        .init(code: failure.code, detail: failure.detail, advice: failure.advice)
    }
}

extension BusPeerMessage {
    /// What a provider's message says; nil when it says nothing to a requester.
    fileprivate var requesterNews: RequesterNews? {
        switch message {
        case .quoteResponse(let envelope, let body):
            // Terms of another version are not those we asked for, and money hangs on them.
            guard envelope.protocolVersion == V01.protocolVersion else { return nil }
            return RequesterNews(.quoteReceived(envelope.jobID, body))
        case .result(let envelope, let body):
            return RequesterNews(
                .resultReceived(
                    envelope.jobID,
                    RequesterJob.ReceivedResult(
                        messageID: envelope.messageID,
                        byteCount: UInt32(truncatingIfNeeded: body.result.count),
                        contentType: body.contentType
                    )
                ),
                result: body.result
            )
        // Of any version: a peer that does not speak ours says so in its own.
        case .error(let envelope, let body):
            return RequesterNews(.errorReceived(envelope.jobID, body))
        case .manifest, .quoteRequest, .cancel, nil: return nil
        }
    }
}
