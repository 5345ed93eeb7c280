package import BridgeProtocol
import Synchronization

/// The states of watched jobs, as they change; ends only by throwing.
///
/// Holds the newest state of each job that has not been read yet, at most 4,096 of them.
package final class JobStates: AsyncSequence, AsyncIteratorProtocol, Sendable {
    /// One state of one job.
    package typealias Element = BusJob

    private struct State {
        /// Jobs with a state nobody has read, oldest first.
        var order: [BusJobKey] = []
        var newest: [BusJobKey: BusJob] = [:]
        /// What was handed out last, so that a repetition is not.
        var seen: [BusJobKey: BusJob] = [:]
        var failure: BusClientError?
        var reader: CheckedContinuation<BusJob, any Error>?
    }

    private static let limit = 4_096
    private let state = Mutex(State())

    /// Which jobs are watched; empty for all.
    let jobs: [BusJobKey]

    init(_ jobs: [BusJobKey]) { self.jobs = jobs }

    /// The sequence is its own iterator.
    package func makeAsyncIterator() -> JobStates { self }

    /// Waits for the next state that differs from what was read before.
    ///
    /// - Returns: The state; never nil.
    /// - Throws: ``BusClientError`` when the bridge refuses the watch; `CancellationError`.
    package func next() async throws -> BusJob? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<BusJob, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if let job = Self.take(from: &state) { return .success(job) }
                    if let failure = state.failure { return .failure(failure) }
                    state.reader = continuation
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            takeReader()?.resume(throwing: CancellationError())
        }
    }

    /// Takes a state in; an older one than is known is dropped.
    func put(_ job: BusJob) {
        let delivery = state.withLock {
            state -> (CheckedContinuation<BusJob, any Error>, BusJob)? in
            if let known = state.newest[job.key] ?? state.seen[job.key],
                known == job || known.version > job.version
            {
                return nil
            }
            if state.newest.updateValue(job, forKey: job.key) == nil { state.order.append(job.key) }
            if state.order.count > Self.limit { state.newest[state.order.removeFirst()] = nil }
            guard let reader = state.reader, let job = Self.take(from: &state) else { return nil }
            state.reader = nil
            return (reader, job)
        }
        delivery?.0.resume(returning: delivery?.1 ?? job)
    }

    /// Ends the sequence after what it holds.
    func fail(_ error: BusClientError) {
        state.withLock { $0.failure = error }
        takeReader()?.resume(throwing: error)
    }

    private func takeReader() -> CheckedContinuation<BusJob, any Error>? {
        state.withLock { state in
            defer { state.reader = nil }
            return state.reader
        }
    }

    private static func take(from state: inout State) -> BusJob? {
        guard let key = state.order.first, let job = state.newest.removeValue(forKey: key) else {
            return nil
        }
        state.order.removeFirst()
        // Forgetting what was seen may repeat a state, which readers must take anyway.
        if state.seen.count >= limit { state.seen.removeAll(keepingCapacity: true) }
        state.seen[key] = job
        return job
    }
}
