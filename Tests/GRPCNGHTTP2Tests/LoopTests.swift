import GRPCCore
import GRPCNGHTTP2
import Glibc
import NGHTTP2
import Testing

/// Calls and handlers on the thread of their connection.
@Suite struct LoopTests {
    private typealias Client = GRPCClient<HTTP2ClientTransport>

    /// Runs a server whose handlers are on the loop, and a client's transport beside it.
    private func withServer<R: Sendable>(
        _ handlers: [String: ServerHandler] = ["echo": TestService.echo],
        client configuration: ClientConfiguration = ClientConfiguration(),
        maxStreams: UInt32 = 100,
        _ body: @Sendable @escaping (HTTP2ClientTransport, UInt16) async throws -> R
    ) async throws -> R {
        var serverConfiguration = ServerConfiguration()
        serverConfiguration.runsHandlersOnLoop = true
        serverConfiguration.http2.maxConcurrentStreams = maxStreams
        let transport = HTTP2ServerTransport(
            address: .ip("127.0.0.1", port: 0),
            security: .plaintext,
            configuration: serverConfiguration
        )
        return try await withGRPCServer(
            transport: transport,
            services: [TestService(handlers: handlers)]
        ) { _ in
            guard case .ip(_, let port) = try await transport.listeningAddress else {
                throw Failure("no port")
            }
            let client = HTTP2ClientTransport(
                target: .dns(host: "127.0.0.1", port: port),
                security: .plaintext,
                configuration: configuration
            )
            return try await body(client, port)
        }
    }

