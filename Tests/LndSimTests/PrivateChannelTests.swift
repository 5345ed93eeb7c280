import BOLT11
import LightningTypes
import LndSim
import Testing

/// Channels that are not announced: who learns of them, and who may use them.
@Suite struct PrivateChannelTests {
    /// alice — bob public, bob — carol private, carol — dave private.
    private func network() throws -> TestNetwork {
        var test = TestNetwork(["alice", "bob", "carol", "dave"])
        try test.open("alice", "bob")
        try test.network.openChannel(
            from: test["bob"],
            to: test["carol"],
            capacitySat: 500_000,
            isPrivate: true
        )
        try test.network.openChannel(
            from: test["carol"],
            to: test["dave"],
            capacitySat: 500_000,
            pushedSat: 400_000,
            isPrivate: true
        )
        test.collect()
        return test
    }

    private func hints(_ test: TestNetwork, _ node: String, _ msat: UInt64 = 0) -> [[RouteHop]] {
        test.network.hopHints(to: test[node], amountMsat: msat)
    }

    @Test func `a hint names the peer, the channel and lnd's default policy`() throws {
        let test = try network()
        let channel = try #require(test.network.channels(of: test["carol"]).first)
        let expected = RouteHop(
            nodeID: test.id("bob"),
            shortChannelID: ShortChannelID(channel.id),
            feeBaseMsat: 1000,
            feeProportionalMillionths: 1,
            cltvExpiryDelta: 80
        )
        // Nothing of dave, who has no announced channel.
        #expect(hints(test, "carol") == [[expected]])
        #expect(hints(test, "dave").isEmpty && hints(test, "alice").isEmpty)
    }

    @Test func `a channel that is down is no hint`() throws {
        var test = try network()
        test.network.stopNode(test["bob"])
        #expect(hints(test, "carol").isEmpty)
    }

    @Test func `hints end when they bring twice the amount, the fullest first, twenty at most`()
        throws
    {
        var test = TestNetwork(["alice", "bob"])
        try test.open("alice", "bob")
        for size in 1...25 {
            try test.network.openChannel(
                from: test["alice"],
                to: test["bob"],
                capacitySat: UInt64(size) * 100_000,
                isPrivate: true
            )
        }
        let sizes = { (msat: UInt64) in
            hints(test, "bob", msat).compactMap(\.first).compactMap {
                test.network.channel($0.shortChannelID.value)?.capacityMsat
            }
        }
        #expect(sizes(1000) == [2_500_000_000])
        #expect(sizes(1_250_000_001) == [2_500_000_000, 2_400_000_000])
        #expect(sizes(0).count == 20)
        #expect(sizes(.max).count == 20)
    }

    @Test func `only a payer with the hint finds the way`() throws {
        var test = try network()
        let blind = try test.invoice("carol", msat: 5000).paymentRequest
        let refused = test.payments(try test.pay(blind, from: "alice")).last?.progress
        #expect(refused?.failureReason == .noRoute)

        let hints = hints(test, "carol", 5000)
        let hinted = try test.invoice("carol", msat: 5000) { $0.routeHints = hints }
        let paid = test.payments(try test.pay(hinted.paymentRequest, from: "alice")).last
        #expect(paid?.progress.status == .succeeded && paid?.feeMsat == 1000)
        // The channel's own ends need no hint.
        let own = try test.invoice("carol", msat: 5000).paymentRequest
        #expect(test.payments(try test.pay(own, from: "bob")).last?.progress.status == .succeeded)
    }

    @Test func `private channels are listed as such`() throws {
        let test = try network()
        func list(_ change: (inout ChannelFilter) -> Void) throws -> [Bool] {
            var filter = ChannelFilter()
            change(&filter)
            return try test.network.listChannels(filter, on: test["bob"]).map(\.isPrivate)
        }
        #expect(try list { _ in } == [false, true])
        #expect(try list { $0.publicOnly = true } == [false])
        #expect(try list { $0.privateOnly = true } == [true])
        expectFault(2, "either `public_only` or `private_only` can be set, but not both") {
            try list {
                $0.publicOnly = true
                $0.privateOnly = true
            }
        }
    }

    @Test func `a private channel and a fallback address survive a restart`() throws {
        var test = try network()
        let address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
        let added = try test.invoice("carol", msat: 5000) { $0.fallbackAddress = address }
        try test.pay(test.invoice("carol", msat: 6000).paymentRequest, from: "bob")
        let log = try ChangeLog.decode(ChangeLog.encode(test.changes)).changes
        #expect(log == test.changes)
        let restored = SimulatedNetwork(replaying: log, now: test.network.now)
        #expect(restored.channels(of: test["bob"]).map(\.isPrivate) == [false, true])
        var snapshot = try ChangeLog.decode(ChangeLog.encode(restored.snapshot)).changes
        let again = SimulatedNetwork(replaying: snapshot, now: test.network.now)
        #expect(again.snapshot == restored.snapshot)
        snapshot.removeAll { if case .invoiceAdded = $0 { false } else { true } }
        guard case .invoiceAdded(_, let record)? = snapshot.first else {
            Issue.record("no invoice in the snapshot")
            return
        }
        #expect(record.terms.hash == added.hash && record.terms.fallbackAddress == address)
    }
}
