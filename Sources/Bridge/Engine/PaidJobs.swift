import Journal
import LightningTypes
import Synchronization

/// The jobs that money moves for, for those who must know without asking the engine.
///
/// As many as are open and paid; the engine's limit on open jobs is its bound.
final class PaidJobs: Sendable {
    private let keys = Mutex<Set<JobKey>>([])

    func set(_ key: JobKey, _ isPaid: Bool) {
        keys.withLock { keys in
            if isPaid { keys.insert(key) } else { keys.remove(key) }
        }
    }

    /// Whether a peer's message with this job_id may be for a paid job.
    ///
    /// A requester that asked under a second job_id is found by its first one alone: its messages
    /// are then taken within the peer's rate.
    func contains(peer: NodeID, jobID: Bytes32) -> Bool {
        keys.withLock { keys in
            keys.contains(JobKey(role: .provider, peer: peer, id: jobID))
                || keys.contains(JobKey(role: .requester, peer: peer, id: jobID))
        }
    }
}
