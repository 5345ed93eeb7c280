package import GRPCCore
package import NGHTTP2

/// The settings of an ``HTTP2ClientTransport``; the defaults suit a bridge beside its lnd.
package struct ClientConfiguration: Sendable {
    /// How long one connection attempt may take: name, TCP, TLS and first settings together.
    package var connectTimeout: Duration = .seconds(20)

    /// How long to wait between attempts.
    package var backoff = BackoffConfiguration()

    /// When to ask the server whether it lives; nil for never.
    package var keepalive: KeepaliveConfiguration? = .client()

    /// The largest message that may be sent, in bytes, unless a call's options say otherwise.
    package var maxRequestBytes = 64 << 20

    /// The largest message that may be received, in bytes, unless a call's options say otherwise.
    package var maxResponseBytes = 64 << 20

    /// Unread bytes of one call from which on the server gets no more credit for it.
    package var unreadMark = 256 << 10

    /// Unsent bytes of one call from which on its writer waits.
    package var unsentMark = 256 << 10

    /// How many calls may wait for a connection or for one of its streams.
    package var maxWaitingCalls = 10_000

    /// Lower-case names of headers that no hop may put into a compression table.
    package var sensitiveHeaders: Set<String> = ["macaroon", "authorization"]

    /// The `user-agent` of requests.
    package var userAgent = "lcp-grpc"

    /// The methods whose calls run on the thread of their connection, which saves most changes of
    /// thread of a call.
    ///
    /// That goes for serializing, for interceptors and for the closure that reads the answer: they
    /// must neither block nor compute for long, since every connection of that thread waits.
    package var runsCallsOnLoop: @Sendable (MethodDescriptor) -> Bool = { _ in false }

    /// What HTTP/2 tells the server.
    package var http2 = HTTP2Settings()

    /// Called at each change of the connection's state; must not block.
    package var onStateChange: @Sendable (ConnectionState) -> Void = { _ in }

    /// The defaults.
    package init() {}
}

/// What a client transport is doing about its connection.
package enum ConnectionState: Hashable, Sendable {
    /// `connect()` was not called yet.
    case idle
    /// An attempt is being made.
    case connecting
    /// Calls can be made; `remote` as gRPC writes peers: `ipv4:127.0.0.1:10009`.
    case ready(remote: String)
    /// The last attempt failed or the connection broke; the next attempt begins after the delay.
    case backoff(delay: Duration, reason: GRPCTransportError)
    /// The transport was shut down for good.
    case shutDown
}
