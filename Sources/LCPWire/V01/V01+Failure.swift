extension V01 {
    /// `lcp_error`: why a job will not go on (LCP v0.1 §5.6).
    ///
    /// Called a failure in code, where `Error` is Swift's. The envelope (§4.1) travels beside the
    /// body.
    package struct Failure: Equatable, Sendable {
        /// What went wrong.
        package var code: ErrorCode
        /// The same for people; nil when the sender doesn't say.
        package var message: String?

        /// Makes a failure.
        package init(code: ErrorCode, message: String?) {
            self.code = code
            self.message = message
        }

        /// The table of `lcp_error`.
        package static let codec = MessageCodec<Failure>(
            { Failure(code: ErrorCode(rawValue: $0), message: $1) },
            // LCP v0.1 §5.6 [error-code-required]
            TLV.required(80, "code", \.code.rawValue, .nonZeroU16),
            TLV.optional(81, "message", \.message, .utf8)
        )
    }

    /// The code of an `lcp_error`; unknown ones are accepted, 0 is not a code
    /// (LCP v0.1 §5.6 [error-codes-open]).
    package struct ErrorCode: RawRepresentable, Hashable, Sendable {
        /// The number on the wire.
        package let rawValue: UInt16

        /// Takes the number on the wire.
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// The peer does not speak this protocol version.
        package static let unsupportedVersion = ErrorCode(rawValue: 1)
        /// The provider does not offer this task.
        package static let unsupportedTask = ErrorCode(rawValue: 2)
        /// The quote's time is over.
        package static let quoteExpired = ErrorCode(rawValue: 3)
        /// The job has not been paid.
        package static let paymentRequired = ErrorCode(rawValue: 4)
        /// The payment does not fit the job.
        package static let paymentInvalid = ErrorCode(rawValue: 5)
        /// The answer would not fit the peer's `max_payload_bytes`.
        package static let payloadTooLarge = ErrorCode(rawValue: 6)
        /// The peer asks too often.
        package static let rateLimited = ErrorCode(rawValue: 7)
        /// The params hold records the provider does not know.
        package static let unsupportedParams = ErrorCode(rawValue: 8)

        /// The specification's name; nil for a code it does not list.
        package var name: String? {
            switch self {
            case .unsupportedVersion: "unsupported_version"
            case .unsupportedTask: "unsupported_task"
            case .quoteExpired: "quote_expired"
            case .paymentRequired: "payment_required"
            case .paymentInvalid: "payment_invalid"
            case .payloadTooLarge: "payload_too_large"
            case .rateLimited: "rate_limited"
            case .unsupportedParams: "unsupported_params"
            default: nil
            }
        }
    }
}
