import LightningTypes
import LndSim
import Testing

@Suite struct CustomMessageTests {
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

    @Test func `every subscriber gets each message in the order of sending`() throws {
        var test = try connected()
        let one = try test.network.subscribeCustomMessages(on: test["bob"])
        let other = try test.network.subscribeCustomMessages(on: test["bob"])
        for number in 0..<100 {
            #expect(
                try send(&test, 42_081, [UInt8(number)]) == .sent("message sent successfully")
            )
        }
        let expected = (0..<100).map {
            CustomMessage(peer: test.id("alice"), type: 42_081, data: [UInt8($0)])
        }
        #expect(test.messages(one) == expected)
        #expect(test.messages(other) == expected)
    }

    @Test func `without a subscriber a message is gone, and the sender is told it was sent`() throws
    {
        var test = try connected()
        #expect(try send(&test) == .sent("message sent successfully"))
        let late = try test.network.subscribeCustomMessages(on: test["bob"])
        #expect(test.messages(late).isEmpty)
    }

    @Test func `refusals have lnd's codes and texts, in lnd's order`() throws {
        var test = try connected()
        let alice = test["alice"]
        expectFault(2, "invalid vertex length of 32, want 33") {
            try test.network.sendCustomMessage(
                to: Array(repeating: 2, count: 32),
                type: 1,
                data: [],
                on: alice
            )
        }
        expectFault(5, "peer is not connected") {
            try test.network.sendCustomMessage(
                to: Array(repeating: 2, count: 33),
                type: 1,
                data: [],
                on: alice
            )
        }
        expectFault(
            2,
            "msg type: 32767 not in custom range: <unknown> and not overridden"
        ) { try send(&test, 32_767, Array(repeating: 0, count: 70_000)) }
    }

    @Test func `a type is cut to 16 bits before it is checked`() throws {
        var test = try connected()
        let stream = try test.network.subscribeCustomMessages(on: test["bob"])
        _ = try send(&test, 65_536 + 42_081, [])
        #expect(test.messages(stream).map(\.type) == [42_081])
        expectFault(2, "msg type: 5 not in custom range: <unknown> and not overridden") {
            try send(&test, 65_536 + 5)
        }
    }

    @Test func `65533 bytes arrive, one more is refused and costs the connection`() throws {
        var test = try connected()
        let stream = try test.network.subscribeCustomMessages(on: test["bob"])
        _ = try send(&test, 42_081, Array(repeating: 7, count: 65_533))
        #expect(test.messages(stream).map(\.data.count) == [65_533])
        expectFault(
            2,
            "message payload is too large - encoded 65534 bytes, but maximum message payload is 65533 bytes"
        ) { try send(&test, 42_081, Array(repeating: 7, count: 65_534)) }
        expectFault(5, "peer is not connected") { try send(&test) }
        test.pass(seconds: 2)
        _ = try send(&test)
        #expect(test.messages(stream).count == 1, "the channel peers reconnect")
    }

    @Test func `messages can be dropped, doubled and delayed without changing their order`() throws
    {
        var test = try connected()
        let stream = try test.network.subscribeCustomMessages(on: test["bob"])
        var faults = LinkFaults()
        faults.dropNext = 1
        faults.duplicateNext = 1
        faults.delayMilliseconds = 300
        test.network.setLinkFaults(faults, from: test["alice"], to: test["bob"])
        for number: UInt8 in 1...3 { _ = try send(&test, 42_081, [number]) }
        #expect(test.messages(stream).isEmpty)

        test.network.setLinkFaults(LinkFaults(), from: test["alice"], to: test["bob"])
        _ = try send(&test, 42_081, [4])
        #expect(test.messages(stream).isEmpty, "nothing overtakes what is on the way")
        test.pass(milliseconds: 300)
        #expect(test.messages(stream).map(\.data) == [[2], [2], [3], [4]])
    }

    @Test func `what is on the way when the connection breaks is lost`() throws {
        var test = try connected()
        let stream = try test.network.subscribeCustomMessages(on: test["bob"])
        var faults = LinkFaults()
        faults.delayMilliseconds = 5000
        test.network.setLinkFaults(faults, from: test["alice"], to: test["bob"])
        _ = try send(&test)
        test.network.separatePeers(test["alice"], test["bob"], staysDown: false)
        test.pass(seconds: 10)
        #expect(test.network.areConnected(test["alice"], test["bob"]))
        #expect(test.messages(stream).isEmpty)
    }

    @Test func `a stalled stream delivers everything in order when it resumes`() throws {
        var test = try connected()
        let stream = try test.network.subscribeCustomMessages(on: test["bob"])
        test.network.stallStreams(.customMessages, true, of: test["bob"])
        for number: UInt8 in 1...3 { _ = try send(&test, 42_081, [number]) }
        #expect(test.messages(stream).isEmpty)
        test.network.stallStreams(.customMessages, false, of: test["bob"])
        #expect(test.messages(stream).map(\.data) == [[1], [2], [3]])
        let fault = LndFault(code: 8, text: "enough")
        #expect(test.network.breakStreams(.customMessages, fault: fault, of: test["bob"]) == 1)
        #expect(test.end(of: stream) == .some(fault))
    }
}
