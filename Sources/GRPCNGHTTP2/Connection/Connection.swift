import GRPCCore
import NGHTTP2
import Synchronization

/// One connection, client's or server's: socket, TLS, HTTP/2 and the calls on it.
///
/// Its executor is an event loop, so all of that is touched by one thread, and the compiler checks
/// it. Other tasks hand it commands, which cost a lock and, at most, waking the loop; they never
/// wait for the loop to answer.
///
/// A connection goes through: connecting, TLS handshake, waiting for the peer's settings, open,
/// draining (no new calls), closed. It is closed exactly once, for one reason.
actor Connection {
    /// What tasks ask of a connection.
    enum Command: Sendable {
        /// Begin to connect, or to serve an accepted socket.
        case start
        /// Client: open a stream with these header fields.
        case open(Call, [HeaderField])
        /// Send bytes of messages, framed.
        case send(Call, [[UInt8]], count: Int)
        /// Client: nothing more will be sent.
        case finish(Call)
        /// Server: send the first header block.
        case respond(Call, [HeaderField])
        /// Server: end the call. The fields are for trailers after a header block, or alone.
        case end(Call, trailers: [HeaderField], alone: [HeaderField])
        /// The call is not wanted any more; a no-op when it is over.
        case cancel(Call, HTTP2ErrorCode)
        /// The reader of the call has caught up.
        case caughtUp(Call)
        /// Server: the handler of the call has returned.
        case handlerReturned(Call)
        /// Let calls end, accept no new ones.
        case drain
        /// End everything now.
        case close(GRPCTransportError)
    }

    /// What an accepted request is handed to: the call and its metadata.
    typealias RequestHandler = @Sendable (Call, Metadata) -> Void

    enum Phase: Equatable {
        case idle, connecting, handshaking, settling, open, draining, closed
    }

    nonisolated let loop: EventLoop
    private nonisolated let isolation: LoopIsolation
    nonisolated let role: HTTP2Session.Role
    nonisolated let settings: ConnectionSettings
    nonisolated let address: SocketAddress

    /// Fulfilled when calls can be made, or never will be.
    nonisolated let ready = OneShot<Result<Peers, GRPCTransportError>>()
    /// Fulfilled when no new calls can be made, with the reason.
    nonisolated let unusable = OneShot<GRPCTransportError>()
    /// Fulfilled when nothing is left.
    nonisolated let closed = OneShot<GRPCTransportError>()

    private nonisolated let commands = Mutex<[Command]>([])

    var phase = Phase.idle
    var socket: Socket?
    let descriptor: Int32
    var watch: EventLoop.Watch?
    var watchesWritable = false
    var isPumpDue = false
    var tls: TLSEngine?
    let session: HTTP2Session
    let onRequest: RequestHandler?
    var buffers = Buffers()

    var calls: [ObjectIdentifier: CallState] = [:]
    var streams: [StreamID: CallState] = [:]
    var waiting: [CallState] = []
    var runningHandlers = 0
    /// nghttp2's own assumption until the peer's settings arrive.
    var maxStreams: Int = 100
    var maxPeerHeaderList = Int(UInt32.max)

    var setupTimer: TimerID?
    var keepaliveTimer: TimerID?
    var keepalive: Keepalive?
    var pingPolicy: PingPolicy?
    /// Why to close once everything is sent, or after a while when the peer does not read.
    var closeAfterFlush: GRPCTransportError? {
        didSet {
            guard let reason = closeAfterFlush, oldValue == nil else { return }
            _ = loop.schedule(after: .seconds(5)) { [weak self] in
                self?.submit(.close(reason))
            }
        }
    }

    /// Who is connected, as gRPC writes it.
    struct Peers: Sendable {
        var local: String
        var remote: String
    }

    /// Bytes on their way.
    struct Buffers {
        var received = [UInt8](repeating: 0, count: 65_536)
        var plaintext: [UInt8] = []
        var unsent: [UInt8] = []
        var sent = 0

        /// Without TLS what was made is what is sent.
        mutating func sendPlaintext() { swap(&plaintext, &unsent) }
    }

    /// A client's connection to an address, or with `onRequest` a server's accepted one.
    init(
        _ socket: consuming Socket,
        _ address: SocketAddress,
        settings: ConnectionSettings,
        loop: EventLoop,
        onRequest: RequestHandler? = nil
    ) throws(GRPCTransportError) {
        role = onRequest == nil ? .client : .server
        self.address = address
        self.settings = settings
        self.loop = loop
        isolation = LoopIsolation(loop)
        self.onRequest = onRequest
        descriptor = socket.descriptor
        self.socket = consume socket
        do {
            session = try HTTP2Session(role: role, settings: settings.http2)
        } catch {
            throw GRPCTransportError(.resourcesExhausted, "can't make an HTTP/2 session: \(error)")
        }
        pingPolicy = settings.pingEnforcement.map { PingPolicy($0) }
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { isolation.asUnownedSerialExecutor() }

    /// Hands over a command; commands of one task are carried out in order.
    nonisolated func submit(_ command: Command) {
        let isFirst = commands.withLock { commands in
            commands.append(command)
            return commands.count == 1
        }
        guard isFirst else { return }
        loop.execute { self.assumeIsolated { $0.runCommands() } }
    }

    private func runCommands() {
        let commands = commands.withLock { commands in
            defer { commands = [] }
            return commands
        }
        for command in commands { run(command) }
        pumpLast()
    }

    // MARK: - Beginning

    func start() {
        guard phase == .idle else { return }
        setupTimer = loop.schedule(after: settings.setupTimeout) {
            self.assumeIsolated { $0.setupTimedOut() }
        }
        do {
            if role == .server {
                try watchSocket(for: .readable)
                try beginSession()
            } else {
                phase = .connecting
                let isConnected = try socket?.connect(to: address) ?? false
                try watchSocket(for: isConnected ? .readable : [.readable, .writable])
                if isConnected { try beginSession() }
            }
        } catch {
            close(error)
        }
    }

    private func watchSocket(for readiness: EventLoop.Readiness) throws(GRPCTransportError) {
        watchesWritable = readiness.contains(.writable)
        watch = try loop.watch(descriptor, for: readiness) { readiness in
            self.assumeIsolated { $0.becameReady(readiness) }
        }
    }

    /// The socket is connected: begins TLS, or HTTP/2 at once.
    func beginSession() throws(GRPCTransportError) {
        socket?.disableDelay()
        guard let tls = settings.tls else {
            phase = .settling
            return
        }
        phase = .handshaking
        let engine = try TLSEngine(tls.context, serverName: tls.serverName)
        self.tls = engine
        try continueHandshake()
    }

    /// The peer's settings arrived: calls can be made.
    func becomeOpen() {
        guard phase == .settling else { return }
        phase = .open
        if let setupTimer { loop.cancel(setupTimer) }
        setupTimer = nil
        if let configuration = settings.keepalive {
            keepalive = Keepalive(configuration, now: .now)
            checkKeepalive()
        }
        ready.fulfil(.success(peers))
    }

    /// Our end and the other one, asked for once: the system is asked for no call's sake.
    lazy var peers: Peers = {
        let local = socket?.localAddress
        let remote = role == .client ? address : socket?.peerAddress
        return Peers(
            local: local.map { "\($0)" } ?? "unknown",
            remote: remote.map { "\($0)" } ?? "unknown"
        )
    }()

    private func setupTimedOut() {
        let doing =
            switch phase {
            case .connecting: "connecting to \(address)"
            case .handshaking: "the TLS handshake with \(address)"
            default: "waiting for the first HTTP/2 frame of \(address)"
            }
        close(GRPCTransportError(.timedOut, "\(doing) took longer than \(settings.setupTimeout)"))
    }

    // MARK: - Keepalive

    private func checkKeepalive() {
        guard phase == .open || phase == .draining else { return }
        switch keepalive?.decide(at: .now, hasCalls: !calls.isEmpty) {
        case nil: return
        case .wait(let until): scheduleKeepalive(until)
        case .ping(let until):
            scheduleKeepalive(until)
            attempt { () throws(HTTP2Error) in try session.ping(PingPurpose.keepalive) }
            pump()
        case .giveUp:
            close(GRPCTransportError(.keepaliveTimedOut, "\(address) did not answer a ping"))
        }
    }

    private func scheduleKeepalive(_ until: ContinuousClock.Instant) {
        keepaliveTimer = loop.schedule(after: ContinuousClock.now.duration(to: until)) {
            self.assumeIsolated { $0.checkKeepalive() }
        }
    }

    // MARK: - Ending

    /// Accepts no new calls and closes when the last one ends.
    func drain() {
        guard phase == .open else {
            if phase != .draining {
                close(GRPCTransportError(.shutDown, "the transport was shut down"))
            }
            return
        }
        becomeUnusable(GRPCTransportError(.shutDown, "the transport is shutting down"))
        switch role {
        case .client:
            closeIfDrained()
        case .server:
            // The client may have opened streams that are still under way. Its answer to the ping
            // comes after them; then the last stream can be named (RFC 9113 §6.8).
            attempt { () throws(HTTP2Error) in
                try session.noticeShutdown()
                try session.ping(PingPurpose.shutdown)
            }
        }
    }

    /// No new calls from now on; those that wait for a stream are not processed.
    func becomeUnusable(_ reason: GRPCTransportError) {
        guard phase == .open else { return }
        phase = .draining
        unusable.fulfil(reason)
        let unprocessed = waiting
        waiting = []
        for state in unprocessed {
            remove(state)
            let error = GRPCTransportError(.notProcessed, "the connection ended: \(reason.detail)")
            state.call.end(error.rpcError())
        }
    }

    /// A client that goes or was sent away leaves when its last call is over.
    func closeIfDrained() {
        guard role == .client, phase == .draining, calls.isEmpty, closeAfterFlush == nil else {
            return
        }
        attempt { () throws(HTTP2Error) in try session.terminate(.noError) }
        closeAfterFlush = unusable.current
    }

    /// Ends everything: calls fail, the socket is closed.
    func close(_ reason: GRPCTransportError) {
        guard phase != .closed else { return }
        if phase == .open || phase == .draining {
            tls?.end()
            flushOnce()
        }
        phase = .closed
        if let watch { loop.unwatch(watch) }
        if let setupTimer { loop.cancel(setupTimer) }
        if let keepaliveTimer { loop.cancel(keepaliveTimer) }
        socket = nil
        buffers = Buffers(received: [])
        let lost = Array(calls.values)
        calls = [:]
        streams = [:]
        waiting = []
        for state in lost { state.lose(reason, loop) }
        ready.fulfil(.failure(reason))
        unusable.fulfil(reason)
        closed.fulfil(reason)
    }

    /// Runs something that fails only when the session can't continue.
    func attempt(_ action: () throws(HTTP2Error) -> Void) {
        do {
            try action()
        } catch {
            closeAfterFlush = closeAfterFlush ?? GRPCTransportError(http2: error, address)
        }
    }
}

/// The pings we send, by what the answer means.
enum PingPurpose {
    static let keepalive: UInt64 = 0x6c63_705f_6b65_6570
    static let shutdown: UInt64 = 0x6c63_705f_7374_6f70
}

extension GRPCTransportError {
    /// A failure of the HTTP/2 session, in this module's terms.
    init(http2 error: HTTP2Error, _ address: SocketAddress) {
        let code: Code = error.code == .notHTTP2 ? .notHTTP2 : .protocolViolation
        self.init(code, "HTTP/2 with \(address) failed: \(error.detail)")
    }
}
