import GRPCCore
import GRPCNGHTTP2
import NGHTTP2
import Testing

/// How calls end early: cancelled, late, reset, or with their connection.
@Suite struct EndingTests {
    @Test func `a client that cancels ends the server's handler`() async throws {
        let (events, event) = AsyncStream<String>.makeStream()
        let waiting: ServerHandler = { _, context in
            event.yield("started")
            try? await context.cancellation.cancelled
            event.yield("cancelled")
            return StreamingServerResponse(error: RPCError(code: .cancelled, message: ""))
        }
        try await withBench(["wait": waiting]) { client in
            var iterator = events.makeAsyncIterator()
            let call = Task { try await client.call("wait", [1]).message }
            #expect(await iterator.next() == "started")
            call.cancel()
            let error = await rpcError { _ = try await call.value }
            #expect(error?.code == .cancelled)
            #expect(await iterator.next() == "cancelled")
        }
    }

    @Test func `a client that stops reading early resets the call`() async throws {
        let (ended, end) = AsyncStream<RPCError?>.makeStream()
        let endless: ServerHandler = { _, _ in
            StreamingServerResponse { writer in
                let error = await rpcError { while true { try await writer.write([1]) } }
                end.yield(error)
                return [:]
            }
        }
        try await withBench(["endless": endless]) { client in
            let first = try await client.stream("endless") { _ in
            } reading: { response in
                for try await message in response.messages { return message }
                return []
            }
            #expect(first == [1])
            for await error in ended {
                #expect(error?.code == .cancelled)
                break
            }
        }
    }

    @Test func `a deadline ends the call on the client`() async throws {
        let waiting: ServerHandler = { _, context in
            try? await context.cancellation.cancelled
            throw RPCError(code: .aborted, message: "too late to tell")
        }
        try await withBench(["wait": waiting]) { client in
            var options = CallOptions.defaults
            options.timeout = .milliseconds(50)
            let hurried = options
            let error = await rpcError {
                _ = try await client.call("wait", [1], options: hurried).message
            }
            #expect(error?.code == .deadlineExceeded)
        }
    }

    @Test func `a deadline ends the call on the server, whatever the handler does`() async throws {
        let (cancelled, cancel) = AsyncStream<Void>.makeStream()
        let waiting: ServerHandler = { request, context in
            #expect(request.metadata[stringValues: "grpc-timeout"].first { _ in true } == nil)
            try? await context.cancellation.cancelled
            cancel.yield()
            throw RPCError(code: .aborted, message: "too late to tell")
        }
        try await withBench(["wait": waiting]) { client in
            // Stated in metadata only, so that the client itself does not look at the clock.
            let error = await rpcError {
                _ = try await client.call("wait", [1], metadata: ["grpc-timeout": "50m"]).message
            }
            #expect(error?.code == .deadlineExceeded)
            for await _ in cancelled { break }
        }
    }

    @Test func `a handler that fails while the client still sends ends the call`() async throws {
        let failing: ServerHandler = { _, _ in throw RPCError(code: .aborted, message: "no") }
        try await withBench(["fail": failing, "echo": TestService.echo]) { client in
            let error = await rpcError {
                try await client.stream("fail") { writer in
                    while true { try await writer.write(Array(repeating: 0, count: 10_000)) }
                } reading: { response in
                    for try await _ in response.messages {}
                }
            }
            #expect(error?.code == .aborted)
            let response = try await client.call("echo", [1])
            #expect(try response.message == [1])
        }
    }

    @Test func `an error while writing a request is the call's error`() async throws {
        try await withBench { client in
            let error = await rpcError {
                try await client.stream("echo") { _ in
                    throw RPCError(code: .outOfRange, message: "mine")
                } reading: { response in
                    for try await _ in response.messages {}
                }
            }
            #expect(error?.code == .outOfRange)
        }
    }

    @Test func `a server that is stopped ends its calls, and they can be told from its errors`()
        async throws
    {
        let (started, start) = AsyncStream<Void>.makeStream()
        let waiting: ServerHandler = { _, context in
            start.yield()
            try? await context.cancellation.cancelled
            throw RPCError(code: .aborted, message: "stopped")
        }
        let server = HTTP2ServerTransport(address: .ip("127.0.0.1", port: 0), security: .plaintext)
        let grpc = GRPCServer(
            transport: server,
            services: [TestService(handlers: ["wait": waiting])]
        )
        let running = Task { try await grpc.serve() }
        let transport = HTTP2ClientTransport(
            target: try await server.listeningAddress.target,
            security: .plaintext
        )
        try await withGRPCClient(transport: transport) { client in
            let call = Task { try await client.call("wait", [1]).message }
            for await _ in started { break }
            running.cancel()
            let error = await rpcError { _ = try await call.value }
            #expect(error?.code == .unavailable)
            #expect(error?.transportError != nil)
        }
        try await running.value
    }

