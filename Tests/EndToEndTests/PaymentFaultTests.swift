import BridgeProtocol
import BusClient
import Foundation
import LCPWire
import LightningTypes
import LndRPC
import LocalNetwork
import Testing

/// What may happen to a payment between the decision and its end: it is made once, or not at all.
@Suite(.timeLimit(.minutes(30))) struct PaymentFaultTests {
    @Test func `a payment whose call was lost before lnd registered it is made after asking`()
        async throws
    {
        try await Market.run { market in
            let before = try await market.balances()
            // Twice lnd says that it knows no such payment, and then it succeeds.
            try await market.control("payments", "alice", "--lose-call", "--count", "2")
            let job = try await market.end(of: try await market.submit("hello"))
            #expect(job.view.stage == .done)
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 3)
            #expect(try await market.calls(of: "TrackPaymentV2", at: "alice") >= 2)
            try await market.expectBalancedBooks(spent: job.view.priceMsat, before: before)
        }
    }

    @Test func `a success that only tracking sees is a success`() async throws {
        try await Market.run { market in
            let before = try await market.balances()
            try await market.control("payments", "alice", "--break-stream", "1")
            let job = try await market.end(of: try await market.submit("hello"))
            #expect(job.view.stage == .done)
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 1)
            #expect(try await market.calls(of: "TrackPaymentV2", at: "alice") >= 1)
            try await market.expectBalancedBooks(spent: job.view.priceMsat, before: before)
        }
    }

    @Test(arguments: [true, false])
    func `what became of a payment while the bridge was down is found, and it is not made again`(
        succeeds: Bool
    ) async throws {
        try await Market.run { market in
            let before = try await market.balances()
            try await market.control("payments", "alice", "--hang")
            let key = try await market.submit("hello")
            let paying = try await market.wait(for: key) { $0.view.stage == .paying }
            try await market.untilPaying()
            await market.network.kill(ProcessName("alice", .bridge))
            if !succeeds {
                let hash = PaymentHash(try #require(Bytes32(paying.view.paymentHash)))
                try await market.withLnd(of: "bob") { try await $0.cancelInvoice(hash) }
            }
            try await market.control("release", "alice")
            try await market.network.start(ProcessName("alice", .bridge))
            let job = try await market.end(of: key)
            #expect(job.view.stage == (succeeds ? .done : .failed))
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 1)
            let spent = succeeds ? job.view.priceMsat : 0
            try await market.expectBalancedBooks(spent: spent, before: before)
            let status = try await market.network.client(of: "alice").status()
            #expect(status.reservedMsat == 0)
        }
    }

    /// alice buys of mallory, whose lnd cancels expired invoices an hour too late.
    private static func slowMarket(_ directory: String) -> LocalNetworkPlan {
        var plan = LocalNetworkPlan.patientMarket()
        plan.nodes = [.init("alice", requesters: 1), .bare("mallory")]
        plan.channels = ["alice:mallory:1000000"]
        return plan
    }

    @Test func `a payment in flight for longer than its quote still buys the job`() async throws {
        try await Market.run {
            Self.slowMarket($0)
        } _: { market in
            let before = try await market.balances()
            let alice = try await market.network.node("alice").id
            try await market.control("expiry", "mallory", "3600000")
            try await ScriptedPeer.play("mallory", in: market) { mallory in
                try await market.control("payments", "alice", "--hang")
                let key = try await market.submit("hello", to: "mallory")
                let (envelope, request) = try await mallory.quoteRequest()
                var quote = try mallory.quote(envelope, request, seconds: 40)
                let invoice = try await mallory.lnd.addInvoice(
                    NewInvoice(
                        amount: quote.price,
                        description: .hash(quote.termsHash.bytes),
                        expirySeconds: 39
                    )
                )
                quote.paymentRequest = invoice.paymentRequest.reveal("it is the test's own")
                let answer = ScriptedPeer.envelope(envelope.jobID)
                try await mallory.send(.quoteResponse(answer, quote), to: alice)
                try await market.untilPaying()
                try await eventually("the quote has ended") { UnixTime.wall > quote.quoteExpiry }

                // Unknown is not failed: the money stays reserved, and nothing is paid instead.
                let bridge = try await market.network.client(of: "alice")
                #expect(try await bridge.job(key).view.stage == .paying)
                #expect(try await bridge.status().reservedMsat > 0)
                try await market.control("release", "alice")
                try await mallory.settlement(of: invoice.paymentHash)
                let bought = V01.Result(result: Array("bought".utf8), contentType: nil)
                try await mallory.send(
                    .result(ScriptedPeer.envelope(envelope.jobID), bought),
                    to: alice
                )
                let job = try await market.end(of: key)
                #expect(job.view.stage == .done)
                #expect(try await market.output(of: key) == "bought")
                #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 1)
                try await market.expectBalancedBooks(spent: quote.price.msat, before: before)
            }
        }
    }

    @Test func `a payment that arrives after its quote was taken back comes back whole`()
        async throws
    {
        try await Market.run { _ in
            var plan = LocalNetworkPlan.market()
            plan.providerConfiguration = plan.providerConfiguration
                .replacing("quote_ttl_seconds: 300", with: "quote_ttl_seconds: 40")
            return plan
        } _: { market in
            let before = try await market.balances()
            try await market.control("payments", "alice", "--hang")
            let key = try await market.submit("hello")
            try await market.untilPaying()
            let seller = try await market.network.client(of: "bob")
            try await eventually("bob has taken his quote back") {
                try await seller.jobs(.init()).jobs.contains { $0.view.stage == .failed }
            }
            #expect(try await market.network.client(of: "alice").job(key).view.stage == .paying)
            try await market.control("release", "alice")
            let job = try await market.end(of: key)
            #expect(job.view.stage == .failed)
            #expect(job.view.failure.code == "payment-failed")
            #expect(job.view.failure.detail.contains("lnd-incorrect-payment-details"))
            try await market.expectBalancedBooks(spent: 0, before: before)
            let status = try await market.network.client(of: "alice").status()
            #expect(status.reservedMsat == 0)
            // The way is free for the next job.
            let next = try await market.end(of: try await market.submit("again"))
            #expect(next.view.stage == .done)
        }
    }
}

extension Market {
    /// Waits until alice's first payment has begun.
    func untilPaying() async throws {
        try await eventually("the payment has begun") {
            try await calls(of: "SendPaymentV2", at: "alice") == 1
        }
    }
}
