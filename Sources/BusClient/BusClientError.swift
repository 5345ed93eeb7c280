package import BridgeProtocol
import ZeroMQ

/// Why the bridge did not do what a client asked for.
package struct BusClientError: Error, Equatable, Sendable {
    /// What to branch on.
    package enum Code: String, Sendable {
        /// Nobody serves the bus directory.
        case noBridge
        /// The file system keeps this user from the endpoint.
        case notAllowed
        /// A bridge has taken the request and has not answered in time.
        case timedOut
        /// The bridge answered that it will not or cannot; see ``BusClientError/failure``.
        case refused
        /// The answer is not one to what was asked.
        case unexpectedAnswer
        /// Too many requests are under way from this client.
        case tooManyRequests
        /// The bus directory can't be used.
        case unusableDirectory
        /// The client has been shut down.
        case closed
    }

    /// What to branch on.
    package var code: Code
    /// What happened, naming the endpoint or the job; never a prompt, an output or a key.
    package var detail: String
    /// What the bridge said, when it refused.
    package var failure: BusFailure?

    init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// What the bridge refused, in its own words.
    package init(_ failure: BusFailure) {
        self.init(.refused, failure.detail.isEmpty ? failure.code : failure.detail)
        self.failure = failure
    }

    init(_ error: ZeroMQError) {
        self.init(error.code == .closed ? .closed : .unusableDirectory, error.detail)
    }
}

extension BusClientError: CustomStringConvertible {
    /// Code, detail and advice in one line.
    package var description: String { "\(label): \(detail). \(advice)" }

    /// The code as a stable label: the bridge's own when it refused, `no-bridge` and the like else.
    package var label: String {
        switch code {
        case .noBridge: "no-bridge"
        case .notAllowed: "not-allowed"
        case .timedOut: "timed-out"
        case .refused: failure?.code ?? "refused"
        case .unexpectedAnswer: "unexpected-answer"
        case .tooManyRequests: "too-many-requests"
        case .unusableDirectory: "unusable-directory"
        case .closed: "closed"
        }
    }

    /// The next step for the person reading this.
    package var advice: String {
        switch code {
        case .noBridge: "Start lcp-bridge, or give the directory it was started with (--bus-dir)."
        case .notAllowed: "Ask for membership in the group that owns the endpoint's directory."
        case .timedOut:
            "Look at the bridge's log; whatever was asked for may still happen, and asking again "
                + "is safe."
        case .refused: failure?.advice ?? ""
        case .unexpectedAnswer: "Let the client and lcp-bridge be of the same version."
        case .tooManyRequests: "Wait for answers before asking for more."
        case .unusableDirectory: "Choose another bus directory, with a short path."
        case .closed: "Nothing to do: the client is shutting down."
        }
    }
}
