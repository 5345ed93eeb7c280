package import BridgeProtocol
package import BusClient
import LightningTypes
import OpenAIChat

// What the end of a job means to whoever asked for a completion.
extension Refusal {
    /// Why a job that has ended has no answer; nil when it has one.
    ///
    /// - Parameter job: The job, in a stage that is an end.
    package init?(endOf job: BusJob) {
        let why = job.view.failure
        switch job.view.stage {
        case .done: return nil
        case .unanswered:
            self.init(
                504,
                ChatError(
                    .server,
                    "paid, and the provider has not answered in time; a later answer is kept",
                    code: "paid_unanswered"
                ),
                .paid
            )
        case .paidFailed:
            self.init(
                502,
                ChatError(.server, "paid; \(Self.words(why))", code: "paid_failed"),
                .paid
            )
        case .failed where why.code.hasPrefix("payment"): self.init(paymentFailure: why)
        case .failed: self.init(noQuote: why)
        case .cancelled:
            self = .unavailable("the job was cancelled, nothing was paid", "job_cancelled")
        case .quoting, .quoted, .paying, .running, .unspecified, .UNRECOGNIZED: self = .defect
        }
    }

    /// No money has moved and none will: the payment was refused here, or found no way.
    private init(paymentFailure why: BusFailure) {
        guard why.code == "payment-refused" else {
            // It may have been on its way for a while. Nothing says that another would fare better.
            self.init(
                502,
                ChatError(
                    .server,
                    "the payment failed, nothing was paid; \(Self.words(why))",
                    code: "payment_failed"
                ),
                .paid
            )
            return
        }
        self = .budget("the bridge's limits refuse the payment; \(Self.words(why))")
    }

    /// There was never anything to pay.
    private init(noQuote why: BusFailure) {
        switch why.code {
        case "no-quote", "quote-expired":
            self = .unavailable(Self.words(why), "provider_unavailable")
        case "request-too-large", "invalid-task":
            self = .invalid(
                ChatError(.invalidRequest, Self.words(why), param: "messages", code: "not_carried")
            )
        case "refused-by-provider":
            let isBusy = why.detail.hasSuffix("(rate_limited)")
            self =
                isBusy
                ? .unavailable(Self.words(why), "provider_busy")
                : .invalid(
                    ChatError(.invalidRequest, Self.words(why), code: "refused_by_provider")
                )
        default:
            self.init(
                502,
                ChatError(.server, Self.words(why), code: "provider_defect")
            )
        }
    }

    /// What the bridge refused while nothing could be paid.
    package init(beforePayment error: BusClientError) {
        switch error.code {
        case .refused where error.failure?.code == "key-reused": self = .bodyOfAnother
        case .refused where error.failure?.code == "job-pruned":
            self.init(
                409,
                ChatError(
                    .invalidRequest,
                    "what was bought under this Idempotency-Key is no longer kept",
                    code: "result_expired"
                )
            )
        case .refused where !(error.failure?.retryable ?? false) && error.failure?.code != "busy":
            self.init(
                503,
                ChatError(.server, error.detail, code: error.label),
                .after(seconds: 10)
            )
        case .noBridge, .notAllowed, .timedOut, .refused, .unexpectedAnswer, .tooManyRequests,
            .unusableDirectory, .closed:
            self = .unavailable("the bridge does not answer now", "bridge_unavailable")
        }
    }

    static func priceAbove(_ ceiling: MilliSatoshi, _ price: MilliSatoshi) -> Refusal {
        Refusal(
            402,
            ChatError(
                .insufficientQuota,
                "the price is \(price), the limit of this gateway \(ceiling)",
                code: "price_limit"
            )
        )
    }

    /// A peer that was chosen for its price wants more.
    static func priceRaised(from compared: MilliSatoshi, to price: MilliSatoshi) -> Refusal {
        .unavailable(
            "the provider quoted \(compared) when it was compared and \(price) now; nothing was paid",
            "price_raised"
        )
    }

    /// The price is agreed to, and the answer takes longer than a request may.
    static let takesLong = Refusal(
        504,
        ChatError(
            .server,
            "paid, and the answer takes longer than a request may; repeat it to wait on",
            code: "answer_pending"
        ),
        .paid
    )

    /// The request is over, and the bridge may pay the quote before it hears that.
    static let undecided = Refusal(
        504,
        ChatError(
            .server,
            "there was no quote in time; it may be paid all the same: repeat the request to hear",
            code: "payment_unknown"
        ),
        .paid
    )

    /// The request is over, and nobody has agreed to a price.
    static let noQuote = unavailable(
        "there was no quote in time; it is given up",
        "provider_unavailable"
    )

    /// The job is done, and there is nothing to show.
    static let notKept = Refusal(
        410,
        ChatError(
            .server,
            "the answer was delivered and is no longer kept",
            code: "result_expired"
        ),
        .paid
    )

    static let notText = Refusal(
        502,
        ChatError(.server, "paid; the answer is not text", code: "not_text"),
        .paid
    )

    /// The bridge's words; it never quotes a peer.
    private static func words(_ failure: BusFailure) -> String {
        failure.detail.isEmpty ? failure.code : failure.detail
    }
}
