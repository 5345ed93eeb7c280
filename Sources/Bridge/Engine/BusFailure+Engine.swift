import BridgeProtocol
import Journal
import SwiftProtobuf

extension BusFailure {
    /// A failure with an advice.
    static func of(_ code: String, _ detail: String, advice: String = "") -> BusFailure {
        .with {
            $0.code = code
            $0.detail = detail
            $0.advice = advice
        }
    }

    static let unknownJob = of(
        "unknown-job",
        "the journal has no such job",
        advice: "Check the job id with: lcp jobs"
    )
    static let notARequesterJob = of(
        "not-a-requester-job",
        "only jobs that this node buys can be accepted or cancelled"
    )
    static let tooManyJobs = of(
        "too-many-jobs",
        "this node has as many open jobs as it takes",
        advice: "Wait until some have ended: lcp jobs"
    )
}

extension BusFailure {
    /// What the client is told of a payment that the transaction refused.
    static func refusal(_ error: JournalError) -> BusFailure {
        BusFailure(refusing: error) ?? of("not-committed", error.detail, advice: error.advice)
    }

    /// What a client is told when the journal could not be written.
    static func journal(_ error: JournalError) -> BusFailure {
        var failure = of("journal-\(error.code.rawValue)", error.detail, advice: error.advice)
        failure.retryable = [.overloaded, .diskFull].contains(error.code)
        return failure
    }
}
