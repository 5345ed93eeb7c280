import LightningTypes
import LndSim
import Testing

/// Calls of SendCustomMessage that wait for their peer, and how they end.
@Suite struct WaitingTests {
    private let status = Sending.sent("message sent successfully")

    private func connected() throws -> TestNetwork {
        var test = TestNetwork(["alice", "bob"])
        try test.open("alice", "bob")
        return test
    }

    private func send(
        _ test: inout TestNetwork,
        _ type: UInt32 = 42_081,
        _ data: [UInt8] = [1]
    ) throws -> Sending {
        try test.network.sendCustomMessage(
            to: test.id("bob").bytes,
            type: type,
            data: data,
            on: test["alice"]
        )
    }

    private func waiting(
        _ test: inout TestNetwork,
        _ type: UInt32 = 42_081,
        _ data: [UInt8] = [1]
    ) throws -> SubscriptionID {
        guard case .waiting(let id) = try send(&test, type, data) else {
            throw LndFault(code: 0, text: "it did not wait")
        }
        return id
    }

    private func setWait(_ wait: SendingWait?, _ test: inout TestNetwork) {
        var faults = LinkFaults()
        faults.wait = wait
        test.network.setLinkFaults(faults, from: test["alice"], to: test["bob"])
    }

    @Test func `a peer that goes during its handshake is named`() throws {
        var test = try connected()
        setWait(.handshake, &test)
        let (first, second) = (try waiting(&test), try waiting(&test))
        test.network.separatePeers(test["alice"], test["bob"], staysDown: true)
        let fault = LndFault(code: 2, text: "peer \(test.id("bob")) disconnected")
        #expect(test.end(of: first) == .some(fault) && test.end(of: second) == .some(fault))
        expectFault(5, "peer is not connected") { try send(&test) }
    }

    @Test func `a peer that goes while a message is queued is exiting`() throws {
        var test = try connected()
        setWait(.queue, &test)
        let id = try waiting(&test)
        test.network.separatePeers(test["bob"], test["alice"], staysDown: false)
        #expect(test.end(of: id) == .some(LndFault(code: 2, text: "peer exiting")))
        // The fault stays for the next connection.
        test.pass(seconds: 2)
        #expect(test.network.areConnected(test["alice"], test["bob"]))
        #expect(test.end(of: try waiting(&test)) == nil)
    }

    @Test func `what waited goes out in the order of the calls, ahead of what comes later`() throws
    {
        var test = try connected()
        let inbox = try test.network.subscribeCustomMessages(on: test["bob"])
        setWait(.handshake, &test)
        let ids = [try waiting(&test, 42_081, [1]), try waiting(&test, 42_081, [2])]
        // Ready, but not reading: they go on waiting.
        setWait(.queue, &test)
        #expect(ids.allSatisfy { test.end(of: $0) == nil } && test.messages(inbox).isEmpty)
        setWait(nil, &test)
        #expect(ids.allSatisfy { test.end(of: $0) == .some(nil) })
        #expect(try send(&test, 42_081, [3]) == status)
        #expect(test.messages(inbox).map(\.data) == [[1], [2], [3]])
        #expect(test.network.streamCount(of: test["alice"]) == 0)
    }

    @Test func `lnd looks at a message when the peer is ready for it`() throws {
        var test = try connected()
        setWait(.queue, &test)
        expectFault(2, "msg type: 5 not in custom range: <unknown> and not overridden") {
            try send(&test, 5)
        }
        setWait(.handshake, &test)
        let low = try waiting(&test, 5)
        let large = try waiting(&test, 42_081, Array(repeating: 0, count: 65_534))
        let after = try waiting(&test)
        setWait(nil, &test)
        let text = "msg type: 5 not in custom range: <unknown> and not overridden"
        #expect(test.end(of: low) == .some(LndFault(code: 2, text: text)))
        guard case .some(.some(let fault)) = test.end(of: large) else {
            Issue.record("the large message went")
            return
        }
        #expect(fault.text.hasPrefix("message payload is too large - encoded 65534 bytes"))
        // The large one cost the connection, and the one behind it with that.
        let peer = test.id("bob")
        let gone = LndFault(code: 2, text: "peer \(peer) disconnected")
        #expect(test.end(of: after) == .some(gone))
    }

    @Test func `a call that was given up sends nothing`() throws {
        var test = try connected()
        let inbox = try test.network.subscribeCustomMessages(on: test["bob"])
        setWait(.queue, &test)
        let id = try waiting(&test)
        test.network.close(id)
        setWait(nil, &test)
        #expect(test.messages(inbox).isEmpty)
    }

    @Test func `a node that stops in order says lnd's last words on its streams`() throws {
        var test = try connected()
        let alice = test["alice"]
        let state = test.network.subscribeState(on: alice)
        let messages = try test.network.subscribeCustomMessages(on: alice)
        let invoices = try test.network.subscribeInvoices(addIndex: 0, settleIndex: 0, on: alice)
        let peers = try test.network.subscribePeerEvents(on: alice)
        setWait(.queue, &test)
        let call = try waiting(&test)
        test.network.stopNode(alice, orderly: true)
        #expect(test.end(of: state) == .some(LndFault(code: 2, text: "server exiting")))
        #expect(test.end(of: messages) == .some(LndFault(code: 2, text: "shutdown")))
        #expect(test.end(of: invoices) == .some(nil))
        #expect(test.end(of: peers) == .some(.unavailable))
        #expect(test.end(of: call) == .some(.unavailable))
        #expect(test.network.phase(of: alice) == .stopped(orderly: true))
        expectFault(14, "transport is closing") { try test.network.listPeers(on: alice) }
    }
}
