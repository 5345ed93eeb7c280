import BridgeProtocol
import LightningTypes
import Logging
import SwiftProtobuf

extension WorkItem {
    /// Tells the operator and the bridge that an attempt failed.
    ///
    /// - Parameters:
    ///   - error: What the handler threw; of a foreign error only the type is told.
    ///   - logger: Gets the job, the attempt and the code.
    /// - Returns: The reply.
    func failed(_ error: any Error, _ logger: Logger) -> BusWorkerReply.OneOf_Body {
        let failure = WorkFailure(error)
        logger.warning(
            "an item failed",
            metadata: [
                "bus.attempt": "\(attempt)",
                "lcp.failure": "\(failure)",
                "lcp.job": "\(Hex.encode(job.jobID))",
            ]
        )
        return .failed(
            .with {
                $0.lease = lease
                $0.failure = failure.message
            }
        )
    }
}

extension WorkFailure {
    /// The session lets no item of another role through.
    static let wrongItem = WorkFailure(
        "wrong-item",
        "an item of another role",
        isRetryable: true
    )
}
