package import LCPWire
package import LightningTypes

extension RequesterJob {
    /// What happened to a requester's job.
    ///
    /// Messages come with the job id they carry: a job may have asked under several.
    package enum Event: Equatable, Sendable {
        /// The client wants a job done, and may agree to a price beforehand.
        case submitted(V01.QuoteRequest, ceiling: MilliSatoshi?)
        /// The client agrees to pay up to a price, routing fees apart.
        case accepted(ceiling: MilliSatoshi)
        /// The client doesn't want the job any more.
        case cancelledByClient
        /// `lcp_quote_response`.
        case quoteReceived(JobID, V01.QuoteResponse)
        /// `lcp_result`; its bytes are in the journal.
        case resultReceived(JobID, ReceivedResult)
        /// `lcp_error`.
        case errorReceived(JobID, V01.Failure)
        /// The payment succeeded; the preimage has been checked against the hash.
        case paymentSucceeded(PaymentHash, Preimage, fee: MilliSatoshi)
        /// The payment failed for good, or never began and never will.
        case paymentFailed(PaymentHash, PaymentFailure)
        /// Nobody knows yet; the payment is tracked.
        case paymentInFlight(PaymentHash)
        /// A message went out, as far as lnd can tell.
        case sent(MessageID)
        /// A message was not sent, because it exceeds the peer's `max_payload_bytes` of now.
        case tooLargeToSend(MessageID)
        /// The client was told.
        case notified(Notice)
        /// The peer is back, or the stream of messages has been opened again.
        case peerReturned
        /// The bridge is back after so many seconds.
        case resumed(downtimeSeconds: UInt64)
        /// `wakeAt` has come; may come early or often.
        case woken
    }

    /// What a client is told; the job's state tells it as well to those who ask.
    package enum Notice: Equatable, Sendable {
        /// The job is durable, and this is its id.
        case submitted(JobID)
        /// A quote passed every check.
        case quoted(Offer)
        /// The price is above what the client agreed to.
        case aboveCeiling(price: MilliSatoshi, ceiling: MilliSatoshi)
        /// A payment has been asked for.
        case paying(PaymentHash)
        /// The payment takes its time; nothing is lost.
        case paymentInFlight(PaymentHash)
        /// The payment succeeded; the answer is awaited.
        case paid(PaymentHash, Preimage, fee: MilliSatoshi)
        /// The deadline has passed; the preimage is the proof of payment.
        case unanswered(PaymentHash, Preimage)
        /// The job has ended.
        case ended(Ending)
    }
}
