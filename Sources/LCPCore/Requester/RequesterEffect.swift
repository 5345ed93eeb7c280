package import LCPWire
package import LightningTypes

extension RequesterJob {
    /// What the world must do for a requester's job.
    ///
    /// An effect equal to one that was outstanding before is the same effect, and is not begun
    /// again while it runs or after it ran. An event reports the outcome of each but
    /// ``finish``, and until then it stays outstanding.
    package enum Effect: Equatable, Sendable {
        /// Send `lcp_quote_request` with the stored task: a first time under a job id, or again.
        case sendQuoteRequest(JobID, MessageID)
        /// Send `lcp_cancel`.
        case sendCancel(JobID, MessageID)
        /// Pay an invoice, and track the payment to its end.
        case pay(PaymentIntent)
        /// Make sure that a payment never begins; one that has begun is tracked to its end.
        case withdrawPayment(PaymentHash)
        /// Tell the client.
        case notifyClient(Notice)
        /// Forget the job once everything before it is done or given up.
        case finish

        /// What the effect waits for.
        package var timing: EffectTiming {
            switch self {
            case .sendQuoteRequest: .atOnce
            // Else a crash could make us pay a job that the peer has given up.
            case .sendCancel: .afterCommit
            case .pay, .withdrawPayment: .afterCommit
            // A submission that is acknowledged must be durable.
            case .notifyClient(.submitted): .afterCommit
            case .notifyClient: .atOnce
            case .finish: .afterCommit
            }
        }

        /// When the message's envelope ends; nil for what is no message.
        package var envelopeExpiry: EnvelopeExpiry? {
            switch self {
            case .sendQuoteRequest, .sendCancel: .window
            case .pay, .withdrawPayment, .notifyClient, .finish: nil
            }
        }

        /// The identifier of the message; nil for what is no message.
        package var messageID: MessageID? {
            switch self {
            case .sendQuoteRequest(_, let id), .sendCancel(_, let id): id
            case .pay, .withdrawPayment, .notifyClient, .finish: nil
            }
        }
    }
}