    @Test func `shutting a server down lets its calls end`() async throws {
        let (started, start) = AsyncStream<Void>.makeStream()
        let (released, release) = AsyncStream<Void>.makeStream()
        let slow: ServerHandler = { _, _ in
            StreamingServerResponse { writer in
                start.yield()
                for await _ in released { break }
                try await writer.write([7])
                return [:]
            }
        }
        let server = HTTP2ServerTransport(address: .ip("127.0.0.1", port: 0), security: .plaintext)
        let grpc = GRPCServer(transport: server, services: [TestService(handlers: ["slow": slow])])
        let running = Task { try await grpc.serve() }
        let (states, state) = AsyncStream<ConnectionState>.makeStream()
        var configuration = ClientConfiguration()
        configuration.onStateChange = { state.yield($0) }
        let transport = HTTP2ClientTransport(
            target: try await server.listeningAddress.target,
            security: .plaintext,
            configuration: configuration
        )
        try await withGRPCClient(transport: transport) { client in
            let call = Task { try await client.call("slow", [1]).message }
            for await _ in started { break }
            grpc.beginGracefulShutdown()
            // The client hears of it and looks for another connection, in vain.
            for await state in states {
                if case .backoff(_, let reason) = state {
                    #expect([.connectionClosed, .connectionRefused].contains(reason.code))
                    break
                }
            }
            release.yield()
            let answer = try await call.value
            #expect(answer == [7])
        }
        try await running.value
    }

    @Test func `a server's patience at shutdown has an end`() async throws {
        let (started, start) = AsyncStream<Void>.makeStream()
        let waiting: ServerHandler = { _, context in
            start.yield()
            try? await context.cancellation.cancelled
            throw RPCError(code: .aborted, message: "stopped")
        }
        var configuration = ServerConfiguration()
        configuration.shutdownGrace = .milliseconds(20)
        let server = HTTP2ServerTransport(
            address: .ip("127.0.0.1", port: 0),
            security: .plaintext,
            configuration: configuration
        )
        let grpc = GRPCServer(
            transport: server,
            services: [TestService(handlers: ["wait": waiting])]
        )
        let running = Task { try await grpc.serve() }
        let transport = HTTP2ClientTransport(
            target: try await server.listeningAddress.target,
            security: .plaintext
        )
        try await withGRPCClient(transport: transport) { client in
            let call = Task { try await client.call("wait", [1]).message }
            for await _ in started { break }
            grpc.beginGracefulShutdown()
            let error = await rpcError { _ = try await call.value }
            #expect(error?.code == .unavailable)
        }
        try await running.value
    }

    @Test func `shutting a client down lets its calls end and refuses new ones`() async throws {
        let (started, start) = AsyncStream<Void>.makeStream()
        let (released, release) = AsyncStream<Void>.makeStream()
        let slow: ServerHandler = { _, _ in
            start.yield()
            for await _ in released { break }
            return StreamingServerResponse { writer in
                try await writer.write([7])
                return [:]
            }
        }
        let server = HTTP2ServerTransport(address: .ip("127.0.0.1", port: 0), security: .plaintext)
        try await withGRPCServer(
            transport: server,
            services: [TestService(handlers: ["slow": slow])]
        ) { _ in
            let transport = HTTP2ClientTransport(
                target: try await server.listeningAddress.target,
                security: .plaintext
            )
            let connected = Task { try await transport.connect() }
            let client = GRPCClient(transport: transport)
            let call = Task { try await client.call("slow", [1]).message }
            for await _ in started { break }
            transport.beginGracefulShutdown()
            let error = await rpcError { _ = try await client.call("slow", [1]).message }
            #expect(error?.code == .failedPrecondition)
            release.yield()
            let answer = try await call.value
            #expect(answer == [7])
            try await connected.value
        }
    }

    @Test func `cancelling connect ends the open calls`() async throws {
        let (started, start) = AsyncStream<Void>.makeStream()
        let waiting: ServerHandler = { _, context in
            start.yield()
            try? await context.cancellation.cancelled
            throw RPCError(code: .aborted, message: "stopped")
        }
        let server = HTTP2ServerTransport(address: .ip("127.0.0.1", port: 0), security: .plaintext)
        try await withGRPCServer(
            transport: server,
            services: [TestService(handlers: ["wait": waiting])]
        ) { _ in
            let transport = HTTP2ClientTransport(
                target: try await server.listeningAddress.target,
                security: .plaintext
            )
            let connected = Task { try await transport.connect() }
            let client = GRPCClient(transport: transport)
            let call = Task { try await client.call("wait", [1]).message }
            for await _ in started { break }
            connected.cancel()
            let error = await rpcError { _ = try await call.value }
            #expect(error?.code == .unavailable)
            #expect(error?.transportError?.code == .shutDown)
            try await connected.value
        }
    }
}
