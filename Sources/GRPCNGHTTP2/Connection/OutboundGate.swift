import GRPCCore
import Synchronization

/// Makes a writer wait while too much of what it wrote is still unsent.
final class OutboundGate: Sendable {
    private struct State {
        var unsentBytes = 0
        var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
        var lastWaiter: UInt64 = 0
        var closed: RPCError?
    }

    private let mark: Int
    private let state = Mutex(State())

    /// - Parameter mark: Unsent bytes from which on writers wait.
    init(mark: Int) { self.mark = mark }

    /// Waits for room and takes it.
    ///
    /// One message may pass the mark, so that large ones go through.
    ///
    /// - Throws: The error the call ended with, or `cancelled`; then nothing may be sent.
    func enter(_ bytes: Int) async throws {
        while true {
            let mayPass = try state.withLock { state in
                if let error = state.closed { throw error }
                guard state.unsentBytes < mark else { return false }
                state.unsentBytes += bytes
                return true
            }
            if mayPass { return }
            try await waitForRoom()
        }
    }

    private func waitForRoom() async throws {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation {
                (continuation: CheckedContinuation<Void, any Error>) in
                // As in `InboundChannel.next`: the cancellation is seen here or finds the waiter.
                let outcome = state.withLock { state -> Result<Void, any Error>? in
                    if let error = state.closed { return .failure(error) }
                    if state.unsentBytes < mark { return .success(()) }
                    if Task.isCancelled { return .failure(RPCError.cancelled) }
                    state.waiters[number] = continuation
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?
                .resume(throwing: RPCError.cancelled)
        }
    }

    /// Gives room back, as bytes go out.
    func leave(_ bytes: Int) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, any Error>] in
            state.unsentBytes -= bytes
            // Half of the mark: a writer that was stopped gets room for more than one message.
            guard state.unsentBytes <= mark / 2, !state.waiters.isEmpty else { return [] }
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Refuses all writers from now on; the first error counts.
    func close(_ error: RPCError) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, any Error>] in
            guard state.closed == nil else { return [] }
            state.closed = error
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume(throwing: error) }
    }

    /// The error the call ended with, if it has.
    var closedError: RPCError? { state.withLock { $0.closed } }
}
