/// Where a client finds its server.
package enum Target: Hashable, Sendable {
    /// A host name, looked up for every connection, or an IP address.
    case dns(host: String, port: UInt16)

    /// A unix socket.
    case unix(path: String)
}

extension Target: CustomStringConvertible {
    /// `dns:host:port` or `unix:path`.
    package var description: String {
        switch self {
        case .dns(let host, let port): "dns:\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// The `:authority` of requests.
    var authority: String {
        switch self {
        case .dns(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix: "localhost"
        }
    }

    /// The name a certificate must have.
    var serverName: String {
        switch self {
        case .dns(let host, _): host
        case .unix: "localhost"
        }
    }
}

/// How a client protects its connection.
package enum ClientSecurity: Hashable, Sendable {
    /// TLS 1.2 or 1.3, with the server's certificate checked against the trust and the host name.
    ///
    /// `serverName` replaces the target's host in that check, for tunnels and tests.
    case tls(trust: TLSTrust, serverName: String? = nil)

    /// None: only for unix sockets and loopback addresses.
    case plaintext
}
