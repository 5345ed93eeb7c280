import BridgeProtocol
import BusClient
import Foundation
import LCPWire
import LightningTypes
import LndRPC
import LocalNetwork
import Testing

/// `lcp cancel` at each stage of a job.
@Suite(.timeLimit(.minutes(30))) struct CancellationTests {
    @Test func `a job that no quote has come for is cancelled, and the provider told`()
        async throws
    {
        try await Market.run { _ in
            var plan = LocalNetworkPlan.patientMarket()
            plan.nodes = [.init("alice", requesters: 1), .bare("mallory")]
            plan.channels = ["alice:mallory:1000000"]
            return plan
        } _: { market in
            let alice = try await market.network.node("alice").id
            try await ScriptedPeer.play("mallory", in: market) { mallory in
                let key = try await market.submit("hello", to: "mallory")
                let (envelope, request) = try await mallory.quoteRequest()
                _ = try await market.network.client(of: "alice").cancel(key)
                #expect(try await market.end(of: key).view.stage == .cancelled)
                #expect(try await mallory.answer(to: envelope.jobID).type == .cancel)

                // A quote that was on its way is not paid, whatever ceiling the job had.
                var quote = try mallory.quote(envelope, request)
                quote.paymentRequest = try await mallory.invoice(for: quote).paymentRequest
                    .reveal("it is the test's own")
                try await mallory.send(
                    .quoteResponse(ScriptedPeer.envelope(envelope.jobID), quote),
                    to: alice
                )
                // The next job shows that the late quote has been taken and dropped.
                let next = try await market.submit("again", to: "mallory")
                _ = try await mallory.quoteRequest()
                _ = try await market.network.client(of: "alice").cancel(next)
                #expect(try await market.end(of: next).view.stage == .cancelled)
                #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 0)
            }
        }
    }

    @Test func `a cancelled quote's invoice can't be paid any more`() async throws {
        try await Market.run { market in
            let key = try await market.submit("hello", ceiling: nil)
            let quoted = try await market.wait(for: key) { $0.view.stage == .quoted }
            let client = try await market.network.client(of: "alice")
            _ = try await client.cancel(key)
            #expect(try await market.end(of: key).view.stage == .cancelled)
            try await market.expectCancelledInvoice(quoted.view.paymentHash)
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 0)
        }
    }

    @Test func `a payment on its way ends when the provider cancels its invoice`() async throws {
        try await Market.run { market in
            let before = try await market.balances()
            try await market.control("payments", "alice", "--hang")
            let key = try await market.submit("hello")
            let paying = try await market.wait(for: key) { $0.view.stage == .paying }
            try await eventually("the payment has begun") {
                try await market.calls(of: "SendPaymentV2", at: "alice") == 1
            }
            let client = try await market.network.client(of: "alice")
            _ = try await client.cancel(key)
            try await market.expectCancelledInvoice(paying.view.paymentHash)
            // What arrives now finds no invoice, and comes back.
            try await market.control("release", "alice")
            let ended = try await market.end(of: key)
            #expect(ended.view.stage == .cancelled || ended.view.stage == .failed)
            #expect(ended.view.paidUnix == 0)
            try await market.expectBalancedBooks(spent: 0, before: before)
        }
    }

    @Test func `a running job is stopped, and its payment is answered with an error`() async throws
    {
        try await Market.run {
            try Gate.market($0)
        } _: { market in
            let key = try await market.submit("hello")
            let program = try await market.gate.running()
            try await market.wait(for: key) { $0.view.stage == .running }
            let client = try await market.network.client(of: "alice")
            _ = try await client.cancel(key)
            #expect(try await market.end(of: key).view.stage == .paidFailed)
            try await eventually("the program has ended") {
                !FileManager.default.fileExists(atPath: "/proc/\(program)")
            }
            let id = key.jobID.map { String(format: "%02x", $0) }.joined()
            #expect(try await market.lcp("alice", ["result", id]).exit == 14)
        }
    }

    @Test func `a job that is done stays done`() async throws {
        try await Market.run { market in
            let key = try await market.submit("hello")
            #expect(try await market.end(of: key).view.stage == .done)
            let client = try await market.network.client(of: "alice")
            #expect(try await client.cancel(key).view.stage == .done)
            #expect(try await market.output(of: key)?.hasSuffix("\nhello") == true)
        }
    }
}

extension Market {
    /// Waits until an invoice of bob's is cancelled.
    fileprivate func expectCancelledInvoice(_ hash: Data) async throws {
        let hash = PaymentHash(try #require(Bytes32(hash)))
        try await withLnd(of: "bob") { bob in
            try await eventually("bob's invoice is cancelled") {
                try await bob.lookupInvoice(hash).state == .canceled
            }
        }
    }
}
