import BridgeProtocol
import BusClient
import Foundation
import LCPWire
import LightningTypes
import LndRPC
import LocalNetwork
import Testing

/// Peers that go and come, messages that are lost, doubled or out of order.
@Suite(.timeLimit(.minutes(30))) struct DisturbanceTests {
    @Test func `a peer that is away when it is asked gets the request when it is back`()
        async throws
    {
        try await Market.run { market in
            try await market.control("separate", "alice", "bob", "--stay-down")
            let key = try await market.submit("hello")
            let waiting = try await market.wait(for: key) { _ in true }
            #expect(waiting.view.stage == .quoting)
            try await market.control("join", "alice", "bob")
            #expect(try await market.end(of: key).view.stage == .done)
            #expect(try await market.output(of: key)?.hasSuffix("\nhello") == true)
        }
    }

    @Test func `a quote outlives a lost connection`() async throws {
        try await Market.run { market in
            let key = try await market.submit("hello", ceiling: nil)
            try await market.wait(for: key) { $0.view.stage == .quoted }
            try await market.control("separate", "alice", "bob", "--stay-down")
            try await market.control("join", "alice", "bob")
            let client = try await market.network.client(of: "alice")
            _ = try await client.accept(key, upTo: MilliSatoshi(msat: 1_000_000))
            #expect(try await market.end(of: key).view.stage == .done)
        }
    }

    @Test func `a payment on its way survives a lost connection`() async throws {
        try await Market.run { market in
            let before = try await market.balances()
            try await market.control("payments", "alice", "--hang")
            let key = try await market.submit("hello")
            try await market.wait(for: key) { $0.view.stage == .paying }
            try await eventually("the payment has begun") {
                try await market.calls(of: "SendPaymentV2", at: "alice") == 1
            }
            try await market.control("separate", "alice", "bob", "--stay-down")
            try await market.control("join", "alice", "bob")
            try await market.control("release", "alice")
            let job = try await market.end(of: key)
            #expect(job.view.stage == .done)
            try await market.expectBalancedBooks(spent: job.view.priceMsat, before: before)
        }
    }

    @Test func `a result that is ready while the peer is away goes out when it is back`()
        async throws
    {
        try await Market.run {
            try Gate.market($0)
        } _: { market in
            let key = try await market.submit("hello")
            _ = try await market.gate.running()
            // bob may know of the payment before alice does.
            try await market.wait(for: key) { $0.view.stage == .running }
            try await market.control("separate", "alice", "bob", "--stay-down", "--late-offline")
            try market.gate.open()
            let seller = try await market.network.client(of: "bob")
            try await eventually("bob has the result") {
                let jobs = try await seller.jobs(.init()).jobs
                return jobs.contains { $0.view.stage == .done || $0.outputBytes > 0 }
            }
            let away = try await market.network.client(of: "alice").job(key)
            #expect(away.view.stage == .running)
            try await market.control("join", "alice", "bob")
            #expect(try await market.end(of: key).view.stage == .done)
            #expect(try await market.output(of: key) == "hello, answered")
        }
    }

    @Test(arguments: ["alice", "bob"])
    func `a job outlives a restart of either lnd`(node: String) async throws {
        try await Market.run {
            try Gate.market($0)
        } _: { market in
            let before = try await market.balances()
            let key = try await market.submit("hello")
            _ = try await market.gate.running()
            try await market.control("restart", node)
            try market.gate.open()
            let job = try await market.end(of: key)
            #expect(job.view.stage == .done)
            let output = try await market.output(of: key)
            #expect(output == "hello, answered")
            // The next job needs no help either.
            let next = try await market.end(of: try await market.submit("more"))
            #expect(next.view.stage == .done)
            try await market.expectBalancedBooks(
                spent: job.view.priceMsat + next.view.priceMsat,
                before: before
            )
        }
    }

    @Test func `messages that arrive twice are taken once`() async throws {
        try await Market.run { _ in
            .patientMarket()
        } _: { market in
            let before = try await market.balances()
            try await market.control("messages", "alice", "bob", "--duplicate", "1000")
            try await market.control("messages", "bob", "alice", "--duplicate", "1000")
            var spent: UInt64 = 0
            for number in 0..<3 {
                let key = try await market.submit("hello \(number)")
                let job = try await market.end(of: key)
                #expect(job.view.stage == .done)
                spent += job.view.priceMsat
            }
            #expect(try await market.calls(of: "AddInvoice", at: "bob") == 3)
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 3)
            try await market.expectBalancedBooks(spent: spent, before: before)
        }
    }

    @Test func `a quote that got lost is asked for again, and only one is paid`() async throws {
        try await Market.run { directory in
            var plan = LocalNetworkPlan.market()
            let yaml = "\(directory)/requester.yaml"
            try Data("quote_wait_seconds: 5\n".utf8).write(to: URL(filePath: yaml))
            plan.arguments["lcp-requester"] = ["--config", yaml]
            return plan
        } _: { market in
            let before = try await market.balances()
            try await market.control("messages", "bob", "alice", "--drop", "1")
            let job = try await market.end(of: try await market.submit("hello"))
            #expect(job.view.stage == .done)
            // It may take a third question until one is answered in time.
            #expect(try await market.calls(of: "AddInvoice", at: "bob") >= 2)
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 1)
            try await market.expectBalancedBooks(spent: job.view.priceMsat, before: before)
        }
    }

    @Test func `messages in any order buy one result with one payment`() async throws {
        try await Market.run { _ in
            var plan = LocalNetworkPlan.patientMarket()
            plan.nodes = [.init("alice", requesters: 1), .bare("mallory")]
            plan.channels = ["alice:mallory:1000000"]
            return plan
        } _: { market in
            let alice = try await market.network.node("alice").id
            try await ScriptedPeer.play("mallory", in: market) { mallory in
                func send(_ message: V01.Message) async throws {
                    try await mallory.send(message, to: alice)
                }
                func result(_ text: String, _ job: JobID) -> V01.Message {
                    .result(
                        ScriptedPeer.envelope(job),
                        V01.Result(result: Array(text.utf8), contentType: nil)
                    )
                }
                let key = try await market.submit("hello", to: "mallory", ceiling: nil)
                let (envelope, request) = try await mallory.quoteRequest()
                let job = envelope.jobID
                var quote = try mallory.quote(envelope, request)
                let invoice = try await mallory.invoice(for: quote)
                quote.paymentRequest = invoice.paymentRequest.reveal("it is the test's own")

                // An answer before the quote, for this job and for one that never was; the quote
                // twice; and another one.
                try await send(result("too early", job))
                try await send(result("stray", JobID(ScriptedPeer.randomBytes())))
                try await send(.quoteResponse(ScriptedPeer.envelope(job), quote))
                try await send(.quoteResponse(ScriptedPeer.envelope(job), quote))
                var other = try mallory.quote(envelope, request, price: MilliSatoshi(msat: 9_000))
                other.paymentRequest = try await mallory.invoice(for: other).paymentRequest
                    .reveal("it is the test's own")
                try await send(.quoteResponse(ScriptedPeer.envelope(job), other))
                let quoted = try await market.wait(for: key) { $0.view.stage == .quoted }
                #expect(quoted.view.priceMsat == 5_000)

                // The result overtakes the news of the payment.
                try await market.control("payments", "alice", "--hang")
                let client = try await market.network.client(of: "alice")
                _ = try await client.accept(key, upTo: MilliSatoshi(msat: 9_000))
                try await eventually("the payment has begun") {
                    try await market.calls(of: "SendPaymentV2", at: "alice") == 1
                }
                try await send(result("the one", job))
                try await send(result("another", job))
                try await market.control("release", "alice")
                let ended = try await market.end(of: key)
                #expect(ended.view.stage == .done)
                #expect(ended.view.priceMsat == 5_000)
                let output = try await market.output(of: key)
                #expect(output == "the one")

                // What comes afterwards changes nothing.
                try await send(result("late", job))
                let failure = V01.Failure(code: .rateLimited, message: nil)
                try await send(.error(ScriptedPeer.envelope(job), failure))
                let next = try await market.submit("next", to: "mallory", ceiling: nil)
                _ = try await mallory.quoteRequest()
                _ = try await client.cancel(next)
                #expect(try await market.output(of: key) == "the one")
                #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 1)
            }
        }
    }
}
