import GRPCCore
import Synchronization

/// The connections and handlers of a server, and how they come to their end.
final class Population: Sendable {
    /// Makes the work of a call.
    typealias Answer = @Sendable (Call, Connection.Peers) -> @Sendable () async -> Void

    private struct State {
        var isStopped = false
        var isAborted = false
        var connections: [ObjectIdentifier: Connection] = [:]
        var handlers: [ObjectIdentifier: Task<Void, Never>] = [:]
    }

    private let state = Mutex(State())
    private let runsHandlersOnLoop: Bool

    init(runsHandlersOnLoop: Bool) { self.runsHandlersOnLoop = runsHandlersOnLoop }

    /// Fulfilled when no new connection is wanted.
    let stopping = OneShot<Void>()

    /// Fulfilled when, after that, no connection is left.
    private let empty = OneShot<Void>()

    private static let shutDown = GRPCTransportError(.shutDown, "the server was shut down")

    /// Takes an accepted connection in, or closes it when there are too many.
    func admit(
        _ socket: consuming Socket,
        _ settings: ConnectionSettings,
        limit: Int,
        _ answer: @escaping Answer
    ) {
        let address = socket.peerAddress ?? .unix("")
        // A connection that can't be made is closed by its socket; its client will try again.
        guard let loop = try? LoopPool.next(),
            let connection = try? Connection(
                socket,
                address,
                settings: settings,
                loop: loop,
                onRequest: { call, metadata in self.handle(call, metadata, answer) }
            )
        else { return }
        let isWelcome = state.withLock { state in
            guard !state.isStopped, state.connections.count < limit else { return false }
            state.connections[ObjectIdentifier(connection)] = connection
            return true
        }
        guard isWelcome else { return connection.submit(.close(Self.shutDown)) }
        connection.closed.whenFulfilled { _ in self.left(ObjectIdentifier(connection)) }
        connection.submit(.start)
    }

    private func left(_ connection: ObjectIdentifier) {
        let isEmpty = state.withLock { state in
            state.connections[connection] = nil
            return state.isStopped && state.connections.isEmpty
        }
        if isEmpty { empty.fulfil(()) }
    }

    /// Starts the handler of a call, on the connection's loop.
    private func handle(_ call: Call, _ metadata: Metadata, _ answer: @escaping Answer) {
        _ = call.inbound.push(.metadata(metadata))
        let peers = call.connection.assumeIsolated { $0.peers }
        let work = answer(call, peers)
        let executor = runsHandlersOnLoop ? call.connection.loop : nil
        let id = ObjectIdentifier(call)
        state.withLock { state in
            // Owned here: awaited, and when the server is aborted cancelled, before `listen` ends.
            state.handlers[id] = Task(executorPreference: executor) {
                await work()
                self.returned(id)
            }
            if state.isAborted { state.handlers[id]?.cancel() }
        }
    }

    private func returned(_ handler: ObjectIdentifier) {
        state.withLock { $0.handlers[handler] = nil }
    }

    // MARK: - The end

    /// No new connections; those that are there end with their calls.
    func stop() {
        let connections = state.withLock { state -> [Connection] in
            guard !state.isStopped else { return [] }
            state.isStopped = true
            return Array(state.connections.values)
        }
        for connection in connections { connection.submit(.drain) }
        stopping.fulfil(())
        if state.withLock({ $0.connections.isEmpty }) { empty.fulfil(()) }
    }

    /// Waits until all connections are closed, and closes what is left after the grace.
    func gone(after grace: Duration) async {
        let loop = try? LoopPool.next()
        let timer = loop?.schedule(after: grace) { self.closeAll() }
        await empty.value
        if let timer { loop?.cancel(timer) }
    }

    /// Ends everything at once.
    func abort() {
        stop()
        let handlers = state.withLock { state in
            state.isAborted = true
            return Array(state.handlers.values)
        }
        closeAll()
        for handler in handlers { handler.cancel() }
    }

    private func closeAll() {
        for connection in state.withLock({ $0.connections.values.map { $0 } }) {
            connection.submit(.close(Self.shutDown))
        }
    }

    /// Waits until the last handler has returned.
    func handlersReturned() async {
        while let handler = state.withLock({ $0.handlers.first?.value }) { await handler.value }
    }
}