    private static var onLoop: ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.runsCallsOnLoop = { _ in true }
        return configuration
    }

    @Test func `a task that prefers the transport's executor stays on one thread`() async throws {
        try await withServer { transport, _ in
            try await withTaskExecutorPreference(try transport.taskExecutor) {
                try await withGRPCClient(transport: transport) { client in
                    let own = pthread_self()
                    for number in UInt8(0)..<20 {
                        try await client.stream("echo") { writer in
                            #expect(pthread_self() == own)
                            try await writer.write([number])
                        } reading: { response in
                            for try await message in response.messages {
                                #expect(message == [number] && pthread_self() == own)
                            }
                        }
                        #expect(pthread_self() == own)
                    }
                }
            }
        }
    }

    @Test func `calls on the loop leave their caller where it is`() async throws {
        try await withServer(client: Self.onLoop) { transport, _ in
            let executor = try transport.taskExecutor
            let loop = await withTaskExecutorPreference(executor) {
                pthread_self()
            }
            try await withGRPCClient(transport: transport) { client in
                for number in UInt8(0)..<20 {
                    try await client.stream("echo") { writer in
                        #expect(pthread_self() == loop)
                        try await writer.write([number])
                    } reading: { response in
                        for try await message in response.messages {
                            #expect(message == [number] && pthread_self() == loop)
                        }
                    }
                    #expect(pthread_self() != loop)
                }
            }
        }
    }

    @Test func `many calls on the loop stream and take turns`() async throws {
        try await withServer(client: Self.onLoop, maxStreams: 7) { transport, _ in
            try await withGRPCClient(transport: transport) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for size in 0..<50 {
                        group.addTask {
                            let sent = [UInt8](repeating: UInt8(size), count: size * 10_000)
                            try await client.stream("echo") { writer in
                                for _ in 0..<3 { try await writer.write(sent) }
                            } reading: { response in
                                var count = 0
                                for try await message in response.messages {
                                    #expect(message == sent)
                                    count += 1
                                }
                                #expect(count == 3)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func `an answer leaves in one piece, with what the handler awaited in between`()
        async throws
    {
        actor Elsewhere { func visit() {} }
        let elsewhere = Elsewhere()
        let handler: ServerHandler = { request, _ in
            StreamingServerResponse { writer in
                for try await message in request.messages { try await writer.write(message) }
                await elsewhere.visit()
                return [:]
            }
        }
        try await withServer(["echo": handler]) { _, port in
            let client = try RawClient(port: port)
            try client.exchange { if case .settings = $0 { true } else { false } }
            let stream = try client.session.request(RawClient.request)
            client.session.send(stream, [0, 0, 0, 0, 1, 7])
            client.session.finish(stream)
            try client.flush()
            // An acknowledgement of settings may come before it.
            var pieces: [[UInt8]] = []
            var events: [HTTP2Event] = []
            while !events.contains(.remoteEnd(stream: stream)) {
                pieces.append(client.read())
                try client.session.receive(pieces[pieces.count - 1])
                let new = client.session.takeEvents()
                if new.contains(where: { if case .headers = $0 { true } else { false } }) {
                    events = new
                    #expect(new.contains(.remoteEnd(stream: stream)))
                }
            }
            #expect(events.contains(.data(stream: stream, bytes: [0, 0, 0, 0, 1, 7])))
        }
    }

    // MARK: - Timeouts

    private static let waiting: ServerHandler = { _, context in
        try? await context.cancellation.cancelled
        throw RPCError(code: .aborted, message: "too late to tell")
    }

    @Test(arguments: [false, true])
    func `a timeout the transport keeps ends the call on both sides`(_ onLoop: Bool) async throws {
        let entered = Counter()
        let (cancelled, cancel) = AsyncStream<Void>.makeStream()
        let handler: ServerHandler = { request, context in
            entered.add(1)
            defer { cancel.yield() }
            return try await Self.waiting(request, context)
        }
        let configuration = onLoop ? Self.onLoop : ClientConfiguration()
        try await withServer(["wait": handler], client: configuration) { transport, _ in
            try await withGRPCClient(transport: transport) { client in
                // On a busy machine the time may be over before the handler begins, or there is a
                // connection.
                var error: RPCError?
                repeat {
                    error = await rpcError {
                        try await HTTP2ClientTransport.withTimeout(.milliseconds(50)) {
                            _ = try await client.call("wait", [1]).message
                        }
                    }
                } while entered.value == 0
                #expect(error?.code == .deadlineExceeded)
                for await _ in cancelled { break }
            }
        }
    }

    @Test func `a timeout counts while a call waits for a stream`() async throws {
        let (entered, enter) = AsyncStream<Void>.makeStream()
        let handler: ServerHandler = { request, context in
            enter.yield()
            return try await Self.waiting(request, context)
        }
        try await withServer(["wait": handler], maxStreams: 1) { transport, _ in
            try await withGRPCClient(transport: transport) { client in
                let first = Task { try await client.call("wait", [1]).message }
                for await _ in entered { break }
                let error = await rpcError {
                    try await HTTP2ClientTransport.withTimeout(.milliseconds(20)) {
                        _ = try await client.call("wait", [1]).message
                    }
                }
                #expect(error?.code == .deadlineExceeded)
                first.cancel()
                await #expect(throws: RPCError.self) { try await first.value }
            }
        }
    }

    @Test(arguments: [Duration.milliseconds(20), .zero])
    func `a timeout counts while a call waits for a connection`(_ timeout: Duration) async {
        // Nobody connects: calls wait.
        let client = GRPCClient(
            transport: HTTP2ClientTransport(
                target: .dns(host: "127.0.0.1", port: 1),
                security: .plaintext
            )
        )
        let error = await rpcError {
            try await HTTP2ClientTransport.withTimeout(timeout) {
                _ = try await client.call("echo", [1]).message
            }
        }
        #expect(error?.code == .deadlineExceeded)
    }

    @Test func `a call within its timeout is not disturbed, nor is the next`() async throws {
        try await withServer { transport, _ in
            try await withGRPCClient(transport: transport) { client in
                for number in UInt8(0)..<200 {
                    let response = try await HTTP2ClientTransport.withTimeout(.seconds(600)) {
                        try await client.call("echo", [number])
                    }
                    #expect(try response.message == [number])
                }
            }
        }
    }
}
