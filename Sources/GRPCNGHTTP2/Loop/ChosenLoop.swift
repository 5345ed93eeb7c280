import Synchronization

/// One loop of the pool, the same every time, chosen when it is first needed.
final class ChosenLoop: Sendable {
    private let loop = Mutex<EventLoop?>(nil)

    func get() throws(GRPCTransportError) -> EventLoop {
        let chosen = loop.withLock { loop in
            Result { () throws(GRPCTransportError) in
                if let loop { return loop }
                let chosen = try LoopPool.next()
                loop = chosen
                return chosen
            }
        }
        return try chosen.get()
    }
}
