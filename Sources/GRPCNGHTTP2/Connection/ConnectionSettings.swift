import NGHTTP2

/// What a connection needs to know, whichever side it is.
struct ConnectionSettings: Sendable {
    var http2: HTTP2Settings
    var limits: CallLimits
    var keepalive: KeepaliveConfiguration?
    var pingEnforcement: PingEnforcement?
    /// How long connecting, TLS and the first settings may take together.
    var setupTimeout: Duration
    /// How many calls may wait for a stream (client).
    var maxWaitingCalls: Int
    /// Lower-case names of headers that are never indexed.
    var sensitiveHeaders: Set<String>
    /// How a client verifies the server, and how it is called there; nil without TLS.
    var tls: TLS?

    struct TLS: Sendable {
        var context: TLSContext
        /// Set on a client only.
        var serverName: String?
    }
}
