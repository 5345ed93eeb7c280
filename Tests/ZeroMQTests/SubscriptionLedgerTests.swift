import Testing

@testable import ZeroMQ

@Suite struct SubscriptionLedgerTests {
    private func ledger(limit: Int = 10) -> SubscriptionLedger {
        SubscriptionLedger(limit: limit) { $0.topic != [0xff] }
    }

    private func subscribe(_ topic: [UInt8]) -> SubscriptionLedger.News {
        .subscribe(topic, sender: nil, peerAddress: nil)
    }

    @Test func `each acceptance has a delivery topic of its own that begins with the topic`() {
        var ledger = ledger()
        let first = ledger.handle(subscribe([1]))
        let second = ledger.handle(subscribe([1]))
        #expect(first == .accept([1, 0, 0, 0, 0, 0, 0, 0, 0, 1]))
        #expect(second == .accept([1, 0, 0, 0, 0, 0, 0, 0, 0, 2]))
    }

    @Test func `a peer that went before its request was read is never sent to`() {
        var ledger = ledger()
        _ = ledger.handle(subscribe([1]))
        #expect(!ledger.isDry)
        _ = ledger.handle(.unsubscribe([1]))
        ledger.ranDry()
        #expect(ledger.isDry)
        #expect(ledger.takeEvents().isEmpty)
    }

    @Test func `a peer that came back while the old connection died is alive`() throws {
        var ledger = ledger()
        _ = ledger.handle(subscribe([1]))
        ledger.ranDry()
        guard case .started(let old) = try #require(ledger.takeEvents().first) else { return }
        _ = ledger.handle(.unsubscribe([1]))
        _ = ledger.handle(subscribe([1]))
        ledger.ranDry()
        let events = ledger.takeEvents()
        #expect(events.first == .ended(old))
        guard case .started(let new) = try #require(events.last) else {
            Issue.record("\(events)")
            return
        }
        #expect(ledger.isLive(new) && !ledger.isLive(old))
    }

    @Test func `a death among several of one topic voids what was accepted in the same round`()
        throws
    {
        var ledger = ledger()
        _ = ledger.handle(subscribe([1]))
        ledger.ranDry()
        guard case .started(let old) = try #require(ledger.takeEvents().first) else { return }
        _ = ledger.handle(subscribe([1]))
        _ = ledger.handle(.unsubscribe([1]))
        ledger.ranDry()
        // The second may be the dead one, whose pipe must not be touched; the first may be too.
        #expect(ledger.takeEvents() == [.unclear([old])])
        #expect(ledger.isLive(old))
    }

    @Test func `after a peer's message no request is accepted until the queue was empty`() {
        var ledger = ledger()
        #expect(ledger.handle(.message) == .nothing)
        #expect(ledger.handle(subscribe([1])) == .nothing)
        #expect(ledger.counts.unattributable == 1)
        ledger.ranDry()
        #expect(ledger.handle(subscribe([1])) == .accept([1, 0, 0, 0, 0, 0, 0, 0, 0, 1]))
        #expect(ledger.counts == SubscriptionCounts(unattributable: 1, strayMessages: 1))
    }

    @Test func `a refused peer's death does not end the accepted one for certain`() throws {
        var ledger = SubscriptionLedger(limit: 10) { $0.accepted == 0 }
        _ = ledger.handle(subscribe([1]))
        _ = ledger.handle(subscribe([1]))
        ledger.ranDry()
        let events = ledger.takeEvents()
        guard case .started(let accepted) = try #require(events.first) else { return }
        #expect(events.count == 1)
        _ = ledger.handle(.unsubscribe([1]))
        #expect(ledger.takeEvents() == [.unclear([accepted])])
        ledger.ranDry()
        _ = ledger.handle(.unsubscribe([1]))
        #expect(ledger.takeEvents() == [.ended(accepted)])
    }

    @Test func `a death of a topic nobody was accepted for changes nothing`() {
        var ledger = ledger()
        #expect(ledger.handle(subscribe([0xff])) == .nothing)
        #expect(ledger.handle(.unsubscribe([0xff])) == .nothing)
        #expect(ledger.takeEvents().isEmpty)
        #expect(ledger.counts.refused == 1)
    }

    @Test func `what nobody takes stays bounded, whatever peers do`() {
        var ledger = ledger(limit: 4)
        for round in 0..<10_000 {
            _ = ledger.handle(subscribe([UInt8(round % 7)]))
            if round % 3 != 0 { _ = ledger.handle(.unsubscribe([UInt8(round % 5)])) }
            if round % 11 == 0 { ledger.ranDry() }
        }
        #expect(ledger.takeEvents().count <= 3 * 4)
    }
}
