package import OpenAIChat

/// An answer that is no completion: what went wrong, and whether trying again can help.
///
/// Money decides about the second: before a payment may have left, whatever may pass by itself is worth
/// another try; from then on nothing is, because the answer can only be waited for, not bought again.
package struct Refusal: Error, Equatable, Sendable {
    /// What the client may do about it.
    package enum Retry: Equatable, Sendable {
        /// The same request would be refused again.
        case useless
        /// The same request may succeed after so many seconds.
        case after(seconds: Int)
        /// A payment may have left. The same request, marked as a repetition, waits for its answer.
        case paid
    }

    /// The HTTP status.
    package var status: Int
    /// The body.
    package var error: ChatError
    /// What the client may do about it.
    package var retry: Retry

    /// Takes all of it.
    package init(_ status: Int, _ error: ChatError, _ retry: Retry = .useless) {
        self.status = status
        self.error = error
        self.retry = retry
    }
}

// The refusals that have nothing to do with a job that exists.
extension Refusal {
    /// A request that can't be served as it is.
    package static func invalid(_ error: ChatError) -> Refusal { Refusal(400, error) }

    static let unauthorized = Refusal(
        401,
        ChatError(
            .authentication,
            "this gateway wants a key of its own: Authorization: Bearer lcp-…",
            code: "invalid_api_key"
        )
    )

    static let foreignOrigin = Refusal(
        403,
        ChatError(
            .permission,
            "web pages of this origin may not use the gateway; its operator can let them in",
            param: "Origin",
            code: "origin_not_allowed"
        )
    )

    static let foreignHost = Refusal(
        403,
        ChatError(
            .permission,
            "a gateway without keys is called by a name of this machine: localhost or 127.0.0.1",
            param: "Host",
            code: "host_not_allowed"
        )
    )

    static func tooManyRequests(after seconds: Int) -> Refusal {
        Refusal(
            429,
            ChatError(
                .rateLimit,
                "too many requests; try again in \(seconds) seconds",
                code: "rate_limit_exceeded"
            ),
            .after(seconds: seconds)
        )
    }

    static func budget(_ message: String) -> Refusal {
        Refusal(402, ChatError(.insufficientQuota, message, code: "insufficient_quota"))
    }

    static func unknownModel(_ model: String) -> Refusal {
        Refusal(
            404,
            ChatError(
                .invalidRequest,
                "no provider offers the model \(model.prefix(100)); see /v1/models",
                param: "model",
                code: "model_not_found"
            )
        )
    }

    static func providerAway(_ model: String) -> Refusal {
        .unavailable("no provider of \(model.prefix(100)) is connected", "provider_unavailable")
    }

    /// Something is not there now, and nothing was paid.
    static func unavailable(_ message: String, _ code: String, seconds: Int = 2) -> Refusal {
        Refusal(503, ChatError(.server, message, code: code), .after(seconds: seconds))
    }

    static let overloaded = unavailable("too many jobs are under way", "overloaded", seconds: 1)

    static let stopping = unavailable("the gateway is being stopped", "gateway_stopping")

    static let bodyOfAnother = Refusal(
        422,
        ChatError(
            .invalidRequest,
            "this Idempotency-Key belongs to another request",
            code: "idempotency_key_reused"
        )
    )

    static let notFound = Refusal(
        404,
        ChatError(.invalidRequest, "there is nothing at this path", code: "unknown_url")
    )

    static func method(_ allowed: String) -> Refusal {
        Refusal(
            405,
            ChatError(
                .invalidRequest,
                "this path takes \(allowed) alone",
                code: "method_not_allowed"
            )
        )
    }

    static func tooLarge(_ limit: Int) -> Refusal {
        Refusal(
            413,
            ChatError(
                .invalidRequest,
                "a request has at most \(limit) bytes",
                code: "request_too_large"
            )
        )
    }

    static let tooSlow = Refusal(
        408,
        ChatError(.invalidRequest, "the request came too slowly", code: "request_timeout")
    )

    static let headTooLarge = Refusal(
        431,
        ChatError(
            .invalidRequest,
            "the headers of a request are too large",
            code: "request_headers_too_large"
        )
    )

    static let malformed = Refusal(
        400,
        ChatError(.invalidRequest, "this is no request of HTTP/1.1", code: "malformed_request")
    )

    static func tooLong(bytes: Int, limit: Int) -> Refusal {
        .invalid(
            ChatError(
                .invalidRequest,
                "the conversation has \(bytes) bytes as one prompt; the provider takes \(limit)",
                param: "messages",
                code: "context_length_exceeded"
            )
        )
    }

    static let defect = Refusal(
        500,
        ChatError(.server, "the gateway could not do this", code: "internal_error"),
        .useless
    )
}
