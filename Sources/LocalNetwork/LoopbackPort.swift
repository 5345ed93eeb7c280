import Glibc

/// Ports of this machine that only itself can reach.
package enum LoopbackPort {
    /// A port that nobody listens at now; until somebody does, another process may take it.
    ///
    /// It is none of those that the kernel gives to outgoing connections (`ip(7)`), or one of these might.
    ///
    /// - Throws: ``LocalNetworkError`` `notStarted` when none is found.
    package static func free() throws(LocalNetworkError) -> UInt16 {
        for _ in 0..<1_000 {
            let port = UInt16.random(in: 16_384..<32_768)
            if canBind(port) { return port }
        }
        throw LocalNetworkError(.notStarted, "no port below 32768 is free")
    }

    private static func canBind(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        return with(port) { bind(descriptor, $0, $1) == 0 }
    }

    /// Whether somebody takes connections at a port.
    static func answers(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        // On loopback a connection is made or refused at once.
        return with(port) { connect(descriptor, $0, $1) == 0 }
    }

    private static func with(
        _ port: UInt16,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: INADDR_LOOPBACK.bigEndian)
        // Used only during the call, as a sockaddr, which a sockaddr_in begins with.
        return withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
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
