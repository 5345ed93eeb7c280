import GRPCCore
import GRPCNGHTTP2
import NGHTTP2
import Synchronization
import Testing

/// What a client makes of servers that go away, are silent or answer strangely.
@Suite struct ConnectionTests {
    private static let headers = [
        HeaderField(":status", "200"), HeaderField("content-type", "application/grpc"),
    ]
    private static let ok = [HeaderField("grpc-status", "0")]

    /// Makes calls against a server of a test's own.
    private func withClient<R: Sendable>(
        _ server: RawServer,
        _ configuration: ClientConfiguration = ClientConfiguration(),
        _ body: @Sendable @escaping (GRPCClient<HTTP2ClientTransport>) async throws -> R
    ) async throws -> R {
        let transport = HTTP2ClientTransport(
            target: server.target,
            security: .plaintext,
            configuration: configuration
        )
        return try await withGRPCClient(transport: transport) { try await body($0) }
    }

    /// A server that answers each complete request in its own way.
    private func server(
        _ answer: @escaping @Sendable (HTTP2Session, StreamID) throws -> Void
    ) throws -> RawServer {
        try RawServer { peer, _ in
            try peer.serve { session, event in
                if case .remoteEnd(let stream) = event { try answer(session, stream) }
                return true
            }
        }
    }

    /// The error of one call against such a server.
    private func error(
        _ answer: @escaping @Sendable (HTTP2Session, StreamID) throws -> Void
    ) async throws -> RPCError? {
        try await withClient(server(answer)) { client in
            await rpcError { _ = try await client.call("any", [1]).message }
        }
    }

    // MARK: - Strange answers

    @Test func `a server that never sends headers of its own is normal`() async throws {
        let server = try server { session, stream in
            try session.respond(stream, Self.headers + Self.ok, endStream: true)
        }
        let count = try await withClient(server) { client in
            try await client.stream("any") { _ in
            } reading: { response in
                try await response.messages.reduce(0) { count, _ in count + 1 }
            }
        }
        #expect(count == 0)
    }

    @Test(arguments: [
        (HTTP2ErrorCode.cancel, RPCError.Code.cancelled), (.refusedStream, .unavailable),
        (.enhanceYourCalm, .resourceExhausted), (.internalError, .unavailable),
    ])
    func `a reset becomes a status`(_ code: HTTP2ErrorCode, _ status: RPCError.Code) async throws {
        let found = try await error { session, stream in session.reset(stream, code) }
        #expect(found?.code == status)
    }

    @Test func `a refused stream is safe to repeat`() async throws {
        let found = try await error { session, stream in session.reset(stream, .refusedStream) }
        #expect(found?.transportError?.code == .notProcessed)
    }

    @Test(arguments: [
        (401, RPCError.Code.unauthenticated), (404, .unimplemented), (503, .unavailable),
    ])
    func `an HTTP error without a gRPC status becomes a status`(
        _ http: Int,
        _ code: RPCError.Code
    ) async throws {
        let found = try await error { session, stream in
            try session.respond(stream, [HeaderField(":status", "\(http)")])
            session.send(stream, Array("<html>".utf8))
            session.finish(stream)
        }
        #expect(found?.code == code)
    }

    @Test func `an answer that ends without a status is unknown`() async throws {
        let found = try await error { session, stream in
            try session.respond(stream, Self.headers)
            session.finish(stream)
        }
        #expect(found?.code == .unknown)
    }

    @Test func `an answer that ends inside a message is an error`() async throws {
        let found = try await error { session, stream in
            try session.respond(stream, Self.headers)
            session.send(stream, [0, 0, 0, 0, 9, 1])
            session.finish(stream)
        }
        #expect(found?.code == .internalError)
    }

    @Test func `a compressed answer is refused`() async throws {
        let found = try await error { session, stream in
            try session.respond(stream, Self.headers)
            session.send(stream, [1, 0, 0, 0, 1, 1])
            session.finish(stream, trailers: Self.ok)
        }
        #expect(found?.code == .unimplemented)
    }

