package import BridgeProtocol
import SwiftProtobuf

/// Why a handler could not do its work, in words that may leave the process.
///
/// The bridge hears all of it and may tell the operator: no prompt, no output, no invoice.
package struct WorkFailure: Error, Equatable, Sendable {
    /// A short stable label: `backend-unavailable`.
    package var code: String
    /// What happened, in one sentence without a full stop.
    package var detail: String
    /// What to do about it; may be empty.
    package var advice: String
    /// Whether another attempt may succeed.
    package var isRetryable: Bool

    /// Makes a failure.
    package init(_ code: String, _ detail: String, advice: String = "", isRetryable: Bool) {
        self.code = code
        self.detail = detail
        self.advice = advice
        self.isRetryable = isRetryable
    }

    /// What the bridge hears of an error that a handler threw.
    ///
    /// The text of a foreign error may quote what it choked on, so only its type is told.
    package init(_ error: any Error) {
        self =
            error as? WorkFailure
            ?? WorkFailure(
                "handler-failed",
                "the handler threw \(type(of: error))",
                advice: "Report this with the version of the worker.",
                isRetryable: true
            )
    }

    /// The same on the bus.
    package var message: BusFailure {
        BusFailure.with {
            $0.code = code
            $0.detail = detail
            $0.advice = advice
            $0.retryable = isRetryable
        }
    }
}

extension WorkFailure: CustomStringConvertible {
    /// Code and detail.
    package var description: String { "\(code): \(detail)" }
}
