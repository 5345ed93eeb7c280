import Glibc
import Synchronization

/// The process's event loops, made as they are first needed and shared by all transports.
enum LoopPool {
    private struct State {
        var loops: [EventLoop] = []
        var next = 0
    }

    private static let state = Mutex(State())

    // Half of the processors: the other half runs what the messages are for.
    private static let size = min(4, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2))

    /// The loop for a new connection, each in turn.
    static func next() throws(GRPCTransportError) -> EventLoop {
        let made = state.withLock { state in
            Result { () throws(GRPCTransportError) in
                if state.loops.count < size { state.loops.append(try EventLoop()) }
                state.next = (state.next + 1) % state.loops.count
                return state.loops[state.next]
            }
        }
        return try made.get()
    }
}
