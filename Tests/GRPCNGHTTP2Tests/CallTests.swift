import GRPCCore
import GRPCNGHTTP2
import NGHTTP2
import Testing

@Suite struct CallTests {
    @Test func `a unary call over TLS brings its message back`() async throws {
        let certificate = try TestCertificate()
        try await withBench(server: certificate.server, client: certificate.client) { client in
            let response = try await client.call("echo", [1, 2, 3])
            #expect(try response.message == [1, 2, 3])
        }
    }

    @Test func `a unary call over a unix socket brings its message back`() async throws {
        let directory = try TemporaryDirectory()
        try await withBench(address: .unix(path: "\(directory.path)/socket")) { client in
            let response = try await client.call("echo", [])
            #expect(try response.message == [])
        }
    }

    @Test func `a unary call over IPv6 brings its message back`() async throws {
        try await withBench(address: .ip("::1", port: 0)) { client in
            let response = try await client.call("echo", [9])
            #expect(try response.message == [9])
        }
    }

    @Test func `a host name is looked up`() async throws {
        let certificate = try TestCertificate()
        let transport = HTTP2ServerTransport(
            address: .ip("127.0.0.1", port: 0),
            security: certificate.server
        )
        try await withGRPCServer(
            transport: transport,
            services: [TestService(handlers: ["echo": TestService.echo])]
        ) { _ in
            guard case .ip(_, let port) = try await transport.listeningAddress else {
                throw Failure("no port")
            }
            let client = HTTP2ClientTransport(
                target: .dns(host: "localhost", port: port),
                security: certificate.client
            )
            try await withGRPCClient(transport: client) { client in
                let response = try await client.call("echo", [5])
                #expect(try response.message == [5])
            }
        }
    }

    @Test func `the client streams, the server answers once`() async throws {
        try await withBench(["count": TestService.count]) { client in
            let answer = try await client.stream("count") { writer in
                for size in 0..<100 { try await writer.write(Array(repeating: 0, count: size)) }
            } reading: { response in
                try await response.messages.reduce(into: [UInt8]()) { $0 += $1 }
            }
            #expect(answer == Array("100 4950".utf8))
        }
    }

    @Test func `the server streams, the client reads to the end`() async throws {
        let numbers: ServerHandler = { _, _ in
            StreamingServerResponse { writer in
                for number in 0..<1_000 { try await writer.write(Array("\(number)".utf8)) }
                return [:]
            }
        }
        try await withBench(["numbers": numbers]) { client in
            let count = try await client.stream("numbers") { _ in
            } reading: { response in
                var next = 0
                for try await message in response.messages {
                    #expect(message == Array("\(next)".utf8))
                    next += 1
                }
                return next
            }
            #expect(count == 1_000)
        }
    }

    @Test func `both sides stream, each message answered before the next is sent`() async throws {
        try await withBench { client in
            let (turns, turn) = AsyncStream<Void>.makeStream()
            turn.yield()
            try await client.stream("echo") { writer in
                var next: UInt8 = 0
                for await _ in turns {
                    try await writer.write([next])
                    next += 1
                }
            } reading: { response in
                var count: UInt8 = 0
                for try await message in response.messages {
                    #expect(message == [count])
                    count += 1
                    if count < 50 { turn.yield() } else { turn.finish() }
                }
                #expect(count == 50)
            }
        }
    }

    @Test func `metadata goes both ways, binary and repeated values too`() async throws {
        var metadata: Metadata = ["test-text": "a, b", "test-data-bin": [0, 255, 7]]
        metadata.addString("second", forKey: "test-text")
        let sent = metadata
        try await withBench { client in
            let response = try await client.call("echo", [1], metadata: sent)
            #expect(response.metadata.custom == sent)
            #expect(response.trailingMetadata.custom == sent)
        }
    }

    @Test(arguments: [
        "plain", "100 % sure\n", "Grüße aus Zürich, 雷 ⚡", String(repeating: "x", count: 4_096), "",
    ])
    func `an error's code, text and metadata arrive`(_ text: String) async throws {
        let failing: ServerHandler = { _, _ in
            throw RPCError(code: .notFound, message: text, metadata: ["test-why": "because"])
        }
        try await withBench(["fail": failing]) { client in
            let error = await rpcError { _ = try await client.call("fail", [1]).message }
            #expect(error?.code == .notFound)
            #expect(error?.message == text)
            #expect(error?.metadata.custom == ["test-why": "because"])
        }
    }

    @Test func `a very long error text is cut, and the status still arrives`() async throws {
        let failing: ServerHandler = { _, _ in
            throw RPCError(code: .aborted, message: String(repeating: "ü", count: 100_000))
        }
        try await withBench(["fail": failing]) { client in
            let error = await rpcError { _ = try await client.call("fail", [1]).message }
            #expect(error?.code == .aborted)
            #expect(error?.message == String(repeating: "ü", count: 2_048))
        }
    }

    @Test func `an error after messages comes after them`() async throws {
        let failing: ServerHandler = { _, _ in
            StreamingServerResponse { writer in
                try await writer.write([1])
                throw RPCError(code: .dataLoss, message: "half way")
            }
        }
        try await withBench(["fail": failing]) { client in
            let read: ([[UInt8]], RPCError?) = try await client.stream("fail") { _ in
            } reading: { response in
                var messages: [[UInt8]] = []
                do {
                    for try await message in response.messages { messages.append(message) }
                    return (messages, nil)
                } catch {
                    return (messages, error as? RPCError)
                }
            }
            #expect(read.0 == [[1]])
            #expect(read.1?.code == .dataLoss)
        }
    }

    @Test func `a method nobody serves is unimplemented`() async throws {
        try await withBench { client in
            let error = await rpcError { _ = try await client.call("nothing", []).message }
            #expect(error?.code == .unimplemented)
        }
    }

    @Test func `headers held back come with the first message or the status`() async throws {
        var configuration = ServerConfiguration()
        configuration.holdsResponseHeaders = { _ in true }
        let (released, release) = AsyncStream<Void>.makeStream()
        let late: ServerHandler = { request, _ in
            StreamingServerResponse(metadata: request.metadata.custom) { writer in
                for await _ in released { break }
                try await writer.write([1])
                return [:]
            }
        }
        let failing: ServerHandler = { _, _ in
            StreamingServerResponse { _ in throw RPCError(code: .aborted, message: "never") }
        }
        try await withBench(
            ["late": late, "fail": failing, "echo": TestService.echo],
            serverConfiguration: configuration
        ) { client in
            async let first = client.call("late", [], metadata: ["test-a": "b"])
            // The other call goes all the way on the same connection meanwhile.
            let other = try await client.call("echo", [2])
            #expect(try other.message == [2])
            release.yield()
            let response = try await first
            #expect(try response.message == [1])
            #expect(response.metadata.custom == ["test-a": "b"])
            let error = await rpcError { _ = try await client.call("fail", []).message }
            #expect(error?.code == .aborted)
        }
    }

    @Test func `a thousand calls run at once on one connection`() async throws {
        try await withBench { client in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<1_000 {
                    group.addTask {
                        let message = Array("\(number)".utf8)
                        return try await client.call("echo", message).message == message ? 1 : 0
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 1_000)
        }
    }

    @Test func `calls beyond the server's limit wait their turn`() async throws {
        var configuration = ServerConfiguration()
        configuration.http2.maxConcurrentStreams = 3
        try await withBench(serverConfiguration: configuration) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in UInt8(0)..<100 {
                    group.addTask {
                        let response = try await client.call("echo", [number])
                        #expect(try response.message == [number])
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
