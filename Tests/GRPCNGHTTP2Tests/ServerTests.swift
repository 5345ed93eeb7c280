import GRPCCore
import GRPCNGHTTP2
import Glibc
import NGHTTP2
import Testing

/// What a server bears from clients that are broken or hostile.
@Suite struct ServerTests {
    /// Runs a server with an echo method and hands over its port.
    private func withServer<R: Sendable>(
        _ configuration: ServerConfiguration = ServerConfiguration(),
        _ security: ServerSecurity = .plaintext,
        handlers: [String: ServerHandler] = ["echo": TestService.echo],
        _ body: (UInt16) async throws -> R
    ) async throws -> R {
        let transport = HTTP2ServerTransport(
            address: .ip("127.0.0.1", port: 0),
            security: security,
            configuration: configuration
        )
        return try await withGRPCServer(
            transport: transport,
            services: [TestService(handlers: handlers)]
        ) { _ in
            guard case .ip(_, let port) = try await transport.listeningAddress else {
                throw Failure("no port")
            }
            return try await body(port)
        }
    }

    private func hasStatus(_ code: String) -> (HTTP2Event) -> Bool {
        { event in
            guard case .headers(_, let fields, _) = event else { return false }
            return fields.contains(HeaderField("grpc-status", code))
        }
    }

    private func isHTTP(_ status: String) -> (HTTP2Event) -> Bool {
        { event in
            guard case .headers(_, let fields, true) = event else { return false }
            return fields == [HeaderField(":status", status)]
        }
    }

    @Test func `a connection that says nothing is closed after the handshake timeout`()
        async throws
    {
        var configuration = ServerConfiguration()
        configuration.handshakeTimeout = .milliseconds(30)
        let certificate = try TestCertificate()
        for security in [ServerSecurity.plaintext, certificate.server] {
            try await withServer(configuration, security) { port in
                let client = try RawClient(port: port)
                // Settings of the server may come first; then the end.
                while !client.read().isEmpty {}
            }
        }
    }

    @Test func `bytes that are not HTTP2 end their connection, and the server lives on`()
        async throws
    {
        try await withServer { port in
            for text in ["GET / HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}garbage garbage garbage"] {
                let client = try RawClient(port: port)
                client.write(Array(text.utf8))
                while !client.read().isEmpty {}
            }
            let client = try RawClient(port: port)
            let stream = try client.session.request(RawClient.request)
            client.session.send(stream, [0, 0, 0, 0, 1, 7])
            client.session.finish(stream)
            try client.exchange(until: hasStatus("0"))
            #expect(!client.isClosed)
        }
    }

    @Test func `a content type that is not gRPC is answered with HTTP 415`() async throws {
        try await withServer { port in
            let client = try RawClient(port: port)
            var request = RawClient.request
            request[4].value = "text/plain"
            _ = try client.session.request(request, endStream: true)
            try client.exchange(until: isHTTP("415"))
            #expect(!client.isClosed)
        }
    }

    @Test(arguments: [
        ("compressed", [1, 0, 0, 0, 1, 7], "12"), ("cut short", [0, 0, 0, 0, 9, 7], "13"),
    ])
    func `a message that can't be read gives its call a status`(
        _ what: String,
        _ bytes: [UInt8],
        _ status: String
    ) async throws {
        try await withServer { port in
            let client = try RawClient(port: port)
            let stream = try client.session.request(RawClient.request)
            client.session.send(stream, bytes)
            client.session.finish(stream)
            try client.exchange(until: hasStatus(status))
            #expect(!client.isClosed, "\(what)")
        }
    }

    @Test func `opening and resetting streams without end is answered with a GOAWAY`()
        async throws
    {
        var configuration = ServerConfiguration()
        configuration.http2.resetBurst = 50
        configuration.http2.resetsPerSecond = 1
        try await withServer(configuration) { port in
            let client = try RawClient(port: port)
            for _ in 0..<1_000 {
                guard let stream = try? client.session.request(RawClient.request) else { break }
                try client.flush()
                client.session.reset(stream, .cancel)
                try client.flush()
            }
            let isGoAway = { (event: HTTP2Event) in
                if case .goAway = event { true } else { false }
            }
            try client.exchange(until: isGoAway)
            // The server may be gone before its GOAWAY is read: it is sent away either way.
            #expect(client.events.contains(where: isGoAway) || client.isClosed)
        }
    }

