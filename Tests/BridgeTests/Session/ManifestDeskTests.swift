import BridgeProtocol
import Foundation
import Journal
import LCPWire
import LightningTypes
import Testing

@testable import Bridge

@Suite struct ManifestDeskTests {
    private let alice = SessionSample.peer(1)

    private func time(_ seconds: UInt64) -> UnixTime { UnixTime(seconds: seconds) }

    private func connects(
        _ desk: inout ManifestDesk,
        _ peer: NodeID = SessionSample.peer(1),
        arrival: PeerDirectory.Arrival,
        at seconds: UInt64
    ) -> Bool {
        desk.connected(peer, arrival, at: time(seconds))
    }

    /// A desk that waits for nobody's offers.
    private func desk(_ change: (inout SessionSettings) -> Void = { _ in }) -> ManifestDesk {
        var settings = SessionSettings()
        change(&settings)
        var desk = ManifestDesk(settings)
        _ = desk.stopHolding()
        return desk
    }

    private func offer(_ kind: String, params: [UInt8] = []) -> BusCapability {
        var offer = BusCapability()
        offer.taskKind = kind
        offer.templateParams = Data(params)
        return offer
    }

    // LCP v0.1 §5.1: at most once per connection.
    // LCP v0.1 §5.1 [manifest-once]
    @Test func `a connection gets our manifest once`() throws {
        var desk = desk()
        let theirs = try SessionSample.manifest()
        #expect(connects(&desk, arrival: .now, at: 0))
        #expect(desk.received(theirs, from: alice, at: time(5))?.wantsOurs == false)
        #expect(connects(&desk, arrival: .now, at: 10), "a new connection")
        desk.disconnected(alice)
        #expect(connects(&desk, arrival: .now, at: 20))
    }

    @Test func `a peer that speaks first is answered once`() throws {
        var desk = desk { $0.sendsManifestFirst = false }
        let theirs = try SessionSample.manifest()
        #expect(!connects(&desk, arrival: .now, at: 0))
        #expect(desk.received(theirs, from: alice, at: time(5))?.wantsOurs == true)
        #expect(desk.kept(alice)?.answeredAt == time(5))
        #expect(desk.received(theirs, from: alice, at: time(35))?.wantsOurs == false)
    }

    @Test func `a repeated manifest is answered once in ten minutes`() throws {
        var desk = desk()
        let theirs = try SessionSample.manifest()
        _ = desk.connected(alice, .now, at: time(0))
        // The reference repeats its manifest every 30 seconds.
        let answers = (0..<60).filter { index in
            desk.received(theirs, from: alice, at: time(5 + 30 * index))?.wantsOurs == true
        }
        #expect(answers == [1, 21, 41])

        // Across a restart of ours, too, but for the first on the new connection.
        let kept = try #require(desk.kept(alice))
        var again = self.desk()
        #expect(again.load([kept]).isEmpty)
        _ = again.connected(alice, .before, at: time(1300))
        #expect(again.received(theirs, from: alice, at: time(1310))?.wantsOurs == false)
        #expect(again.received(theirs, from: alice, at: time(1340))?.wantsOurs == false)
        #expect(again.received(theirs, from: alice, at: time(1840))?.wantsOurs == true)
    }

    @Test func `a peer that was not there when ours was sent gets it again`() throws {
        let theirs = try SessionSample.manifest()
        var late = desk()
        _ = late.connected(alice, .now, at: time(0))
        #expect(late.received(theirs, from: alice, at: time(10))?.wantsOurs == true)
        var prompt = desk()
        _ = prompt.connected(alice, .now, at: time(0))
        #expect(prompt.received(theirs, from: alice, at: time(9))?.wantsOurs == false)
        var old = desk()
        _ = old.connected(alice, .before, at: time(0))
        #expect(old.received(theirs, from: alice, at: time(1))?.wantsOurs == true)
        #expect(old.received(theirs, from: alice, at: time(2))?.wantsOurs == false)
    }

    @Test func `two desks that answer each other come to an end`() throws {
        let arrivals: [PeerDirectory.Arrival] = [.now, .before]
        for first in arrivals {
            for second in arrivals {
                var desks = [desk(), desk()]
                var messages: [Int] = []
                for (index, arrival) in [first, second].enumerated() {
                    let isSent = desks[index].connected(alice, arrival, at: time(0))
                    #expect(isSent)
                    messages.append(1 - index)
                }
                var sent = messages.count
                while sent <= 4, let receiver = messages.popLast() {
                    let payload = desks[1 - receiver].payload(for: alice)
                    let reception = desks[receiver].received(payload, from: alice, at: time(1))
                    guard reception?.wantsOurs == true else { continue }
                    messages.append(1 - receiver)
                    sent += 1
                }
                #expect(sent <= 4, "\(first) \(second)")
                #expect(sent == 2 || first == .before || second == .before)
            }
        }
    }

