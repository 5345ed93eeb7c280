/// The sockets of a process and the one thread they live on.
///
/// The thread ends, and everything is closed, when the context and every socket opened from it
/// are gone, or with ``shutDown()``. No call blocks a thread of Swift's pool.
package final class Context: Sendable {
    let reactor: Reactor

    /// Runs tasks on the sockets' own thread, for the shortest round trips.
    package let executor: ContextExecutor

    /// Starts the thread.
    ///
    /// - Parameter ioThreads: How many threads libzmq uses for the wire; one carries about 1 GB/s.
    /// - Throws: ``ZeroMQError`` `exhausted` when the process has no file or thread left.
    package init(ioThreads: Int = 1) throws(ZeroMQError) {
        let thread = try PollThread()
        executor = ContextExecutor(thread)
        reactor = try Reactor(thread: thread, ioThreads: ioThreads)
        try thread.start(reactor)
    }

    deinit { reactor.thread.stop() }

    /// Closes all sockets and returns when libzmq has sent what lingers, or given it up.
    ///
    /// Whoever waits to send or to receive gets ``ZeroMQError`` `closed`, after the messages that
    /// already arrived. Safe to repeat. Call it at the end of a graceful shutdown: a process that
    /// exits without it loses what libzmq had not written yet.
    package func shutDown() async { await reactor.shutDown() }

    // MARK: - Opening sockets

    /// Opens a PULL socket, which receives from all its peers in turn.
    ///
    /// - Parameters:
    ///   - binding: Where to bind.
    ///   - options: See ``SocketOptions``.
    /// - Returns: The socket.
    /// - Throws: ``ZeroMQError``.
    package func pull(
        _ binding: Binding,
        options: SocketOptions = SocketOptions()
    ) async throws(ZeroMQError) -> PullSocket {
        PullSocket(handle: try await open(.pull, .bind(binding), options))
    }

    /// Opens a PUSH socket.
    ///
    /// - Parameters:
    ///   - connection: Where to connect to.
    ///   - options: See ``SocketOptions``.
    /// - Returns: The socket.
    /// - Throws: ``ZeroMQError``.
    package func push(
        _ connection: Connection,
        options: SocketOptions = SocketOptions()
    ) async throws(ZeroMQError) -> PushSocket {
        PushSocket(handle: try await open(.push, .connect(connection), options))
    }

    /// Opens a ROUTER socket.
    ///
    /// - Parameters:
    ///   - binding: Where to bind.
    ///   - options: See ``SocketOptions``.
    /// - Returns: The socket.
    /// - Throws: ``ZeroMQError``.
    package func router(
        _ binding: Binding,
        options: SocketOptions = SocketOptions()
    ) async throws(ZeroMQError) -> RouterSocket {
        RouterSocket(handle: try await open(.router, .bind(binding), options))
    }

    /// Opens a DEALER socket.
    ///
    /// - Parameters:
    ///   - connection: Where to connect to.
    ///   - options: See ``SocketOptions``.
    /// - Returns: The socket.
    /// - Throws: ``ZeroMQError``.
    package func dealer(
        _ connection: Connection,
        options: SocketOptions = SocketOptions()
    ) async throws(ZeroMQError) -> DealerSocket {
        DealerSocket(handle: try await open(.dealer, .connect(connection), options))
    }

    /// Opens a PUB socket, for feeds: anyone who connects may subscribe to anything.
    ///
    /// - Parameters:
    ///   - binding: Where to bind.
    ///   - options: See ``SocketOptions``.
    /// - Returns: The socket.
    /// - Throws: ``ZeroMQError``.
    package func pub(
        _ binding: Binding,
        options: SocketOptions = SocketOptions()
    ) async throws(ZeroMQError) -> PubSocket {
        PubSocket(handle: try await open(.pub, .bind(binding), options))
    }

    /// Opens an XPUB socket in manual mode, for work: each subscription is decided on.
    ///
    /// - Parameters:
    ///   - binding: Where to bind.
    ///   - options: See ``SocketOptions``.
    ///   - maximumSubscriptions: How many accepted subscriptions there may be at a time.
    ///   - accepts: Decides about one subscription. Runs on the sockets' thread: it must not block.
    /// - Returns: The socket.
    /// - Throws: ``ZeroMQError``.
    package func xpub(
        _ binding: Binding,
        options: SocketOptions = SocketOptions(),
        maximumSubscriptions: Int = 4_096,
        accepts: @escaping @Sendable (SubscriptionRequest) -> Bool
    ) async throws(ZeroMQError) -> XPubSocket {
        let policy = Reactor.SubscriptionPolicy(limit: maximumSubscriptions, accepts: accepts)
        return XPubSocket(
            handle: try await open(.xpub, .bind(binding), options, policy: policy)
        )
    }

    /// Opens a SUB socket.
    ///
    /// - Parameters:
    ///   - connection: Where to connect to.
    ///   - topics: The prefixes of the topics to receive; an empty one means all.
    ///   - options: See ``SocketOptions``.
    /// - Returns: The socket.
    /// - Throws: ``ZeroMQError``.
    package func sub(
        _ connection: Connection,
        topics: [[UInt8]],
        options: SocketOptions = SocketOptions()
    ) async throws(ZeroMQError) -> SubSocket {
        SubSocket(handle: try await open(.sub, .connect(connection), options, topics: topics))
    }

    private func open(
        _ kind: SocketKind,
        _ side: Reactor.Side,
        _ options: SocketOptions,
        topics: [[UInt8]] = [],
        policy: Reactor.SubscriptionPolicy? = nil
    ) async throws(ZeroMQError) -> SocketHandle {
        let opened = try await reactor.open(kind, side, options, topics: topics, policy: policy)
        return SocketHandle(context: self, opened: opened)
    }
}

/// Keeps a socket open; the last reference closes it.
package final class SocketHandle: Sendable {
    let context: Context
    let opened: Reactor.Opened

    init(context: Context, opened: Reactor.Opened) {
        self.context = context
        self.opened = opened
    }

    deinit { context.reactor.thread.post(.close(opened.id)) }

    var reactor: Reactor { context.reactor }
}
