package import LightningTypes
import Synchronization

extension Journal {
    /// Commits one step of one job: new state, effects, times, contents and facts, or none of them.
    ///
    /// Returns once the step is on disk; steps that arrive while the disk flushes share the next
    /// flush. Not cancellable once called. Safe to repeat: the second attempt throws
    /// `staleVersion`.
    ///
    /// - Parameter step: The worker's reply with what the bridge adds. Its state is at most 1 MiB.
    /// - Returns: The job's new version, and its effects without those that were done before.
    /// - Throws: ``JournalError``. After any code the journal is as it was before the call.
    @discardableResult
    package func commit(_ step: Step) async throws(JournalError) -> Committed {
        let result: Result<Committed, JournalError> = await withCheckedContinuation {
            continuation in
            commit(step) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Records what happened to a job, without a step: its version stays.
    ///
    /// - Parameters:
    ///   - facts: What happened, in order; all of it is committed, or none.
    ///   - job: The job; nil for facts that need none (`received`).
    ///   - at: The time, by the bridge's clock.
    /// - Throws: ``JournalError``. After any code the journal is as it was before the call.
    package func record(
        _ facts: [Fact],
        for job: JobKey?,
        at: UnixTime
    ) async throws(JournalError) {
        let result: Result<Void, JournalError> = await withCheckedContinuation { continuation in
            record(facts, for: job, at: at) { continuation.resume(returning: $0) }
        }
        try result.get()
    }

    /// Commits a step like ``commit(_:)``, in the order of the calls.
    ///
    /// A second step of a job may follow before the first is on disk: they are written in order,
    /// and when the first fails the second is stale.
    ///
    /// - Parameters:
    ///   - step: The step.
    ///   - done: Called once, on any thread; it must not block.
    package func commit(
        _ step: Step,
        done: @escaping @Sendable (Result<Committed, JournalError>) -> Void
    ) {
        do {
            try Self.check(step)
        } catch {
            return done(.failure(error))
        }
        // Before anybody can hear that they are there.
        if step.version == 0 { knownJobs.withLock { $0?.insert(step.job) } }
        if let client = step.client { knownClientKeys.withLock { $0?.insert(client.name) } }
        writer.write(
            size: step.size,
            { [isRestored] in try JobWriter.apply(step, on: $0, isRestored: isRestored) },
            done: done
        )
    }

    /// Records facts like ``record(_:for:at:)``, in the order of the calls.
    ///
    /// - Parameters:
    ///   - facts: What happened, in order; all of it is committed, or none.
    ///   - job: The job; nil for facts that need none (`received`).
    ///   - at: The time, by the bridge's clock.
    ///   - done: Called once, on any thread; it must not block.
    package func record(
        _ facts: [Fact],
        for job: JobKey?,
        at: UnixTime,
        done: @escaping @Sendable (Result<Void, JournalError>) -> Void
    ) {
        let size = facts.reduce(512) { $0 + $1.size }
        writer.write(
            size: size,
            { [isRestored] database in
                var writer = try JobWriter(job, at: at, on: database, isRestored: isRestored)
                for fact in facts { try writer.apply(fact) }
            },
            done: done
        )
    }

    private static func check(_ step: Step) throws(JournalError) {
        guard step.state.count <= Limits.stateBytes else {
            throw JournalError(
                .invalidStep,
                "\(step.job): a state of \(step.state.count) bytes, above \(Limits.stateBytes)"
            )
        }
        guard step.effects.count <= Limits.effects,
            Set(step.effects.map(\.id)).count == step.effects.count
        else {
            throw JournalError(
                .invalidStep,
                "\(step.job): two effects of one id, or more than \(Limits.effects)"
            )
        }
    }

    /// What one step may hold.
    package enum Limits {
        /// The largest state, in bytes.
        package static let stateBytes = 1 << 20
        /// The largest number of outstanding effects.
        package static let effects = 256
    }
}
