package import LCPWire
package import LightningTypes

extension ProviderJob {
    /// What the world must do for a provider's job.
    ///
    /// An effect equal to one that was outstanding before is the same effect, and is not begun
    /// again while it runs or after it ran. An event reports the outcome of each but
    /// ``finish``, and until then it stays outstanding.
    package enum Effect: Equatable, Sendable {
        /// Ask lnd for an invoice.
        case createInvoice(InvoiceOrder)
        /// Make sure that an invoice can't be paid any more, or learn that it was.
        case cancelInvoice(PaymentHash)
        /// Send `lcp_quote_response`.
        case sendQuote(Quote, MessageID, Sending)
        /// Send `lcp_result` with the first bytes of the stored output.
        case sendResult(Output, MessageID, Sending)
        /// Send `lcp_error`.
        case sendError(V01.Failure, MessageID, Sending)
        /// Execute the paid job.
        case startCompute(ComputeOrder)
        /// Stop executing it.
        case cancelCompute
        /// Forget the job once everything before it is done or given up.
        case finish

        /// What the effect waits for.
        package var timing: EffectTiming {
            switch self {
            case .createInvoice: .atOnce  // one that was never sent can't be paid
            case .cancelInvoice: .afterCommit
            // A quote we forgot could be paid, an answer we forgot could be followed by another.
            case .sendQuote(_, _, let sending), .sendResult(_, _, let sending),
                .sendError(_, _, let sending):
                sending.timing
            case .startCompute, .cancelCompute: .atOnce
            case .finish: .afterCommit
            }
        }

        /// When the message's envelope ends; nil for what is no message.
        package var envelopeExpiry: EnvelopeExpiry? {
            switch self {
            case .sendQuote(let quote, _, _): .at(quote.expiry)
            case .sendResult, .sendError: .window
            case .createInvoice, .cancelInvoice, .startCompute, .cancelCompute, .finish: nil
            }
        }

        /// The identifier of the message; nil for what is no message.
        package var messageID: MessageID? {
            switch self {
            case .sendQuote(_, let id, _), .sendResult(_, let id, _), .sendError(_, let id, _): id
            case .createInvoice, .cancelInvoice, .startCompute, .cancelCompute, .finish: nil
            }
        }
    }

    /// Whether what a message says has been committed before it is sent.
    package enum Sending: Equatable, Sendable {
        /// It is new in this step; a crash could make us say something else.
        case first
        /// It was committed by an earlier step.
        case again

        var timing: EffectTiming {
            switch self {
            case .first: .afterCommit
            case .again: .atOnce
            }
        }
    }
}
