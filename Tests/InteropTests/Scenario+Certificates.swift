import GRPCNGHTTP2
import InteropControl
import Testing

extension Scenario {
    /// Connections that must not come about, and what our client says of them.
    static let certificates = [
        Scenario("a server with another certificate is not trusted") { pairing in
            try await refuse(pairing, server: TestCertificate(), .wrongCertificate)
        },
        Scenario("a certificate made for other names is refused") { pairing in
            let elsewhere = try TestCertificate(names: ["lnd.example"], addresses: ["192.0.2.1"])
            let message = try await refuse(
                pairing,
                server: elsewhere,
                trusting: elsewhere,
                .hostNameMismatch
            )
            if !pairing.client.isForeign {
                #expect(message.contains("lnd.example"))
                #expect(message.contains("192.0.2.1"))
            }
        },
        Scenario("an expired certificate is refused") { pairing in
            let expired = try TestCertificate(validFromNow: -86_400 ... -60)
            try await refuse(pairing, server: expired, trusting: expired, .certificateExpired)
        },
        Scenario("a server without TLS is refused") { pairing in
            try await refuse(pairing, server: nil, .notTLS)
        },
        Scenario("a port nobody listens on is refused") { pairing in
            let certificate = try TestCertificate()
            let port = try await RemoteServer.with(pairing.server) { $0.port }
            try await expectRefusal(pairing, certificate, port: port, .connectionRefused)
        },
    ]

    /// Has the client fail on a server, and another client succeed after it.
    @discardableResult
    private static func refuse(
        _ pairing: Pairing,
        server: TestCertificate?,
        trusting trusted: TestCertificate? = nil,
        _ code: GRPCTransportError.Code
    ) async throws -> String {
        let trusted = try trusted ?? TestCertificate()
        return try await RemoteServer.with(
            pairing.server,
            server?.serverArguments ?? []
        ) { running in
            try await expectRefusal(pairing, trusted, port: running.port, code)
        }
    }

    @discardableResult
    private static func expectRefusal(
        _ pairing: Pairing,
        _ trusted: TestCertificate,
        port: Int,
        _ code: GRPCTransportError.Code
    ) async throws -> String {
        try await RemoteClient.with(
            pairing.client,
            trusted.clientArguments(port: port)
        ) { client in
            let end = try await client.call("Unary", .unary, [[1]])
            #expect(end.code == GRPCCode.unavailable)
            // Only ours names the cause.
            if !pairing.client.isForeign { #expect(end.message.hasPrefix(code.rawValue)) }
            return end.message
        }
    }
}
