import CZeroMQ
import Glibc

/// Owns every socket of a context; each call runs on the thread that opened them.
actor Reactor {
    /// Which side of an endpoint a socket is.
    enum Side: Sendable {
        case bind(Binding)
        case connect(Connection)
    }

    /// What a new socket is known by.
    struct Opened: Sendable {
        let id: PortID
        let inbox: Inbox
        let endpoint: String
    }

    /// Who decides about an XPUB's subscriptions.
    struct SubscriptionPolicy: Sendable {
        let limit: Int
        let accepts: @Sendable (SubscriptionRequest) -> Bool
    }

    nonisolated let thread: PollThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let context: ContextPointer
    private var ports: [PortID: Port] = [:]
    private var zap: ZAPHandler?
    private var lastID: PortID = 0
    private var isClosed = false
    private var waitingForEnd: [CheckedContinuation<Void, Never>] = []
    // Kept from turn to turn, so that a turn allocates nothing.
    private var items: [pollfd] = []
    private var polled: [Port] = []

    init(thread: PollThread, ioThreads: Int) throws(ZeroMQError) {
        self.thread = thread
        guard let raw = zmq_ctx_new() else {
            throw ZeroMQError(during: "creating a context")
        }
        context = ContextPointer(raw: raw)
        zmq_ctx_set(raw, ZMQ_IO_THREADS, Int32(clamping: max(1, ioThreads)))
    }

    // The teardown has run unless the thread never started.
    deinit {
        if !isClosed { zmq_ctx_term(context.raw) }
        thread.abandon()
    }

    // MARK: - Opening and closing

    func open(
        _ kind: SocketKind,
        _ side: Side,
        _ options: SocketOptions,
        topics: [[UInt8]] = [],
        policy: SubscriptionPolicy? = nil
    ) throws(ZeroMQError) -> Opened {
        guard !isClosed else { throw .closed }
        lastID += 1
        let id = lastID
        let socket = try Socket(kind, in: context)
        try options.apply(to: socket, as: kind)
        for topic in topics { try socket.set(ZMQ_SUBSCRIBE, topic) }
        var isAuthenticated = false
        switch side {
        case .bind(let binding):
            isAuthenticated = try bind(socket, id, to: binding)
        case .connect(let connection):
            let endpoint = try connection.text
            if case .tcp(_, _, let client) = connection { try socket.secure(as: client) }
            try socket.connect(endpoint)
        }
        let endpoint = try socket.lastEndpoint()
        let inbox = Inbox(thread, options)
        let port = try Port(
            id: id,
            kind: kind,
            socket: socket,
            inbox: inbox,
            options: options,
            isAuthenticated: isAuthenticated
        )
        if let policy {
            port.ledger = SubscriptionLedger(limit: policy.limit, policy: policy.accepts)
        }
        ports[id] = port
        return Opened(id: id, inbox: inbox, endpoint: endpoint)
    }

    /// Binds a socket.
    ///
    /// - Returns: Whether some of its peers prove who they are.
    private func bind(
        _ socket: borrowing Socket,
        _ id: PortID,
        to binding: Binding
    ) throws(ZeroMQError) -> Bool {
        switch binding {
        case .ipc(let path):
            let endpoint = try IPCPath.endpoint(path)
            try IPCPath.checkFree(path)
            try socket.bind(endpoint)
            return false
        case .tcp(let host, let port, let server):
            let endpoint = try TCPAddress.endpoint(host, port)
            if zap == nil { zap = try ZAPHandler(in: context) }
            zap?.admit(in: Self.domain(id), by: server.admits)
            try socket.secure(as: server, domain: Self.domain(id))
            try socket.bind(endpoint)
            return true
        case .ipcAndTCP(let path, let host, let port, let server):
            // In this order: what secures the port would secure every later address too.
            _ = try bind(socket, id, to: .ipc(path: path))
            return try bind(socket, id, to: .tcp(host: host, port: port, server))
        }
    }

    private static func domain(_ id: PortID) -> String { "port-\(id)" }

    func close(_ id: PortID) {
        guard let port = ports.removeValue(forKey: id) else { return }
        zap?.forget(Self.domain(id))
        port.close()
    }

    /// Closes everything and returns when libzmq has sent what lingers, or given it up.
    func shutDown() async {
        guard !isClosed else { return }
        await withCheckedContinuation { continuation in
            waitingForEnd.append(continuation)
            thread.stop()
        }
    }

    // MARK: - Sending and receiving

    func send(_ messages: [Message], on id: PortID, whenFull: WhenFull) async throws {
        let port = try port(id)
        let left = try port.send(messages[...])
        if left.isEmpty { return }
        // One stopped peer of a ROUTER must not hold up what is meant for the others.
        guard whenFull == .wait, port.kind != .router else {
            throw ZeroMQError(.full, "\(left.count) of \(messages.count) messages not sent")
        }
        let send = port.makeSendID()
        try await withTaskCancellationHandler {
            try await wait(toSend: left, as: send, on: id)
        } onCancel: {
            thread.post(.cancelSend(id, send))
        }
    }

    // A method, because a closure that does not capture the actor is not isolated to it: the
    // continuation's body would run on another thread.
    private func wait(toSend messages: ArraySlice<Message>, as send: UInt64, on id: PortID)
        async throws
    {
        let port = try port(id)
        try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Void, any Error>) in
            preconditionIsolated()
            // A cancellation before this line is seen here, one after it by the loop.
            if Task.isCancelled {
                continuation.resume(throwing: CancellationError())
            } else {
                port.wait(toSend: messages, as: send, continuation)
            }
        }
    }

    /// Sends what it can, in order, and leaves out what has no receiver any more.
    ///
    /// - Returns: How many are done with.
    func send(_ deliveries: ArraySlice<Delivery>, on id: PortID) throws(ZeroMQError) -> Int {
        let port = try port(id)
        guard port.isUpToDate() else { return 0 }
        var done = 0
        for delivery in deliveries {
            if port.ledger?.isLive(delivery.subscription) == true {
                let topic = Frame(delivery.subscription.deliveryTopic)
                let message = Message(head: topic, tail: delivery.frames)
                guard try port.send([message]).isEmpty else { return done }
            }
            done += 1
        }
        return done
    }

    func send(_ tail: [Frame], to subscription: Subscription, on id: PortID) async throws {
        let port = try port(id)
        guard port.isUpToDate() else {
            throw ZeroMQError(.full, "subscriptions are being read")
        }
        guard port.ledger?.isLive(subscription) == true else {
            throw ZeroMQError(.unknownPeer, "the subscription has ended")
        }
        let message = Message(head: Frame(subscription.deliveryTopic), tail: tail)
        try await send([message], on: id, whenFull: .fail)
    }

    func events(on id: PortID) async throws -> [SubscriptionEvent] {
        let port = try port(id)
        let events = port.ledger?.takeEvents() ?? []
        guard events.isEmpty else { return events }
        guard port.eventsConsumer == nil else {
            throw ZeroMQError(.busy, "another task waits for this socket's subscriptions")
        }
        return try await withTaskCancellationHandler {
            try await waitForEvents(on: id)
        } onCancel: {
            thread.post(.cancelEvents(id))
        }
    }

    private func waitForEvents(on id: PortID) async throws -> [SubscriptionEvent] {
        let port = try port(id)
        return try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<[SubscriptionEvent], any Error>) in
            preconditionIsolated()
            if Task.isCancelled {
                continuation.resume(throwing: CancellationError())
            } else {
                port.eventsConsumer = continuation
            }
        }
    }

    func subscriptionCounts(on id: PortID) -> SubscriptionCounts {
        ports[id]?.ledger?.counts ?? SubscriptionCounts()
    }

    func change(_ option: Int32, _ topic: [UInt8], on id: PortID) throws(ZeroMQError) {
        let port = try port(id)
        port.hasNews = true
        try port.socket.set(option, topic)
    }

    private func port(_ id: PortID) throws(ZeroMQError) -> Port {
        guard let port = ports[id] else { throw .closed }
        return port
    }

    // MARK: - The loop

    /// Waits for sockets or for other threads, and serves what is ready.
    ///
    /// A socket's descriptor tells of news alone, and any call on the socket may take the news in. So
    /// a socket is looked at until there is nothing to do, and again after each call; only then its
    /// descriptor is waited for. `zmq_poll` would look at every socket in every turn, with two
    /// system calls each.
    func turn() {
        for note in thread.takeNotes() { handle(note) }
        items.removeAll(keepingCapacity: true)
        polled.removeAll(keepingCapacity: true)
        items.append(pollfd(fd: thread.wakeUp, events: Int16(POLLIN), revents: 0))
        if let file = zap?.descriptor {
            items.append(pollfd(fd: file, events: Int16(POLLIN), revents: 0))
        }
        let first = items.count
        var isBusy = zap?.serve() ?? false
        for port in ports.values where port.isAwaited {
            if port.look() { isBusy = true }
            items.append(pollfd(fd: port.descriptor, events: Int16(POLLIN), revents: 0))
            polled.append(port)
        }
        let mayRest = !isBusy && thread.maySleep()
        let ready = poll(&items, nfds_t(items.count), mayRest ? -1 : 0)
        if items[0].revents != 0 { thread.woke() } else if mayRest { thread.rested() }
        // Interrupted: the next turn looks again.
        guard ready > 0 else { return }
        for (port, item) in zip(polled, items[first...]) where item.revents != 0 {
            port.hasNews = true
            _ = port.look()
        }
    }

    private func handle(_ note: PollThread.Note) {
        switch note {
        case .close(let id): close(id)
        case .cancelSend(let id, let send): ports[id]?.cancelSend(send)
        case .cancelEvents(let id):
            ports[id]?.eventsConsumer?.resume(throwing: CancellationError())
            ports[id]?.eventsConsumer = nil
        case .resume: break
        }
    }

    /// Closes every socket, then the context, on the sockets' own thread.
    func tearDown() {
        for id in Array(ports.keys) { close(id) }
        polled = []
        zap = nil
        // Waits for what lingers, at most as long as the longest linger of a socket.
        while zmq_ctx_term(context.raw) != 0, zmq_errno() == EINTR {}
        isClosed = true
        for continuation in waitingForEnd { continuation.resume() }
        waitingForEnd = []
    }
}
