import LightningTypes
import LndRPC
import Testing

@testable import Bridge

@Suite(.timeLimit(.minutes(10))) struct EventQueueTests {
    private func queue(perPeer: Int = 2, total: Int = 3) -> EventQueue {
        EventQueue(
            EventQueue.Bounds(
                messagesPerPeer: perPeer,
                messages: total,
                paidReserve: 1,
                invoices: 2
            )
        )
    }

    private func message(_ number: Int, from peer: Int = 1) -> InboundMessage {
        InboundMessage(
            peer: SessionSample.peer(peer),
            type: 42_083,
            protocolVersion: 1,
            jobID: .zero,
            messageID: SessionSample.bytes32(number),
            effectiveExpiry: SessionSample.now,
            payload: [],
            replayQuota: 1
        )
    }

    /// What waits, in words.
    private func drain(_ queue: EventQueue) async -> [String] {
        queue.finish()
        var words: [String] = []
        while let event = await queue.next() {
            switch event {
            case .ready: words.append("ready")
            case .lost: words.append("lost")
            case .message: words.append("message")
            case .messagesReopened: words.append("messages reopened")
            case .invoice: words.append("invoice")
            case .invoicesReopened: words.append("invoices reopened")
            case .peerOnline: words.append("online")
            case .peerOffline: words.append("offline")
            }
        }
        return words
    }

    @Test func `messages beyond a peer's share and the whole are refused`() async {
        let queue = queue()
        #expect(queue.offer(message(1), isPaid: false))
        #expect(queue.offer(message(2), isPaid: false))
        #expect(!queue.offer(message(3), isPaid: false), "the peer's share")
        #expect(queue.offer(message(3), isPaid: true), "but not for a paid job")
        #expect(!queue.hasRoom(for: SessionSample.peer(2), isPaid: false), "the whole")
        #expect(queue.offer(message(4), isPaid: true))
        #expect(!queue.offer(message(5), isPaid: true), "and its reserve")
        guard case .message(let first) = await queue.next() else {
            Issue.record("no message")
            return
        }
        #expect(first == message(1))
        for _ in 1...2 { _ = await queue.next() }
        #expect(queue.offer(message(6), isPaid: false), "there is room again")
        #expect(await drain(queue) == ["message", "message"])
    }

    @Test func `of everything else the newest is kept, the most urgent first`() async {
        let queue = queue()
        let lost = SessionEvent.lost(LndError(.unavailable, ""))
        _ = queue.offer(message(1), isPaid: false)
        for event in [
            .messagesReopened, .peerOnline(SessionSample.peer(1)), lost, .invoicesReopened,
            .peerOffline(SessionSample.peer(1)), .messagesReopened, .ready(SessionSample.node),
            .invoice(SessionSample.invoice(1)),
        ] as [SessionEvent] {
            #expect(queue.post(event))
        }
        let expected = [
            "ready", "offline", "messages reopened", "invoices reopened", "invoice", "message",
        ]
        #expect(await drain(queue) == expected)
    }

    @Test func `settlements without room become a wish to look them up`() async {
        let queue = queue()
        #expect(queue.post(.invoice(SessionSample.invoice(1))))
        #expect(queue.post(.invoice(SessionSample.invoice(2))))
        #expect(!queue.post(.invoice(SessionSample.invoice(3))))
        #expect(await drain(queue) == ["invoices reopened", "invoice", "invoice"])
    }

    @Test func `a reader that waits gets what comes, and the end`() async {
        let queue = queue()
        let reader = Task {
            var count = 0
            for await _ in SessionEvents(queue: queue) { count += 1 }
            return count
        }
        var sent = 0
        while sent < 100 {
            if queue.offer(message(sent, from: sent), isPaid: false) {
                sent += 1
            } else {
                await Task.yield()
            }
        }
        queue.finish()
        #expect(await reader.value == 100)
        #expect(!queue.offer(message(1), isPaid: true))
    }

    @Test func `a cancelled reader ends and loses nothing`() async {
        let queue = queue()
        let reader = Task { await queue.next() }
        reader.cancel()
        #expect(await reader.value == nil)
        #expect(queue.offer(message(1), isPaid: false))
        #expect(await drain(queue) == ["message"])
    }
}
