import GRPCCore
import Synchronization

/// The connection calls are made on, and the calls that wait for one.
final class ReadyPool: Sendable {
    typealias Ready = (connection: Connection, peers: Connection.Peers)
    private typealias Waiter = (continuation: CheckedContinuation<Ready, any Error>, patient: Bool)

    private struct State {
        var hasBegun = false
        var isStopped = false
        var current: Ready?
        var failure: GRPCTransportError?
        var waiters: [UInt64: Waiter] = [:]
        var lastWaiter: UInt64 = 0
        var openCalls = 0
        var connections: [ObjectIdentifier: Connection] = [:]
    }

    private let state = Mutex(State())

    /// Fulfilled when the pool was stopped and no call is open.
    let drained = OneShot<Void>()

    // MARK: - The owner's side

    /// False when it was begun or stopped before.
    func begin() -> Bool {
        state.withLock { state in
            guard !state.hasBegun, !state.isStopped else { return false }
            state.hasBegun = true
            return true
        }
    }

    /// An attempt has begun: calls wait for its outcome.
    func connecting() {
        state.withLock { state in
            state.current = nil
            state.failure = nil
        }
    }

    /// A connection is ready: waiting calls go there.
    func ready(_ connection: Connection, _ peers: Connection.Peers) {
        let waiters = state.withLock { state -> [Waiter] in
            // Those that are draining keep their calls until they are closed.
            state.connections = state.connections.filter { $0.value.closed.current == nil }
            state.connections[ObjectIdentifier(connection)] = connection
            guard !state.isStopped else { return [] }
            state.current = (connection, peers)
            defer { state.waiters = [:] }
            state.openCalls += state.waiters.count
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.continuation.resume(returning: (connection, peers)) }
    }

    /// There is no connection for a while: calls that don't want to wait fail.
    func failed(_ failure: GRPCTransportError) {
        let impatient = state.withLock { state -> [Waiter] in
            state.current = nil
            state.failure = failure
            let impatient = state.waiters.filter { !$0.value.patient }
            for number in impatient.keys { state.waiters[number] = nil }
            return Array(impatient.values)
        }
        for waiter in impatient { waiter.continuation.resume(throwing: failure.rpcError()) }
    }

    /// No new calls; those that wait for a connection fail.
    func stop() {
        let (waiters, isDrained) = state.withLock { state in
            state.isStopped = true
            defer { state.waiters = [:] }
            return (Array(state.waiters.values), state.openCalls == 0)
        }
        for waiter in waiters { waiter.continuation.resume(throwing: Self.stopped) }
        if isDrained { drained.fulfil(()) }
    }

    /// Ends all connections and the calls on them.
    func abort(_ reason: GRPCTransportError) {
        for connection in state.withLock({ $0.connections.values.map { $0 } }) {
            connection.submit(.close(reason))
        }
        drained.fulfil(())
    }

    /// Says goodbye on all connections and waits until they are closed.
    func closeAll() async {
        for connection in state.withLock({ $0.connections.values.map { $0 } }) {
            connection.submit(.drain)
            _ = await connection.closed.value
        }
    }

    // MARK: - The calls' side

    /// A connection to make a call on; each must be paired with ``callEnded()``.
    ///
    /// - Parameters:
    ///   - waitForReady: Whether to wait through failures.
    ///   - limit: How many calls may wait.
    ///   - deadline: How long to wait, and the loop that keeps it.
    /// - Returns: A connection that is ready, and who is connected by it.
    /// - Throws: `unavailable` between attempts, `failedPrecondition` after the end, `cancelled`,
    ///   `deadlineExceeded`, `resourceExhausted` when too many wait.
    func connection(
        waitForReady: Bool,
        limit: Int,
        deadline: (instant: ContinuousClock.Instant, loop: EventLoop)?
    ) async throws -> Ready {
        let (ready, number) = try state.withLock { state in
            try Self.admit(&state, waitForReady, limit)
        }
        if let ready { return ready }
        let timer = deadline.map { deadline in
            deadline.loop.schedule(after: ContinuousClock.now.duration(to: deadline.instant)) {
                self.giveUp(number, .deadlineExceeded)
            }
        }
        defer { if let deadline, let timer { deadline.loop.cancel(timer) } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome = state.withLock { state -> Result<Ready, any Error>? in
                    do {
                        let (ready, _) = try Self.admit(&state, waitForReady, limit)
                        if let ready { return .success(ready) }
                    } catch {
                        return .failure(error)
                    }
                    if Task.isCancelled { return .failure(RPCError.cancelled) }
                    // A timer that came before finds no waiter; this finds that it came.
                    if let deadline, deadline.instant <= .now {
                        return .failure(RPCError.deadlineExceeded)
                    }
                    state.waiters[number] = (continuation, waitForReady)
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            giveUp(number, .cancelled)
        }
    }

    private func giveUp(_ number: UInt64, _ error: RPCError) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: number) }
        waiter?.continuation.resume(throwing: error)
    }

    /// A call is over.
    func callEnded() {
        let isDrained = state.withLock { state in
            state.openCalls -= 1
            return state.isStopped && state.openCalls == 0
        }
        if isDrained { drained.fulfil(()) }
    }

    /// The ready connection, if any; otherwise a number to wait under.
    private static func admit(
        _ state: inout State,
        _ waitForReady: Bool,
        _ limit: Int
    ) throws -> (Ready?, UInt64) {
        guard !state.isStopped else { throw stopped }
        if let current = state.current, current.connection.unusable.current == nil {
            state.openCalls += 1
            return (current, 0)
        }
        if let failure = state.failure, !waitForReady { throw failure.rpcError() }
        guard state.waiters.count < limit else {
            let error = GRPCTransportError(
                .resourcesExhausted,
                "\(limit) calls wait for a connection already"
            )
            throw error.rpcError(.resourceExhausted)
        }
        state.lastWaiter += 1
        return (nil, state.lastWaiter)
    }

    private static let stopped = RPCError(
        code: .failedPrecondition,
        message: "the transport has been shut down"
    )
}
