import Journal
import LightningTypes
import Synchronization

/// The jobs that money moves for, for those who must know without asking the engine.
///
/// As many as are open and paid, with the few job_ids of each; the engine's limit on open jobs is its
/// bound.
final class PaidJobs: Sendable {
    private let names = Mutex<Set<JobKey>>([])

    /// Notes whether money moves for a job.
    ///
    /// - Parameters:
    ///   - key: The job.
    ///   - wireIDs: The job_ids under which a requester has asked for it.
    ///   - isPaid: Whether money moves for it.
    func set(_ key: JobKey, wireIDs: Set<Bytes32>, _ isPaid: Bool) {
        let named = wireIDs.map { JobKey(role: key.role, peer: key.peer, id: $0) } + [key]
        names.withLock { names in
            if isPaid { names.formUnion(named) } else { names.subtract(named) }
        }
    }

    /// Whether a peer's message with this job_id may be for a paid job.
    ///
    /// After a restart a requester that has asked again is found by its first job_id alone: its
    /// messages are then taken within the peer's rate.
    func contains(peer: NodeID, jobID: Bytes32) -> Bool {
        names.withLock { names in
            names.contains(JobKey(role: .provider, peer: peer, id: jobID))
                || names.contains(JobKey(role: .requester, peer: peer, id: jobID))
        }
    }
}
