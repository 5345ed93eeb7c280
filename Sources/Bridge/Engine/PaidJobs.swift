import Journal
import LightningTypes
import Synchronization

/// The jobs that money moves for, for those who must know without asking the engine.
///
/// As many as are open and paid, with the few job_ids of each; the engine's limit on open jobs is its
/// bound.
final class PaidJobs: Sendable {
    private struct State {
        /// Each paid job under each of its job_ids.
        var names: Set<JobKey> = []
        /// The job_ids besides its first one that a job was named with: once it was read again, the
        /// engine does not know them.
        var others: [JobKey: Set<JobKey>] = [:]
    }

    private let state = Mutex(State())

    /// Notes whether money moves for a job.
    ///
    /// - Parameters:
    ///   - key: The job.
    ///   - wireIDs: The job_ids under which a requester has asked for it.
    ///   - isPaid: Whether money moves for it.
    func set(_ key: JobKey, wireIDs: Set<Bytes32>, _ isPaid: Bool) {
        let others = Set(wireIDs.map { JobKey(role: key.role, peer: key.peer, id: $0) })
            .subtracting([key])
        state.withLock { state in
            if isPaid {
                state.names.insert(key)
                guard !others.isEmpty else { return }
                state.names.formUnion(others)
                state.others[key, default: []].formUnion(others)
            } else {
                state.names.remove(key)
                state.names.subtract(state.others.removeValue(forKey: key) ?? [])
            }
        }
    }

    /// Whether a peer's message with this job_id may be for a paid job.
    ///
    /// After a restart a requester that has asked again is found by its first job_id alone: its
    /// messages are then taken within the peer's rate.
    func contains(peer: NodeID, jobID: Bytes32) -> Bool {
        state.withLock { state in
            state.names.contains(JobKey(role: .provider, peer: peer, id: jobID))
                || state.names.contains(JobKey(role: .requester, peer: peer, id: jobID))
        }
    }
}
