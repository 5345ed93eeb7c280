import GRPCCore
import Testing

@testable import GRPCNGHTTP2

@Suite struct ChannelTests {
    private func message(_ part: InboundPart?) -> [UInt8]? {
        if case .message(let bytes) = part { bytes } else { nil }
    }

    @Test func `a reader that is behind stalls, and says when it has caught up`() async throws {
        let channel = InboundChannel(mark: 200)
        #expect(channel.push(.message(Array(repeating: 1, count: 100))))
        #expect(!channel.push(.message(Array(repeating: 2, count: 100))))
        var caughtUp = 0
        _ = try await channel.next(isolation: nil) { caughtUp += 1 }
        #expect(caughtUp == 1)
        _ = try await channel.next(isolation: nil) { caughtUp += 1 }
        #expect(caughtUp == 1)
        #expect(channel.push(.message([3])))
    }

    @Test func `what was received comes before the error`() async throws {
        let channel = InboundChannel(mark: 100)
        _ = channel.push(.message([1]))
        channel.fail(RPCError(code: .unavailable, message: "gone"))
        let first = try await channel.next(isolation: nil) {}
        #expect(message(first) == [1])
        let error = await rpcError { _ = try await channel.next(isolation: nil) {} }
        #expect(error?.code == .unavailable)
    }

    @Test func `an abort drops what was not read`() async throws {
        let channel = InboundChannel(mark: 100)
        _ = channel.push(.message([1]))
        channel.abort(.cancelled)
        let error = await rpcError { _ = try await channel.next(isolation: nil) {} }
        #expect(error?.code == .cancelled)
    }

    @Test func `a waiting reader is woken by a part, an end and a cancellation`() async throws {
        let channel = InboundChannel(mark: 100)
        async let first = channel.next(isolation: nil) {}
        _ = channel.push(.message([7]))
        #expect(message(try await first) == [7])

        let reader = Task { try await channel.next(isolation: nil) {} }
        reader.cancel()
        let error = await rpcError { _ = try await reader.value }
        #expect(error?.code == .cancelled)

        async let last = channel.next(isolation: nil) {}
        channel.finish()
        let end = try await last
        #expect(message(end) == nil)
    }

    @Test func `a writer waits for room, and one large message always passes`() async throws {
        let gate = OutboundGate(mark: 100)
        try await gate.enter(1_000)
        let second = Task { try await gate.enter(10) }
        gate.leave(1_000)
        try await second.value
        #expect(gate.closedError == nil)
    }

    @Test func `a waiting writer is released by the end of the call`() async throws {
        let gate = OutboundGate(mark: 100)
        try await gate.enter(100)
        let waiting = Task { try await gate.enter(1) }
        gate.close(RPCError(code: .unavailable, message: "over"))
        let error = await rpcError { try await waiting.value }
        #expect(error?.code == .unavailable)
        let later = await rpcError { try await gate.enter(1) }
        #expect(later?.code == .unavailable)
    }

    @Test func `a waiting writer can be cancelled`() async throws {
        let gate = OutboundGate(mark: 100)
        try await gate.enter(100)
        let waiting = Task { try await gate.enter(1) }
        waiting.cancel()
        let error = await rpcError { try await waiting.value }
        #expect(error?.code == .cancelled)
    }
}
