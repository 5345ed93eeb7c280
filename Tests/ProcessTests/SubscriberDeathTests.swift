import Foundation
import Subprocess
import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(10))) struct SubscriberDeathTests {
    @Test func `the subscription of a killed process ends, and that of another goes on`()
        async throws
    {
        let path = "/tmp/lcp-death-\(UUID().uuidString.prefix(8))"
        defer { unlink(path) }
        let context = try Context()
        let xpub = try await context.xpub(.ipc(path: path)) { _ in true }
        let survivor = try await context.sub(.ipc(path: path), topics: [Array("b".utf8)])
        let kept = try await started(xpub)

        async let peer = Program(name: "bus-peer").run(path, "a")
        let subscription = try await started(xpub)
        #expect(subscription.topic == Array("a".utf8))
        // The kernel told libzmq whose connection it is: localhost:uid:gid:pid.
        let pid = try #require(
            subscription.peerAddress?.split(separator: ":").last.flatMap { pid_t($0) }
        )
        try #require(kill(pid, SIGKILL) == 0)
        #expect(try await xpub.events() == [.ended(subscription)])
        #expect(try await peer.status == .signaled(SIGKILL))

        try await xpub.send([Frame("still here")], to: kept)
        #expect(try await survivor.receive().map { $0.tail.first?.text } == ["still here"])
        await context.shutDown()
    }

    private func started(_ socket: XPubSocket) async throws -> Subscription {
        let events = try await socket.events()
        guard case .started(let subscription) = try #require(events.first) else {
            throw CancellationError()
        }
        return subscription
    }
}
