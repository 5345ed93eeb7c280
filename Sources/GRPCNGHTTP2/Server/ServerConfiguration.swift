package import GRPCCore
package import NGHTTP2

/// Where a server listens.
package enum ListenAddress: Hashable, Sendable {
    /// An IP address; port 0 takes a free one, which `listeningAddress` then tells.
    case ip(String, port: UInt16)

    /// A unix socket. A socket file that nobody listens on is replaced.
    case unix(path: String)
}

/// How a server protects its connections.
package enum ServerSecurity: Hashable, Sendable {
    /// TLS 1.2 or 1.3 with HTTP/2 required; both files are PEM.
    case tls(certificateFile: String, keyFile: String)

    /// None: only on unix sockets and loopback addresses.
    case plaintext
}

/// The settings of an ``HTTP2ServerTransport``; the defaults suit a server like lnd.
package struct ServerConfiguration: Sendable {
    /// How long TLS and the client's first frame may take together.
    package var handshakeTimeout: Duration = .seconds(10)

    /// When to ask a client whether it lives; nil for never.
    package var keepalive: KeepaliveConfiguration? = .server()

    /// How to treat clients that ping too often; nil to let them.
    package var pingEnforcement: PingEnforcement?

    /// How many connections may be open; more are closed at once.
    package var maxConnections = 1_000

    /// The largest message that may be received, in bytes.
    package var maxRequestBytes = 64 << 20

    /// The largest message that may be sent, in bytes.
    package var maxResponseBytes = 64 << 20

    /// Unread bytes of one call from which on the client gets no more credit for it.
    package var unreadMark = 256 << 10

    /// Unsent bytes of one call from which on its writer waits.
    package var unsentMark = 256 << 10

    /// How long calls may take to end after `beginGracefulShutdown()`; then they are cancelled.
    package var shutdownGrace: Duration = .seconds(10)

    /// Methods whose response headers wait for the first message or the status, as grpc-go does.
    package var holdsResponseHeaders: @Sendable (MethodDescriptor) -> Bool = { _ in false }

    /// Whether handlers begin on the thread of their connection, which saves two changes of thread
    /// for every call.
    ///
    /// For handlers that neither block nor compute for long: while one runs, every connection of
    /// that thread waits. What a handler awaits elsewhere doesn't count.
    package var runsHandlersOnLoop = false

    /// Lower-case names of headers that no hop may put into a compression table.
    package var sensitiveHeaders: Set<String> = ["macaroon", "authorization"]

    /// What HTTP/2 tells clients: streams at once, windows, header sizes.
    package var http2 = HTTP2Settings()

    /// The defaults.
    package init() {}
}
