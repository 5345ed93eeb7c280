import WorkerKit

/// Why a call of an OpenAI-compatible server gave no answer.
///
/// The operator's log gets it; the peer gets ``outcome``, which says nothing of the server.
struct CallFailure: Error, Equatable, Sendable {
    /// What kind of failure it is.
    enum Kind: String, Sendable {
        /// No connection, or one that ended before the request was on it.
        case unreachable
        /// The server wants to be asked later: 429, or 503 with a time.
        case busy
        /// The server does not accept us: its key, its model, its address.
        case misconfigured
        /// The server does not accept the request.
        case rejected
        /// The server failed, or said what is no answer.
        case failed
        /// The server was silent for too long, or took too long altogether.
        case timeout
        /// The server said more than is read.
        case tooLong = "too-long"
    }

    var kind: Kind
    /// What happened, with nothing of prompt, answer or key.
    var detail: String
    /// The status code; nil without a response.
    var status: UInt?
    /// The error's `type` and `code`, as far as they are labels.
    var type: String?
    var code: String?
    /// What the server calls the request.
    var requestID: String?
    /// How long the server asks to be left alone.
    var retryAfter: Duration?

    init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }

    /// Whether the call may be made again: only where it can't have been billed.
    ///
    /// `unreachable` is a request whose body was never handed to a connection. `busy` is a response
    /// that refuses the request before any of the answer; RFC 6585 §4 and RFC 9110 §15.6.4 have
    /// these codes for servers that did nothing yet. Whatever else fails may have been computed, and
    /// asking again would pay for it twice. `misconfigured` is free as well, but stays wrong here.
    var isWorthAnotherCall: Bool { kind == .unreachable || kind == .busy }

    /// What the bridge is told.
    var outcome: WorkFailure {
        let (code, isRetryable) =
            switch kind {
            case .unreachable: ("backend-unavailable", true)
            case .busy: ("backend-busy", true)
            // Another worker may have another key; the bridge avoids one that goes on failing.
            case .misconfigured: ("backend-misconfigured", true)
            case .rejected: ("backend-refused", false)
            case .failed: ("backend-failed", false)
            case .timeout: ("backend-timeout", false)
            case .tooLong: ("output-limit", false)
            }
        return WorkFailure(
            code,
            "the backend did not deliver a result",
            advice: "See the compute worker's log.",
            isRetryable: isRetryable
        )
    }
}
