package import BridgeProtocol
import LightningTypes

/// What clients know of the jobs they bought.
package struct AuditedJobs: Sendable {
    /// Jobs whose answer arrived, and was the right one.
    package var answered: Set<BusJobKey> = []
    /// Jobs whose client wanted no answer any more: they may be paid or not, answered or not, and
    /// stay unresolved for as long as their invoice lives.
    package var doubtful: Set<BusJobKey> = []

    /// Knows no job.
    package init() {}
}

extension BusJobKey {
    /// Its role and id, for people.
    package var name: String { "\(role) job \(Hex.encode(jobID))" }
}

extension BusJobStage {
    /// Whether nothing more happens by itself.
    package var isEnd: Bool {
        switch self {
        case .done, .failed, .cancelled, .unanswered, .paidFailed: true
        case .unspecified, .quoting, .quoted, .paying, .running, .UNRECOGNIZED: false
        }
    }
}
