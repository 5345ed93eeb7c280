import Bridge
import BridgeProtocol
import Foundation
import Journal
import LCPWire
import LightningTypes
import LndRPC
import LndSim
import Testing

/// The whole session against a simulated lnd.
@Suite(.timeLimit(.minutes(10))) struct LndSessionTests {
    private static let quoteRequest = V01.MessageType.quoteRequest.rawValue
    private static let manifest = V01.MessageType.manifest.rawValue

    @Test func `a session says who lnd is and who is connected`() async throws {
        try await withSessionNet(["alice", "bob", "carol"]) { net in
            try await withSession(at: "bob", of: net) { bob in
                let node = try await bob.ready()
                #expect(node.nodeID == (try net.id("bob")))
                #expect(await bob.session.node == node)
                #expect(await bob.session.state.name == "ready")
                let facts = await bob.session.facts(of: try net.id("alice"))
                #expect(facts.connected && facts.hasChannel)
                let carol = await bob.session.facts(of: try net.id("carol"))
                #expect(!carol.connected && !carol.hasChannel)
                let peers = await bob.session.peers(after: nil, bytes: .max).peers
                #expect(peers.map(\.id) == [Data(try net.id("alice").bytes)])
                #expect(peers.first?.connected == true)
            }
        }
    }

    @Test func `a message arrives once, and observers see all of them`() async throws {
        try await withSessionNet { net in
            try await withSession(at: "bob", of: net) { bob in
                _ = try await bob.ready()
                try await net.streams(3, of: "bob")
                let payload = try SessionSample.request()
                for _ in 1...2 {
                    try await net.sends(payload, Self.quoteRequest, from: "alice", to: "bob")
                }
                let json = Array(#"{"swap_id":"00"}"#.utf8)
                try await net.sends(json, Self.quoteRequest, from: "alice", to: "bob")

                let message = try await bob.message()
                #expect(message.peer == (try net.id("alice")))
                #expect(message.payload == payload && message.type == Self.quoteRequest)
                #expect(message.protocolVersion == 1)
                await bob.reaches(1, .notLCP)
                #expect(await bob.count(.replayed) == 1)
                #expect(await bob.count(.received) == 1)
                let seen = bob.feed.records.filter { !$0.isOutbound }.map(\.payload)
                #expect(seen == [payload, payload, json])
                let facts = await bob.session.facts(of: message.peer)
                #expect(facts.requestsLastMinute == 1)
            }
        }
    }

    // LCP v0.1 §4.2 [replay-outlives-restart]
    @Test func `a message committed before a restart is not taken after it`() async throws {
        try await withSessionNet { net in
            let journal = try net.openJournal()
            let payload = try SessionSample.request()
            try await withSession(at: "bob", of: net, journal: journal) { bob in
                _ = try await bob.ready()
                try await net.streams(3, of: "bob")
                try await net.sends(payload, Self.quoteRequest, from: "alice", to: "bob")
                let message = try await bob.message()
                try await journal.record([message.received], for: nil, at: SessionSample.now)
            }
            try await withSession(at: "bob", of: net, journal: journal) { bob in
                _ = try await bob.ready()
                try await net.streams(3, of: "bob")
                try await net.sends(payload, Self.quoteRequest, from: "alice", to: "bob")
                await bob.reaches(1, .replayed)
                #expect(await bob.count(.received) == 0)
            }
        }
    }

    // LCP v0.1 §5.1 [payload-limit]
    @Test func `two sessions learn each other's limits, keep to them, and stop talking`()
        async throws
    {
        try await withSessionNet { net in
            var small = SessionSettings.quick
            small.maxPayloadBytes = 300
            var waiting = SessionSettings.quick
            waiting.offersPatience = .seconds(3600)
            let (aliceSettings, bobSettings) = (small, waiting)
            try await withSession(at: "alice", of: net, settings: aliceSettings) { alice in
                _ = try await alice.ready()
                try await net.streams(3, of: "alice")
                // Nobody reads it at bob's yet.
                await alice.reaches(1, .manifestSent)
                try await withSession(at: "bob", of: net, settings: bobSettings) { bob in
                    _ = try await bob.ready()
                    try await net.streams(3, of: "bob")
                    var offer = BusCapability()
                    offer.taskKind = "test"
                    await bob.session.advertise([offer])
                    // Bob's own, alice's answer, and bob's to what may have been her first.
                    await alice.reaches(2, .manifestReceived)
                    #expect(await bob.count(.manifestReceived) == 1)
                    #expect(await alice.count(.manifestSent) == 2)
                    let page = await alice.session.peers(after: nil, bytes: 1)
                    #expect(page.peers.first?.offers.map(\.taskKind) == ["test"])
                    #expect(page.peers.count == 1 && !page.hasMore)
                    let last = try net.id("bob")
                    #expect(await alice.session.peers(after: last, bytes: 1).peers.isEmpty)

                    let id = try net.id("alice")
                    #expect(await bob.session.facts(of: id).maxPayloadBytes == 300)
                    func send(_ count: Int) async throws(SendError) {
                        try await bob.session.send(
                            OutboundMessage(
                                peer: id,
                                type: 42_099,
                                jobID: .zero,
                                payload: Array(repeating: 0, count: count)
                            )
                        )
                    }
                    try await send(300)
                    await #expect(throws: SendError.tooLarge(limit: 300)) { try await send(301) }
                    await alice.reaches(1, .unknownOdd)
                }
            }
        }
    }

    @Test func `the task set goes to buyers and not to those we buy from`() async throws {
        try await withSessionNet(
            ["alice", "bob", "carol"],
            ["alice:bob:1000000", "bob:carol:1000000"]
        ) { net in
            let journal = try net.openJournal()
            let carol = try net.id("carol")
            let params = try V01.LLMChatParams(profile: "gpt-5.2").encoded()
            let template = try V01.TaskTemplate(taskKind: "llm.chat", params: params)
            // The second time nobody advertises: the set is the journal's.
            for isFirst in [true, false] {
                try await withSession(at: "bob", of: net, journal: journal) { bob in
                    if isFirst {
                        var offer = BusCapability()
                        offer.taskKind = "llm.chat"
                        offer.profile = "gpt-5.2"
                        offer.templateParams = Data(params)
                        await bob.session.advertise([offer])
                    }
                    _ = try await bob.ready()
                    await bob.reaches(2, .manifestSent)
                    let full = V01.Manifest(maxPayloadBytes: 16_384, supportedTasks: [template])
                    let told = bob.feed.records.map(\.payload)
                    #expect(
                        told == Array(repeating: try V01.Manifest.codec.encode(full), count: 2),
                        "first: \(isFirst)"
                    )

                    let request = OutboundMessage(
                        peer: carol,
                        type: V01.MessageType.quoteRequest.rawValue,
                        jobID: .zero,
                        payload: try SessionSample.request()
                    )
                    try await bob.session.send(request)
                    try await bob.session.send(request)
                    let bare = V01.Manifest(maxPayloadBytes: 16_384)
                    let asked = [
                        try V01.Manifest.codec.encode(bare), request.payload, request.payload,
                    ]
                    #expect(bob.feed.records.dropFirst(2).map(\.payload) == asked)
                    #expect(bob.feed.records.dropFirst(2).allSatisfy { $0.peer == carol })
                    if isFirst {
                        while try await journal.setting("session.offers") == nil {
                            await Task.yield()
                        }
                    }
                }
            }
        }
    }

    @Test func `a manifest outlives a restart`() async throws {
        try await withSessionNet { net in
            let journal = try net.openJournal()
            let id = try net.id("alice")
            try await withSession(at: "bob", of: net, journal: journal) { bob in
                _ = try await bob.ready()
                try await net.streams(3, of: "bob")
                let payload = try SessionSample.manifest(maxPayloadBytes: 5000)
                try await net.sends(payload, Self.manifest, from: "alice", to: "bob")
                while try await journal.manifests().isEmpty { await Task.yield() }
            }
            try await withSession(at: "bob", of: net, journal: journal) { bob in
                _ = try await bob.ready()
                #expect(await bob.session.facts(of: id).maxPayloadBytes == 5000)
                let peer = await bob.session.peers(after: nil, bytes: .max).peers.first
                #expect(peer?.maxPayloadBytes == 5000)
                #expect(peer?.manifestUnix == SessionSample.now.seconds)
            }
        }
    }

    @Test func `a peer above its rate is told so once, and a paid job passes`() async throws {
        try await withSessionNet { net in
            var tight = SessionSettings.quick
            tight.peerRate = Rate(perSecond: 0.001, burst: 2)
            tight.refusalRate = Rate(perSecond: 0.001, burst: 1)
            let paid = SessionSample.bytes32(7)
            try await withSession(
                at: "bob",
                of: net,
                settings: tight,
                isPaid: { $1 == paid }
            ) { bob in
                try await withSession(at: "alice", of: net) { alice in
                    _ = try await bob.ready()
                    _ = try await alice.ready()
                    try await net.streams(3, of: "bob")
                    try await net.streams(3, of: "alice")
                    // A manifest of alice's may or may not have used one of the two.
                    for number in 1...5 {
                        let payload = try SessionSample.request(job: 100 + number, message: number)
                        try await net.sends(
                            payload,
                            Self.quoteRequest,
                            from: "alice",
                            to: "bob"
                        )
                    }
                    let refusal = try await alice.message()
                    let read = try V01.Message(decoding: refusal.payload, as: .error)
                    guard case .error(let envelope, let failure) = read else {
                        Issue.record("\(refusal)")
                        return
                    }
                    #expect(failure.code == .rateLimited)
                    #expect(envelope.expiry == SessionSample.now.advanced(bySeconds: 300))
                    let payload = try SessionSample.request(job: 7, message: 50)
                    try await net.sends(payload, Self.quoteRequest, from: "alice", to: "bob")
                    let taken = try await bob.first { event -> InboundMessage? in
                        if case .message(let message) = event, message.jobID == paid {
                            return message
                        }
                        return nil
                    }
                    #expect(taken.payload == payload)
                    #expect(await bob.count(.refused) == 1)
                    #expect(await bob.count(.rateLimited) >= 3)
                }
            }
        }
    }

    @Test func `an unknown even type costs a peer without channel its connection`() async throws {
        try await withSessionNet(["alice", "bob"], []) { net in
            try await withSession(at: "bob", of: net) { bob in
                _ = try await bob.ready()
                let peer = try await bob.session.connect(
                    try net.id("alice"),
                    address: try net.address("alice")
                )
                #expect(peer.connected && !peer.hasChannel_p)
                try await net.streams(3, of: "bob")
                try await net.sends([], 42_091, from: "alice", to: "bob")
                await bob.reaches(1, .unknownOdd)
                try await net.sends([], 42_090, from: "alice", to: "bob")
                let gone = try await bob.first { event -> NodeID? in
                    if case .peerOffline(let peer) = event { peer } else { nil }
                }
                #expect(gone == (try net.id("alice")))
                #expect(await bob.count(.disconnected) == 1)
                await #expect(throws: SendError.peerNotConnected) {
                    try await bob.session.send(
                        OutboundMessage(peer: gone, type: 42_085, jobID: .zero, payload: [])
                    )
                }
            }
        }
    }

    @Test func `a settlement comes as an event, an open invoice does not`() async throws {
        try await withSessionNet { net in
            try await withSession(at: "bob", of: net) { bob in
                _ = try await bob.ready()
                try await net.streams(3, of: "bob")
                let invoice = try await net.client("bob").addInvoice(
                    NewInvoice(
                        amount: MilliSatoshi(msat: 5000),
                        description: .hash(.zero),
                        expirySeconds: 600
                    )
                )
                _ = try await net.client("alice").sendPaymentV2(
                    PaymentOrder(
                        paymentRequest: invoice.paymentRequest,
                        feeLimit: .zero,
                        timeoutSeconds: 30
                    )
                ) { try await $0.finalState() }
                let told = try await bob.first { event -> Invoice? in
                    if case .invoice(let invoice) = event { invoice } else { nil }
                }
                #expect(told.paymentHash == invoice.paymentHash && told.state == .settled)
            }
        }
    }

    @Test func `one broken stream is opened again while the others stand`() async throws {
        try await withSessionNet { net in
            try await withSession(at: "bob", of: net) { bob in
                _ = try await bob.ready()
                try await net.streams(3, of: "bob")
                _ = try await net.change("bob") { network, node in
                    network.breakStreams(.customMessages, of: node)
                }
                _ = try await bob.first { event -> Bool? in
                    if case .messagesReopened = event { true } else { nil }
                }
                try await net.streams(3, of: "bob")
                #expect(await bob.count(.lost) == 0)
                #expect(await bob.session.state.name == "ready")

                _ = try await net.change("bob") { network, node in
                    network.breakStreams(.invoices, of: node)
                }
                _ = try await bob.first { event -> Bool? in
                    if case .invoicesReopened = event { true } else { nil }
                }
                try await net.streams(3, of: "bob")
                let payload = try SessionSample.request()
                try await net.sends(payload, Self.quoteRequest, from: "alice", to: "bob")
                #expect(try await bob.message().payload == payload)
            }
        }
    }

    @Test func `a restarted lnd is waited for, and peers are told again`() async throws {
        try await withSessionNet { net in
            try await withSession(at: "bob", of: net) { bob in
                _ = try await bob.ready()
                try await net.streams(3, of: "bob")
                try await net.change("bob") { network, node in
                    network.restartNode(node, downMilliseconds: 10, millisecondsPerState: 10)
                }
                _ = try await bob.first { event -> Bool? in
                    if case .lost = event { true } else { nil }
                }
                await #expect(throws: SendError.self) {
                    try await bob.session.send(
                        OutboundMessage(
                            peer: try net.id("alice"),
                            type: 42_085,
                            jobID: .zero,
                            payload: []
                        )
                    )
                }
                _ = try await bob.ready()
                try await net.streams(3, of: "bob")
                // Alice comes back after a second, by an event or a look.
                let alice = try net.id("alice")
                while await !bob.session.facts(of: alice).connected { await Task.yield() }
                let payload = try SessionSample.request()
                try await net.sends(payload, Self.quoteRequest, from: "alice", to: "bob")
                #expect(try await bob.message().payload == payload)
                #expect(await bob.count(.lost) == 1)
            }
        }
    }

    @Test func `a locked wallet shows in the state, and unlocking it is enough`() async throws {
        try await withSessionNet { net in
            try await net.change("bob") { $0.setWalletState(.locked, of: $1) }
            try await withSession(at: "bob", of: net) { bob in
                while await !bob.session.state.detail.contains("unlock") { await Task.yield() }
                #expect(await bob.session.state.name == "waiting")
                #expect(await bob.session.node == nil)
                try await net.change("bob") { $0.setWalletState(.serverActive, of: $1) }
                _ = try await bob.ready()
            }
        }
    }

    @Test func `a peer that goes and comes back is told`() async throws {
        try await withSessionNet { net in
            try await withSession(at: "bob", of: net) { bob in
                _ = try await bob.ready()
                try await net.streams(3, of: "bob")
                let alice = try net.id("alice")
                try await net.change("bob") { network, node in
                    guard let other = network.node(alice) else { return }
                    network.separatePeers(node, other, staysDown: true)
                }
                let gone = try await bob.first { event -> NodeID? in
                    if case .peerOffline(let peer) = event { peer } else { nil }
                }
                #expect(gone == alice)
                let facts = await bob.session.facts(of: alice)
                #expect(!facts.connected && facts.hasChannel)
                try await net.change("bob") { network, node in
                    guard let other = network.node(alice) else { return }
                    network.joinPeers(node, other)
                }
                let back = try await bob.first { event -> NodeID? in
                    if case .peerOnline(let peer) = event { peer } else { nil }
                }
                #expect(back == alice)
                #expect(await bob.session.facts(of: alice).connected)
            }
        }
    }

    @Test func `a late OFFLINE does not take away a peer that is back`() async throws {
        try await withSessionNet { net in
            try await withSession(at: "bob", of: net) { bob in
                _ = try await bob.ready()
                try await net.streams(3, of: "bob")
                let alice = try net.id("alice")
                await bob.reaches(1, .manifestSent)
                try await net.change("bob") { network, node in
                    guard let other = network.node(alice) else { return }
                    network.separatePeers(node, other, staysDown: false, lateOffline: true)
                    network.joinPeers(node, other)
                }
                // The new connection gets a manifest of its own.
                await bob.reaches(2, .manifestSent)
                // A look that began after the OFFLINE says the same.
                _ = try await bob.session.connect(alice, address: try net.address("alice"))
                #expect(await bob.session.facts(of: alice).connected)
                #expect(await bob.count(.manifestSent) == 2)
            }
        }
    }

    @Test func `another node's journal is refused`() async throws {
        try await withSessionNet { net in
            let journal = try net.openJournal()
            try await withSession(at: "bob", of: net, journal: journal) { bob in
                _ = try await bob.ready()
            }
            let error = await #expect(throws: BridgeError.self) {
                try await withSession(at: "alice", of: net, journal: journal) { alice in
                    _ = try await alice.ready()
                }
            }
            #expect(error?.code == .otherNode)
        }
    }
}
