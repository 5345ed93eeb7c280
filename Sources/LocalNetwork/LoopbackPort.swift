import Glibc

/// Ports of this machine that only itself can reach.
package enum LoopbackPort {
    /// A port that nobody listens at now; until somebody does, another process may take it.
    ///
    /// - Throws: ``LocalNetworkError`` `notStarted` when the system gives none.
    package static func free() throws(LocalNetworkError) -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = address(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // The pointers are used only during the calls, as a sockaddr, which a sockaddr_in begins with.
        let isBound = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) == 0 && getsockname(descriptor, address, &size) == 0
            }
        }
        guard isBound else {
            throw LocalNetworkError(.notStarted, "the system gives no port")
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Whether somebody takes connections at a port.
    static func answers(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = address(port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // As above; on loopback a connection is made or refused at once.
        return withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                connect(descriptor, address, size) == 0
            }
        }
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: INADDR_LOOPBACK.bigEndian)
        return address
    }
}

extension LocalNetwork {
    /// Waits until a node's gateway takes connections.
    ///
    /// - Parameter node: Whose gateway.
    /// - Throws: ``LocalNetworkError`` `died` or `notReady`.
    package func waitForGateway(of node: String) async throws {
        let address = plan.nodes.first { $0.name == node }?.gateway
        guard let port = address?.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw LocalNetworkError(.notReady, "\(node) has no gateway")
        }
        try await until("\(node)'s gateway takes connections", by: [ProcessName(node, .gateway)]) {
            LoopbackPort.answers(port) ? () : nil
        }
    }
}