    @Test func `handlers of reset streams count, so that they can't pile up`() async throws {
        var configuration = ServerConfiguration()
        configuration.http2.maxConcurrentStreams = 2
        let (released, release) = AsyncStream<Void>.makeStream()
        let running = Counter()
        let deaf: ServerHandler = { _, _ in
            running.add(1)
            for await _ in released {}
            throw RPCError(code: .aborted, message: "")
        }
        try await withServer(configuration, handlers: ["echo": deaf]) { port in
            let client = try RawClient(port: port)
            try client.exchange { if case .settings = $0 { true } else { false } }
            for _ in 0..<200 {
                let stream = try client.session.request(RawClient.request)
                try client.flush()
                client.session.reset(stream, .cancel)
                try client.flush()
            }
            _ = try client.session.request(RawClient.request)
            try client.exchange {
                if case .closed(_, .refusedStream) = $0 { true } else { false }
            }
            #expect(!client.isClosed)
            #expect(running.value <= 20)
            release.finish()
        }
    }

    @Test func `a client that pings too often is sent away`() async throws {
        var configuration = ServerConfiguration()
        configuration.pingEnforcement = PingEnforcement()
        try await withServer(configuration) { port in
            let client = try RawClient(port: port)
            for number in 0..<5 {
                try client.session.ping(UInt64(number))
                try client.flush()
            }
            try client.exchange {
                if case .goAway(_, .enhanceYourCalm, "too_many_pings") = $0 { true } else { false }
            }
            #expect(!client.isClosed)
        }
    }

    @Test func `a server asks a silent client whether it lives, and closes when it does not`()
        async throws
    {
        var configuration = ServerConfiguration()
        configuration.keepalive = .server(interval: .milliseconds(20), timeout: .milliseconds(30))
        try await withServer(configuration) { port in
            let client = try RawClient(port: port)
            try client.exchange { if case .ping = $0 { true } else { false } }
            #expect(!client.isClosed)
            // Answers nothing any more.
            while !client.read().isEmpty {}
        }
    }

    @Test func `connections above the limit are closed at once`() async throws {
        var configuration = ServerConfiguration()
        configuration.maxConnections = 1
        try await withServer(configuration) { port in
            let first = try RawClient(port: port)
            try first.exchange { if case .settings = $0 { true } else { false } }
            let second = try RawClient(port: port)
            #expect(second.read().isEmpty)
        }
    }

    @Test func `headers above the limit are refused on both sides`() async throws {
        try await withBench { client in
            let large: Metadata = ["test-large": "\(String(repeating: "x", count: 100_000))"]
            let error = await rpcError {
                _ = try await client.call("echo", [1], metadata: large).message
            }
            #expect(error?.code == .resourceExhausted)
            let response = try await client.call("echo", [1])
            #expect(try response.message == [1])
        }
    }

    @Test func `more waiting calls than allowed are refused`() async throws {
        var configuration = ClientConfiguration()
        configuration.maxWaitingCalls = 2
        let transport = HTTP2ClientTransport(
            target: .dns(host: "127.0.0.1", port: 1),
            security: .plaintext,
            configuration: configuration
        )
        // Nobody connects: calls wait.
        let client = GRPCClient(transport: transport)
        await withTaskGroup(of: RPCError?.self) { group in
            for _ in 0..<3 {
                group.addTask { await rpcError { _ = try await client.call("echo", [1]).message } }
            }
            let first = await group.next() ?? nil
            #expect(first?.code == .resourceExhausted)
            transport.beginGracefulShutdown()
            for await error in group { #expect(error?.code == .failedPrecondition) }
        }
    }

    @Test func `a socket file left behind is replaced, one in use is not`() async throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/socket"
        // Bound and never closed properly, as by a process that was killed.
        let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(left, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        close(left)
        #expect(status == 0)

        try await withBench(address: .unix(path: path)) { client in
            let response = try await client.call("echo", [1])
            #expect(try response.message == [1])
            let second = HTTP2ServerTransport(address: .unix(path: path), security: .plaintext)
            let error = await #expect(throws: GRPCTransportError.self) {
                try await second.listen { _, _ in }
            }
            #expect(error?.code == .addressUnavailable)
        }
        #expect(access(path, F_OK) != 0, "the socket file is removed at the end")
    }

    @Test func `a port in use is refused with its address`() async throws {
        try await withServer { port in
            let second = HTTP2ServerTransport(
                address: .ip("127.0.0.1", port: port),
                security: .plaintext
            )
            let error = await #expect(throws: GRPCTransportError.self) {
                try await second.listen { _, _ in }
            }
            #expect(error?.code == .addressUnavailable)
            #expect(error?.detail.contains("127.0.0.1:\(port)") == true)
        }
    }
}