    @Test func `a connection that may be the old one gets ours again after ten minutes only`() {
        var desk = desk()
        #expect(connects(&desk, arrival: .now, at: 0))
        #expect(!connects(&desk, arrival: .perhaps, at: 599))
        #expect(connects(&desk, arrival: .perhaps, at: 600))
        desk.notSent(to: alice)
        #expect(connects(&desk, arrival: .perhaps, at: 601), "it did not get out")
    }

    @Test func `first manifests wait for the offers, answers too`() throws {
        var desk = ManifestDesk(SessionSettings())
        let (bob, carol) = (SessionSample.peer(2), SessionSample.peer(3))
        for peer in [alice, bob, carol] {
            let goes = desk.connected(peer, .now, at: time(0))
            #expect(!goes)
        }
        desk.disconnected(carol)
        let offers = desk.advertise([offer("test")])
        #expect(Set(offers?.waiting ?? []) == [alice, bob])
        #expect(desk.stopHolding().isEmpty)
        #expect(connects(&desk, carol, arrival: .now, at: 1))
    }

    @Test func `offers are sorted, unique, valid, and kept until others come`() throws {
        var desk = desk()
        let params = try V01.LLMChatParams(profile: "a").encoded()
        let offers = [
            offer("z"), offer("llm.chat", params: params), offer("b"), offer("z"),
            offer("llm.chat"), offer(""),
        ]
        let advertised = desk.advertise(offers)
        let kept = try #require(advertised).kept
        let expected = [
            try V01.TaskTemplate(taskKind: "b", params: nil),
            try V01.TaskTemplate(taskKind: "z", params: nil),
            try V01.TaskTemplate(taskKind: "llm.chat", params: params),
        ]
        #expect(desk.templates == expected)
        #expect(desk.advertise(offers.reversed()) == nil, "nothing changed")
        #expect(desk.advertise([]) == nil && desk.templates == expected)

        var again = self.desk()
        again.loadOffers(kept)
        #expect(again.templates == expected)
        let full = try V01.Manifest.codec.decode(again.payload(for: alice)[...])
        #expect(full == V01.Manifest(maxPayloadBytes: 16_384, supportedTasks: expected))

        let theirs = try SessionSample.manifest(maxPayloadBytes: 20)
        _ = again.received(theirs, from: alice, at: time(0))
        #expect(again.payload(for: alice).count <= 20, "or it can't be received")
    }

    @Test func `whom we ask for a quote gets no task set, and is told so first`() throws {
        var desk = desk()
        let (bob, carol) = (SessionSample.peer(2), SessionSample.peer(3))
        let bare = try V01.Manifest.codec.encode(V01.Manifest(maxPayloadBytes: 16_384))
        let beforeOffers = desk.willBuy(from: bob)
        #expect(!beforeOffers, "nobody knows of tasks")
        _ = desk.advertise([offer("test")])
        #expect(desk.payload(for: bob) == bare)
        #expect(desk.payload(for: carol) != bare)
        let first = desk.willBuy(from: carol)
        #expect(first && desk.payload(for: carol) == bare)
        let second = desk.willBuy(from: carol)
        #expect(!second, "it knows")
        desk.willNotBuy(from: carol)
        let third = desk.willBuy(from: carol)
        #expect(third, "it did not get out")
    }

    @Test func `the last manifest counts, and what can't be read changes nothing`() throws {
        var desk = desk()
        let first = try SessionSample.manifest(maxPayloadBytes: 1000)
        #expect(desk.received(first, from: alice, at: time(0))?.isNew == true)
        _ = desk.connected(alice, .now, at: time(1))
        #expect(desk.received(first, from: alice, at: time(2))?.isNew == false)
        let second = try SessionSample.manifest(maxPayloadBytes: 2000)
        #expect(desk.received(second, from: alice, at: time(3))?.isNew == true)
        // LCP v0.1 §5.1: nothing of a job's envelope belongs into a manifest.
        #expect(desk.received(try SessionSample.request(), from: alice, at: time(4)) == nil)
        #expect(desk.maxPayloadBytes(of: alice) == 2000)
        #expect(desk.kept(alice)?.bytes == second)
    }

    @Test func `of too many manifests the oldest of a peer that left is given up`() throws {
        var desk = desk { $0.rememberedPeers = 2 }
        let theirs = try SessionSample.manifest()
        _ = desk.connected(alice, .now, at: time(0))
        #expect(desk.received(theirs, from: alice, at: time(1))?.forgotten == nil)
        #expect(desk.received(theirs, from: SessionSample.peer(2), at: time(2))?.forgotten == nil)
        desk.disconnected(SessionSample.peer(2))
        let third = desk.received(theirs, from: SessionSample.peer(3), at: time(3))
        #expect(third?.forgotten == SessionSample.peer(2))
        #expect(Set(desk.peers) == [alice, SessionSample.peer(3)])
        let kept = try #require(desk.kept(alice))
        #expect(desk.load([kept]) == [alice], "no room at a start either")
    }
}