    @Test func `a claim of 4 GiB takes no memory and is refused`() async throws {
        let found = try await error { session, stream in
            try session.respond(stream, Self.headers)
            session.send(stream, [0, 255, 255, 255, 255])
        }
        #expect(found?.code == .resourceExhausted)
    }

    @Test func `headers above the limit end the call, not the connection`() async throws {
        let first = Mutex(true)
        let server = try server { session, stream in
            let isFirst = first.withLock { first in
                defer { first = false }
                return first
            }
            let extra = isFirst ? [HeaderField("a", String(repeating: "b", count: 80_000))] : []
            try session.respond(stream, Self.headers + extra + Self.ok, endStream: true)
        }
        let connections = try await withClient(server) { client in
            let large = await rpcError { _ = try await client.call("any", [1]).message }
            #expect(large?.code == .resourceExhausted)
            _ = await rpcError { _ = try await client.call("any", [1]).message }
            return server.connections
        }
        #expect(connections == 1)
    }

    @Test func `a message that came before the connection broke is delivered`() async throws {
        let server = try RawServer { peer, _ in
            try peer.serve { session, event in
                guard case .remoteEnd(let stream) = event else { return true }
                try session.respond(stream, Self.headers)
                session.send(stream, [0, 0, 0, 0, 1, 42])
                return false
            }
        }
        let (messages, error) = try await withClient(server) { client in
            try await client.stream("any") { _ in
            } reading: { response -> ([[UInt8]], RPCError?) in
                var messages: [[UInt8]] = []
                let error = await rpcError {
                    for try await message in response.messages { messages.append(message) }
                }
                return (messages, error)
            }
        }
        #expect(messages == [[42]])
        #expect(error?.code == .unavailable)
        #expect(error?.transportError?.code == .connectionClosed)
    }

    // MARK: - Going away

    @Test func `a GOAWAY lets open calls end and sends new ones to a new connection`() async throws
    {
        let server = try RawServer { peer, number in
            try peer.serve { session, event in
                guard case .remoteEnd(let stream) = event else { return true }
                if number == 1 { try session.goAway() }
                try session.respond(stream, Self.headers)
                session.send(stream, [0, 0, 0, 0, 1, UInt8(number)])
                session.finish(stream, trailers: Self.ok)
                return true
            }
        }
        var configuration = ClientConfiguration()
        configuration.backoff = BackoffConfiguration(initial: .milliseconds(1))
        try await withClient(server, configuration) { client in
            var options = CallOptions.defaults
            options.waitForReady = true
            let first = try await client.call("any", [1], options: options)
            #expect(try first.message == [1])
            let second = try await client.call("any", [1], options: options)
            #expect(try second.message == [2])
        }
    }

