import GRPCCore
import GRPCNGHTTP2
import Testing

/// The list that foreign peers must pass too, with ourselves on both ends.
@Suite struct EnduranceTests {
    @Test func `servers that go away under load lose no call that waits for them`() async throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/socket"
        var configuration = ClientConfiguration()
        configuration.backoff = BackoffConfiguration(
            initial: .milliseconds(5),
            maximum: .milliseconds(5)
        )
        let transport = HTTP2ClientTransport(
            target: .unix(path: path),
            security: .plaintext,
            configuration: configuration
        )
        try await withGRPCClient(transport: transport) { client in
            var options = CallOptions.defaults
            options.waitForReady = true
            let patient = options
            let done = Counter()
            let load = Task {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            while done.value < 2_000 {
                                do {
                                    _ = try await client.call("echo", [1], options: patient).message
                                    done.add(1)
                                } catch let error as RPCError {
                                    // Only what was not processed may fail: repeating is safe.
                                    #expect(error.code == .unavailable)
                                    #expect(error.transportError?.code == .notProcessed)
                                }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            // Each server leaves gracefully after some calls; the next takes over. Patience without
            // end: a server that waits for something that never comes would hang here.
            var serverConfiguration = ServerConfiguration()
            serverConfiguration.shutdownGrace = .seconds(3_600)
            var rounds = 0
            while done.value < 2_000 {
                let server = HTTP2ServerTransport(
                    address: .unix(path: path),
                    security: .plaintext,
                    configuration: serverConfiguration
                )
                let grpc = GRPCServer(
                    transport: server,
                    services: [TestService(handlers: ["echo": TestService.echo])]
                )
                let running = Task { try await grpc.serve() }
                _ = try await server.listeningAddress
                let goal = min(2_000, done.value + 300)
                while done.value < goal { await Task.yield() }
                grpc.beginGracefulShutdown()
                try await running.value
                rounds += 1
                if done.value >= 2_000 { break }
            }
            #expect(rounds > 1)
            // Whoever has one call left needs a server for it.
            let last = HTTP2ServerTransport(address: .unix(path: path), security: .plaintext)
            let grpc = GRPCServer(
                transport: last,
                services: [TestService(handlers: ["echo": TestService.echo])]
            )
            let running = Task { try await grpc.serve() }
            _ = try await last.listeningAddress
            try await load.value
            grpc.beginGracefulShutdown()
            try await running.value
        }
    }
}
