import Synchronization

/// Accepts connections on an event loop until it is closed.
final class Door: Sendable {
    private struct State: ~Copyable {
        var listener: Listener?
        var watch: EventLoop.Watch?
    }

    /// Where the door is.
    let address: ListenAddress

    private let descriptor: Int32
    private let loop: EventLoop
    private let state: Mutex<State>

    /// When the system has no descriptors, accepting pauses for so long.
    private static let pause = Duration.milliseconds(100)

    init(_ listener: consuming Listener, loop: EventLoop) {
        address =
            switch listener.address {
            case .v4(let bytes, let port), .v6(let bytes, let port, _):
                .ip(SocketAddress.text(ofIP: bytes), port: port)
            case .unix(let path): .unix(path: path)
            }
        descriptor = listener.descriptor
        self.loop = loop
        state = Mutex(State(listener: listener, watch: nil))
    }

    /// Begins to accept; each connection is handed over on the loop's thread.
    func open(
        _ admit: @escaping @Sendable (consuming Socket) -> Void
    ) throws(GRPCTransportError) {
        let watch = try loop.watch(descriptor, for: .readable) { _ in self.accept(admit) }
        state.withLock { $0.watch = watch }
    }

    private func accept(_ admit: @Sendable (consuming Socket) -> Void) {
        // Level-triggered: what is left over is reported again.
        for _ in 0..<64 {
            switch Listener.accept(descriptor) {
            case .connection(let socket): admit(socket)
            case .none: return
            case .exhausted: return rest()
            }
        }
    }

    /// Looks away for a while, instead of being told of the same connection without end.
    private func rest() {
        listen(for: [])
        _ = loop.schedule(after: Self.pause) { self.listen(for: .readable) }
    }

    private func listen(for readiness: EventLoop.Readiness) {
        state.withLock { state in
            if let watch = state.watch { loop.change(watch, to: readiness) }
        }
    }

    /// Stops accepting; connections that wait are refused.
    func close() {
        state.withLock { state in
            if let watch = state.watch { loop.unwatch(watch) }
            state.watch = nil
            state.listener = nil
        }
    }
}
