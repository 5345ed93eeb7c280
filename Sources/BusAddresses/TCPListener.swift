package import BridgeProtocol
package import ZeroMQ

/// How a bridge serves other machines, besides its Unix sockets.
package struct TCPListener: Sendable {
    /// Where it listens; the host may be `*`.
    package var address: BridgeAddress
    /// The bridge's own keys.
    package var keys: CurveKeyPair
    /// Whom it lets in.
    package var allowed: AllowedKeys

    /// Takes all of it.
    package init(address: BridgeAddress, keys: CurveKeyPair, allowed: AllowedKeys) {
        self.address = address
        self.keys = keys
        self.allowed = allowed
    }

    /// Where to bind an endpoint that has a Unix socket: there alone, unless somebody has its right.
    ///
    /// - Parameters:
    ///   - endpoint: The endpoint.
    ///   - path: Its Unix socket.
    /// - Returns: The Unix socket, with or without the port.
    package func binding(_ endpoint: BusEndpoint, path: String) -> Binding {
        guard let admitted = allowed.keys[endpoint.right] else { return .ipc(path: path) }
        return .ipcAndTCP(
            path: path,
            host: address.host,
            port: address.port(of: endpoint),
            CurveServer(keys: keys) { admitted.contains($0) }
        )
    }
}
