package import LCPWire
package import LightningTypes

extension ProviderJob {
    /// What happened to a provider's job.
    package enum Event: Equatable, Sendable {
        /// `lcp_quote_request`; neither expired nor a replay, which the session has checked.
        case quoteRequested(Request)
        /// `lcp_cancel`; neither expired nor a replay.
        case cancelRequested
        /// lnd made an invoice for us.
        case invoiceCreated(PaymentHash, Redacted<String>)
        /// lnd refused for good to make the invoice.
        case invoiceNotCreated
        /// The invoice is paid; from the subscription, a lookup, or a cancellation that came late.
        case invoiceSettled(PaymentHash)
        /// The invoice can't be paid any more; from `CancelInvoice` or a lookup.
        case invoiceCancelled(PaymentHash)
        /// Compute has finished, and the output is stored.
        case computed(ComputedOutput)
        /// Compute failed as often as it may.
        case computeFailed
        /// Compute has stopped without output because we asked.
        case computeCancelled
        /// A message went out, as far as lnd can tell.
        case sent(MessageID)
        /// A message was not sent, because it exceeds the peer's `max_payload_bytes` of now.
        case tooLargeToSend(MessageID)
        /// The bridge answered in our place, because no worker did by `answerBy`.
        case answeredByBridge(V01.ErrorCode)
        /// The bridge is back after so many seconds.
        case resumed(downtimeSeconds: UInt64)
        /// `wakeAt` has come; may come early or often.
        case woken
    }

    /// A request as it arrived.
    package struct Request: Equatable, Sendable {
        /// The envelope's version.
        package var protocolVersion: UInt16
        /// The body.
        package var body: V01.QuoteRequest

        /// Joins the version and the body of a request.
        package init(protocolVersion: UInt16 = V01.protocolVersion, body: V01.QuoteRequest) {
            self.protocolVersion = protocolVersion
            self.body = body
        }
    }

    /// What compute made; the bytes are here to be measured and cut, not kept.
    package struct ComputedOutput: Equatable, Sendable {
        /// The output.
        package var bytes: Redacted<[UInt8]>
        /// Its media type.
        package var contentType: String

        /// Describes an output.
        package init(
            bytes: Redacted<[UInt8]>,
            contentType: String = ResultLimit.chatContentType
        ) {
            self.bytes = bytes
            self.contentType = contentType
        }
    }
}
