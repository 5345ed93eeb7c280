import BOLT11
import BridgeProtocol
import LCPCore
import LCPWire
import LightningTypes

// How a requester's job can fail, in words for its client.
//
// A peer's own message is left out: it may say anything, our prompt included, and a view is metadata
// that everybody may read.
extension BusFailure {
    static func priceAboveCeiling(_ price: MilliSatoshi, _ ceiling: MilliSatoshi) -> BusFailure {
        BusFailure(
            "price-above-ceiling",
            "the price is \(price), the ceiling \(ceiling)",
            "Accept the quote with a higher ceiling, or cancel the job.",
            retryable: true
        )
    }

    static let unanswered = BusFailure(
        "unanswered",
        "paid, and no answer came in time; the preimage proves the payment",
        "A later answer is still taken: ask for the result again."
    )

    static func gotError(_ failure: V01.Failure) -> BusFailure {
        BusFailure(
            "answered-with-error",
            "the provider took the payment and answered with \(failure.label)",
            "The preimage proves the payment."
        )
    }

    static func unpaid(_ reason: RequesterJob.UnpaidReason) -> BusFailure {
        switch reason {
        case .invalidTask:
            BusFailure(
                "invalid-task",
                "the task can't be written as a request of LCP v0.1",
                "llm.chat needs a prompt in UTF-8 and params with a profile."
            )
        case .requestTooLarge:
            BusFailure(
                "request-too-large",
                "the request exceeds what the provider says it can receive",
                "Shorten the prompt."
            )
        case .noQuote:
            BusFailure(
                "no-quote",
                "the provider gave no quote, however often it was asked",
                "See whether it is connected and speaks LCP: lcp peers.",
                retryable: true
            )
        case .refused(let failure):
            BusFailure(
                "refused-by-provider",
                "the provider refused: \(failure.label)",
                failure.code == .unsupportedTask ? "See what it sells: lcp profiles." : ""
            )
        case .defectiveQuote(let defect):
            BusFailure(
                "defective-quote",
                "the quote must not be paid: \(defect.explanation)",
                "Nothing was paid. Buy from another provider."
            )
        case .quoteExpired:
            BusFailure(
                "quote-expired",
                "the quote was not accepted in time",
                "Ask for a new one.",
                retryable: true
            )
        case .cancelled: BusFailure("cancelled", "the client cancelled", "")
        }
    }

    static func paymentFailed(_ why: RequesterJob.PaymentFailure) -> BusFailure {
        switch why {
        case .withdrawn:
            BusFailure("payment-withdrawn", "the payment was withdrawn before it began", "")
        case .tooLate:
            BusFailure(
                "payment-too-late",
                "too little of the quote's time was left to pay",
                "Ask for a new quote.",
                retryable: true
            )
        // The bridge can't tell whether an earlier payment was this job's own: not for the reader of
        // a code to take for a limit.
        case .refused(let rule) where rule.code == "already-paying":
            BusFailure(rule.code, "not paid again: \(rule.detail)", rule.advice)
        case .refused(let rule):
            BusFailure(
                "payment-refused",
                "a money rule of the bridge refused the payment: \(rule.words)",
                rule.advice
            )
        case .lnd(let reason):
            BusFailure(
                "payment-failed",
                "lnd could not make the payment: \(reason.words)",
                reason.advice.isEmpty
                    ? "See whether a route with enough liquidity leads to the provider."
                    : reason.advice,
                retryable: true
            )
        }
    }

    private init(_ code: String, _ detail: String, _ advice: String, retryable: Bool = false) {
        self.init()
        self.code = code
        self.detail = detail
        self.advice = advice
        self.retryable = retryable
    }
}

extension RequesterJob.PaymentObjection {
    /// Code and detail: `daily-budget, 1 sat more would exceed 0 sat`.
    fileprivate var words: String { detail.isEmpty ? code : "\(code), \(detail)" }
}

extension QuoteDefect {
    fileprivate var explanation: String {
        switch self {
        case .quoteExpired: "it was over when it came"
        case .termsHash: "its terms hash is not that of the request"
        case .invoice(let rule): "its invoice breaks BOLT #11 (\(rule.rawValue))"
        case .amountMissing: "its invoice leaves the amount open"
        case .amount: "its invoice asks for another amount"
        case .descriptionNotHashed: "its invoice has a text where the terms hash must stand"
        case .descriptionHash: "its invoice is bound to other terms"
        case .payee: "its invoice pays another node"
        case .payeeHidden: "its invoice hides whom it pays"
        case .ampRequired: "its invoice can only be paid without proof (AMP)"
        case .outlivesQuote: "its invoice outlives it"
        case .invoiceExpired: "its invoice was over when it came"
        case .finalCLTV: "its invoice could lock the funds for too long"
        case .tooLateToPay: "too little time is left to pay it"
        }
    }
}
