import GRPCCore
import Synchronization

/// One call, as the tasks that make or answer it and its connection share it.
final class Call: Sendable {
    let method: MethodDescriptor
    let limits: CallLimits
    let inbound: InboundChannel
    let outbound: OutboundGate
    let connection: Connection

    /// When a client's call fails; a server reads its deadline from the request.
    let deadline: ContinuousClock.Instant?

    private let wasForgotten = Atomic(false)

    private let cancellation = Mutex(Cancellation())

    private struct Cancellation {
        var handle: ServerContext.RPCCancellationHandle?
        var isCancelled = false
    }

    init(
        _ method: MethodDescriptor,
        limits: CallLimits,
        connection: Connection,
        deadline: ContinuousClock.Instant? = nil
    ) {
        self.method = method
        self.limits = limits
        self.connection = connection
        self.deadline = deadline
        outbound = OutboundGate(mark: limits.unsentMark)
        inbound = InboundChannel(mark: limits.unreadMark)
    }

    /// Whether the connection has forgotten the call: commands for it have no effect any more.
    var isOver: Bool { wasForgotten.load(ordering: .relaxed) }

    /// The connection forgets the call.
    func forgotten() { wasForgotten.store(true, ordering: .relaxed) }

    /// The next part the peer sent; nil at the end.
    ///
    /// - Throws: The error the call ended with, or `cancelled` when the task was cancelled.
    func next(isolation: isolated (any Actor)?) async throws -> InboundPart? {
        try await inbound.next(isolation: isolation) { connection.submit(.caughtUp(self)) }
    }

    /// Connects a handler's cancellation to the call; one that was cancelled before cancels now.
    func attach(_ handle: ServerContext.RPCCancellationHandle) {
        let isCancelled = cancellation.withLock { state in
            state.handle = handle
            return state.isCancelled
        }
        if isCancelled { handle.cancel() }
    }

    /// Tells the handler that nobody waits for its answer any more.
    func cancelHandler() {
        let handle = cancellation.withLock { state in
            state.isCancelled = true
            return state.handle
        }
        handle?.cancel()
    }

    /// Ends the call at once for whoever still reads or writes.
    func end(_ error: RPCError) {
        // First: a handler that sees its read or write fail may ask at once whether it was cancelled.
        cancelHandler()
        outbound.close(error)
        inbound.abort(error)
    }
}

/// The bounds of one call.
struct CallLimits: Sendable {
    /// The largest message that may be sent, in bytes.
    var maxSent: Int
    /// The largest message that may be received, in bytes.
    var maxReceived: Int
    /// Unread bytes from which on the peer gets no more credit.
    var unreadMark: Int
    /// Unsent bytes from which on writers wait.
    var unsentMark: Int
}
