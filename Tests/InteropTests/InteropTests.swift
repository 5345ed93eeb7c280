import GRPCNGHTTP2
import InteropControl
import Testing

/// The one list of scenarios, for each pairing of clients and servers.
@Suite struct InteropTests {
    @Test(.serialized, .timeLimit(Pairing.timeLimit), arguments: Scenario.all)
    func `our client and our server`(_ scenario: Scenario) async throws {
        try await scenario.body(Pairing(client: .ours, server: .ours))
    }

    @Test(
        .enabled(if: Python.interpreter != nil, "\(Python.advice)"),
        .serialized,
        .timeLimit(Pairing.timeLimit),
        arguments: Scenario.all
    )
    func `our client and a grpcio server`(_ scenario: Scenario) async throws {
        try await scenario.body(Pairing(client: .ours, server: Python.peer))
    }

    @Test(
        .enabled(if: Python.interpreter != nil, "\(Python.advice)"),
        .serialized,
        .timeLimit(Pairing.timeLimit),
        arguments: Scenario.all
    )
    func `a grpcio client and our server`(_ scenario: Scenario) async throws {
        try await scenario.body(Pairing(client: Python.peer, server: .ours))
    }

    @Test(.enabled(if: Python.interpreter != nil, "\(Python.advice)"))
    func `our client names a TLS server that refuses HTTP/2`() async throws {
        let certificate = try TestCertificate()
        try await RemoteServer.with(
            Python.peer,
            certificate.serverArguments,
            command: "http1"
        ) { server in
            let arguments = certificate.clientArguments(port: server.port)
            try await RemoteClient.with(.ours, arguments) { client in
                let end = try await client.call("Unary", .unary, [[1]])
                #expect(end.code == GRPCCode.unavailable)
                #expect(end.message.hasPrefix(GRPCTransportError.Code.alpnRefused.rawValue))
            }
        }
    }

    @Test(.enabled(if: Python.interpreter != nil, "\(Python.advice)"))
    func `our server refuses a TLS client that offers no HTTP/2, and serves the next`()
        async throws
    {
        let certificate = try TestCertificate()
        try await RemoteServer.with(.ours, certificate.serverArguments) { server in
            let arguments = certificate.clientArguments(port: server.port)
            let answer = try await Python.peer.output(["alpn"] + arguments)
            #expect(answer == "refused\n")
            try await RemoteClient.with(.ours, arguments) { client in
                let end = try await client.call("Unary", .unary, [[1]])
                #expect(end.messages == [[1]])
            }
        }
    }
}
