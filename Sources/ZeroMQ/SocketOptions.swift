import CZeroMQ

/// The options that matter, each set on purpose; libzmq's own defaults are meant for trusted peers.
package struct SocketOptions: Sendable {
    /// How many messages libzmq queues per peer for sending before it is full; 0 is refused.
    package var sendHighWaterMark: Int32 = 1_000
    /// How many received messages libzmq queues per peer before it stops reading from it.
    package var receiveHighWaterMark: Int32 = 1_000
    /// The largest frame accepted, in bytes; a peer that sends a larger one is disconnected.
    package var maximumFrameBytes: Int64 = 4 << 20
    /// The most frames accepted in one message; a message with more is dropped and counted.
    package var maximumFrames = 16
    /// How long unsent messages may hold up the closing of the context.
    package var linger: Duration = .seconds(1)
    /// After how much silence the other side is asked for a sign of life.
    package var heartbeat: Duration = .seconds(5)
    /// After how long without an answer to that a connection is closed.
    package var heartbeatTimeout: Duration = .seconds(15)
    /// How long a peer may take for the handshake before it is disconnected.
    package var handshakeTimeout: Duration = .seconds(10)
    /// The first wait before connecting again.
    package var reconnectInterval: Duration = .milliseconds(50)
    /// The wait doubles up to this.
    ///
    /// A bridge is back within a second of its restart, and a paid job should not wait much longer.
    package var maximumReconnectInterval: Duration = .milliseconds(500)
    /// How many messages one batch holds at most.
    package var batchMessages = 256
    /// From how many bytes on a batch takes no further message.
    package var batchBytes = 4 << 20

    /// The defaults above.
    package init() {}
}

extension SocketOptions {
    /// Sets everything on a socket that is neither bound nor connected yet.
    func apply(to socket: borrowing Socket, as kind: SocketKind) throws(ZeroMQError) {
        try socket.set(ZMQ_SNDHWM, max(1, sendHighWaterMark))
        try socket.set(ZMQ_RCVHWM, max(1, receiveHighWaterMark))
        try socket.set(ZMQ_MAXMSGSIZE, wide: maximumFrameBytes)
        try socket.set(ZMQ_LINGER, Self.milliseconds(linger))
        try socket.set(ZMQ_HEARTBEAT_IVL, Self.milliseconds(heartbeat))
        try socket.set(ZMQ_HEARTBEAT_TIMEOUT, Self.milliseconds(heartbeatTimeout))
        // The peer drops us after this, even when it sends no heartbeats of its own.
        try socket.set(ZMQ_HEARTBEAT_TTL, Self.milliseconds(heartbeatTimeout))
        try socket.set(ZMQ_HANDSHAKE_IVL, Self.milliseconds(handshakeTimeout))
        try socket.set(ZMQ_RECONNECT_IVL, Self.milliseconds(reconnectInterval))
        try socket.set(ZMQ_RECONNECT_IVL_MAX, Self.milliseconds(maximumReconnectInterval))
        // Over tcp, for peers whose machine vanished while libzmq's heartbeat is off.
        try socket.set(ZMQ_TCP_KEEPALIVE, 1)
        try socket.set(ZMQ_TCP_KEEPALIVE_IDLE, 60)
        try socket.set(ZMQ_TCP_KEEPALIVE_INTVL, 10)
        try socket.set(ZMQ_TCP_KEEPALIVE_CNT, 3)
        try socket.set(ZMQ_IPV6, 1)
        switch kind {
        case .push, .dealer:
            // Nothing is queued for a peer that is not there: a sender waits instead, and no
            // stale message reaches a bridge that was restarted in between.
            try socket.set(ZMQ_IMMEDIATE, 1)
        case .router:
            // An unknown routing ID is an error instead of a silent drop.
            try socket.set(ZMQ_ROUTER_MANDATORY, 1)
        case .xpub:
            try socket.set(ZMQ_XPUB_MANUAL, 1)
        case .pull, .pub, .sub: break
        }
    }

    private static func milliseconds(_ duration: Duration) -> Int32 {
        Int32(clamping: duration.components.seconds * 1_000)
            + Int32(duration.components.attoseconds / 1_000_000_000_000_000)
    }
}

/// What a socket is, in libzmq's words.
enum SocketKind: Sendable {
    case pull, push, router, dealer, pub, xpub, sub

    var number: Int32 {
        switch self {
        case .pull: ZMQ_PULL
        case .push: ZMQ_PUSH
        case .router: ZMQ_ROUTER
        case .dealer: ZMQ_DEALER
        case .pub: ZMQ_PUB
        case .xpub: ZMQ_XPUB
        case .sub: ZMQ_SUB
        }
    }

    /// Whether messages arrive on it; an XPUB's subscriptions are not messages.
    var receives: Bool {
        switch self {
        case .pull, .router, .dealer, .sub: true
        case .push, .pub, .xpub: false
        }
    }
}
