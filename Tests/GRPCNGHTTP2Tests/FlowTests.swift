import GRPCCore
import GRPCNGHTTP2
import NGHTTP2
import Synchronization
import Testing

/// Flow control: who is slow stalls, and nobody else does.
@Suite struct FlowTests {
    private static let size = 10_000

    /// Writes without end and counts what it could write.
    private static func flood(_ written: Counter) -> ServerHandler {
        { _, _ in
            StreamingServerResponse { writer in
                while true {
                    try await writer.write([UInt8](repeating: 0, count: size))
                    written.add(1)
                }
            }
        }
    }

    @Test func `a slow reader stalls its own stream and no other`() async throws {
        let slow = Counter()
        let fast = Counter()
        try await withBench(["slow": Self.flood(slow), "fast": Self.flood(fast)]) { client in
            let (stalled, stall) = AsyncStream<Void>.makeStream()
            let reader = Task {
                try await client.stream("slow") { _ in
                } reading: { response in
                    var iterator = response.messages.makeAsyncIterator()
                    _ = try await iterator.next()
                    // Reads no more until the other stream is through.
                    for await _ in stalled { break }
                    let before = slow.value
                    for _ in 0..<500 { _ = try await iterator.next() }
                    return before
                }
            }
            let read = try await client.stream("fast") { _ in
            } reading: { response in
                var count = 0
                for try await _ in response.messages {
                    count += 1
                    if count == 2_000 { break }
                }
                return count
            }
            #expect(read == 2_000)
            stall.yield()
            let before = try await reader.value
            // Both marks, the window, and what sockets and frames hold: far from what the fast one
            // read, and bounded.
            #expect(before * Self.size < 2_000_000)
            #expect(slow.value > before)
        }
    }

    @Test func `a slow handler stalls the client that writes to it`() async throws {
        let (released, release) = AsyncStream<Void>.makeStream()
        let written = Counter()
        let lazy: ServerHandler = { request, _ in
            for await _ in released { break }
            var count = 0
            for try await _ in request.messages { count += 1 }
            let total = count
            return StreamingServerResponse { writer in
                try await writer.write(Array("\(total)".utf8))
                return [:]
            }
        }
        try await withBench(["lazy": lazy, "echo": TestService.echo]) { client in
            let (full, fill) = AsyncStream<Int>.makeStream()
            let call = Task {
                try await client.stream("lazy") { writer in
                    for number in 0..<500 {
                        try await writer.write([UInt8](repeating: 0, count: Self.size))
                        written.add(1)
                        fill.yield(number)
                    }
                } reading: { response in
                    try await response.messages.reduce(into: [UInt8]()) { $0 += $1 }
                }
            }
            for await number in full where number == 20 { break }
            // Other calls of the same connection go on.
            for number in UInt8(0)..<100 {
                let response = try await client.call("echo", [number])
                #expect(try response.message == [number])
            }
            #expect(written.value < 200)
            release.yield()
            let answer = try await call.value
            #expect(answer == Array("500".utf8))
        }
    }

    @Test func `a message larger than every window and mark goes through`() async throws {
        var server = ServerConfiguration()
        server.unreadMark = 1_000
        server.unsentMark = 1_000
        server.http2.streamWindow = 1_000
        var client = ClientConfiguration()
        client.unreadMark = 1_000
        client.unsentMark = 1_000
        client.http2.streamWindow = 1_000
        try await withBench(serverConfiguration: server, clientConfiguration: client) { client in
            let message = [UInt8](repeating: 9, count: 300_000)
            let answers = try await client.stream("echo") { writer in
                for _ in 0..<5 { try await writer.write(message) }
            } reading: { response in
                try await response.messages.reduce(into: 0) { $0 += $1 == message ? 1 : 0 }
            }
            #expect(answers == 5)
        }
    }

    @Test func `a writer that waits can be cancelled with its call`() async throws {
        let (started, start) = AsyncStream<Void>.makeStream()
        let deaf: ServerHandler = { _, context in
            start.yield()
            try? await context.cancellation.cancelled
            throw RPCError(code: .aborted, message: "")
        }
        try await withBench(["deaf": deaf]) { client in
            let call = Task {
                try await client.stream("deaf") { writer in
                    while true { try await writer.write([UInt8](repeating: 0, count: Self.size)) }
                } reading: { response in
                    for try await _ in response.messages {}
                }
            }
            for await _ in started { break }
            call.cancel()
            let error = await rpcError { try await call.value }
            #expect(error?.code == .cancelled)
        }
    }
}

/// Counts across tasks.
final class Counter: Sendable {
    private let state = Mutex(0)

    var value: Int { state.withLock { $0 } }

    func add(_ number: Int) { state.withLock { $0 += number } }
}