    @Test func `a stream above the last one of a GOAWAY is safe to repeat`() async throws {
        let server = try RawServer { peer, _ in
            try peer.serve { session, event in
                guard case .headers = event else { return true }
                // Named before the stream was opened.
                peer.write([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
                return true
            }
        }
        let error = try await withClient(server) { client in
            await rpcError { _ = try await client.call("any", [1]).message }
        }
        #expect(error?.code == .unavailable)
        #expect(error?.transportError?.code == .notProcessed)
    }

    // MARK: - Silence

    @Test func `a server that does not answer a ping is given up`() async throws {
        let server = try RawServer { peer, _ in
            try peer.serve { _, event in
                if case .remoteEnd = event { false } else { true }
            }
            // Reads on, and answers nothing.
            while !peer.read().isEmpty {}
        }
        var configuration = ClientConfiguration()
        configuration.keepalive = KeepaliveConfiguration(
            interval: .milliseconds(20),
            timeout: .milliseconds(50),
            onlyWithCalls: true
        )
        let error = try await withClient(server, configuration) { client in
            await rpcError { _ = try await client.call("any", [1]).message }
        }
        #expect(error?.code == .unavailable)
        #expect(error?.transportError?.code == .keepaliveTimedOut)
    }

    @Test func `a ping of the server is answered`() async throws {
        let server = try RawServer { peer, _ in
            let pinged = Mutex<StreamID?>(nil)
            try peer.serve { session, event in
                if case .remoteEnd(let stream) = event {
                    pinged.withLock { $0 = stream }
                    try session.ping(77)
                }
                if case .pingAcknowledged(77) = event, let stream = pinged.withLock({ $0 }) {
                    try session.respond(stream, Self.headers)
                    session.send(stream, [0, 0, 0, 0, 1, 5])
                    session.finish(stream, trailers: Self.ok)
                }
                return true
            }
        }
        try await withClient(server) { client in
            let response = try await client.call("any", [1])
            #expect(try response.message == [5])
        }
    }

    // MARK: - Coming back

    @Test func `calls that wait for a connection outlive failures, others do not`() async throws {
        let (states, state) = AsyncStream<ConnectionState>.makeStream()
        var configuration = ClientConfiguration()
        configuration.backoff = BackoffConfiguration(
            initial: .milliseconds(20),
            maximum: .milliseconds(20)
        )
        configuration.onStateChange = { state.yield($0) }
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/socket"
        let transport = HTTP2ClientTransport(
            target: .unix(path: path),
            security: .plaintext,
            configuration: configuration
        )
        try await withGRPCClient(transport: transport) { client in
            var options = CallOptions.defaults
            options.waitForReady = true
            let patient = options
            let waiting = Task { try await client.call("echo", [3], options: patient).message }
            for await state in states {
                if case .backoff(_, let reason) = state {
                    #expect(reason.code == .connectionRefused)
                    break
                }
            }
            let error = await rpcError { _ = try await client.call("echo", [4]).message }
            #expect(error?.code == .unavailable)

            // Killed and started again three times, on the same path.
            for number in 0..<3 {
                let server = HTTP2ServerTransport(address: .unix(path: path), security: .plaintext)
                let grpc = GRPCServer(
                    transport: server,
                    services: [TestService(handlers: ["echo": TestService.echo])]
                )
                let running = Task { try await grpc.serve() }
                for await state in states { if case .ready = state { break } }
                if number == 0 {
                    let answer = try await waiting.value
                    #expect(answer == [3])
                }
                let response = try await client.call("echo", [5], options: patient)
                #expect(try response.message == [5])
                running.cancel()
                try await running.value
            }
        }
    }

    @Test func `states come in order, with the reason of a wait`() async throws {
        let (states, state) = AsyncStream<ConnectionState>.makeStream()
        var configuration = ClientConfiguration()
        configuration.backoff = BackoffConfiguration(random: { 0.5 })
        configuration.onStateChange = { state.yield($0) }
        let transport = HTTP2ClientTransport(
            target: .dns(host: "127.0.0.1", port: 1),
            security: .plaintext,
            configuration: configuration
        )
        let running = Task { try await transport.connect() }
        var seen: [ConnectionState] = []
        for await state in states {
            seen.append(state)
            if seen.count == 2 { transport.beginGracefulShutdown() }
            if state == .shutDown { break }
        }
        try await running.value
        #expect(seen.first == .connecting)
        guard case .backoff(.seconds(1), let reason) = seen[1] else {
            Issue.record("not a wait: \(seen[1])")
            return
        }
        #expect(reason.code == .connectionRefused)
        #expect(seen.last == .shutDown)
    }

    @Test func `a transport that was shut down before it began does not connect`() async throws {
        let transport = HTTP2ClientTransport(
            target: .dns(host: "127.0.0.1", port: 1),
            security: .plaintext
        )
        transport.beginGracefulShutdown()
        let error = await rpcError { try await transport.connect() }
        #expect(error?.code == .failedPrecondition)
    }
}
