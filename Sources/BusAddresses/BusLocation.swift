package import BridgeProtocol
package import ZeroMQ

/// Where workers and clients find a bridge: its directory of Unix sockets, or a directory whose file
/// `remote` names a bridge on another machine.
package struct BusLocation: Sendable {
    /// The bus directory.
    package let directory: String
    /// The bridge on another machine; nil for one on this.
    package let remote: RemoteBridge?

    /// Looks into a bus directory, which need not exist yet.
    ///
    /// - Parameter directory: The bus directory.
    /// - Throws: ``BusAddressError`` when its file `remote` can't be used.
    package init(directory: String) throws(BusAddressError) {
        self.directory = directory
        remote = try RemoteBridge(directory: directory)
    }

    /// Where a socket for an endpoint connects to.
    package func connection(to endpoint: BusEndpoint) -> Connection {
        guard let remote else { return .ipc(path: path(of: endpoint)) }
        return .tcp(
            host: remote.address.host,
            port: remote.address.port(of: endpoint),
            remote.curve
        )
    }

    /// The Unix socket of an endpoint on this machine.
    package func path(of endpoint: BusEndpoint) -> String { "\(directory)/\(endpoint.path)" }

    /// An endpoint's address, for messages to people.
    package func name(of endpoint: BusEndpoint) -> String {
        guard let remote else { return path(of: endpoint) }
        return "\(remote.address.host) port \(remote.address.port(of: endpoint))"
    }
}
