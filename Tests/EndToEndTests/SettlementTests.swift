import BridgeProtocol
import BusClient
import Foundation
import LCPWire
import LightningTypes
import LndRPC
import LocalNetwork
import Testing

/// However a settlement comes to light, the paid job is executed once and answered.
@Suite(.timeLimit(.minutes(30))) struct SettlementTests {
    private static let bridge = ProcessName("bob", .bridge)

    /// bob sells; carol is played by the test.
    private static func market(quoteSeconds: Int) -> LocalNetworkPlan {
        var plan = LocalNetworkPlan.market()
        plan.nodes = [.init("bob", providers: 1, computes: 1), .bare("carol")]
        plan.channels = ["carol:bob:1000000"]
        plan.providerConfiguration = plan.providerConfiguration
            .replacing("quote_ttl_seconds: 300", with: "quote_ttl_seconds: \(quoteSeconds)")
        return plan
    }

    /// carol asks bob for a quote.
    private static func quote(
        _ job: JobID,
        _ carol: ScriptedPeer,
        of bob: NodeID
    ) async throws -> V01.QuoteResponse {
        try await carol.sendManifest(to: bob)
        let request = try V01.QuoteRequest(
            taskKind: V01.llmChat,
            input: Array("hello".utf8),
            params: try V01.LLMChatParams(profile: "demo").encoded()
        )
        try await carol.send(.quoteRequest(ScriptedPeer.envelope(job), request), to: bob)
        let answer = try await carol.answer(to: job)
        guard case .quoteResponse(_, let quote) = answer else { throw Unexpected(answer) }
        return quote
    }

    private static func expectResult(_ job: JobID, _ carol: ScriptedPeer) async throws {
        // A bridge that was killed may have said the last thing twice.
        let answer = try await carol.inbox.take { $0.jobID == job && $0.type == .result }
        guard case .result(_, let result) = answer else { throw Unexpected(answer) }
        #expect(result.result.suffix(6) == Array("\nhello".utf8)[...])
    }

    @Test func `a settlement while the bridge was down is found, and the job done`() async throws {
        try await Market.run { _ in
            Self.market(quoteSeconds: 300)
        } _: { market in
            let before = try await market.balances()
            let bob = try await market.network.node("bob").id
            try await ScriptedPeer.play("carol", in: market) { carol in
                let job = JobID(ScriptedPeer.randomBytes())
                let quote = try await Self.quote(job, carol, of: bob)
                await market.network.kill(Self.bridge)
                let payment = try await carol.pay(quote)
                guard case .succeeded = payment.status else {
                    Issue.record("\(payment.status)")
                    return
                }
                try await market.network.start(Self.bridge)
                try await Self.expectResult(job, carol)
            }
            try await market.expectBalancedBooks(before: before)
            #expect(try await market.network.client(of: "bob").ledger(limit: 1).earnedMsat > 0)
        }
    }

    @Test func `an invoice that is settled after its nominal expiry is a paid job`() async throws {
        try await Market.run { _ in
            Self.market(quoteSeconds: 30)
        } _: { market in
            let before = try await market.balances()
            let bob = try await market.network.node("bob").id
            // lnd cancels late, and the bridge is not there to do it in time.
            try await market.control("expiry", "bob", "3600000")
            try await market.control("payments", "carol", "--hang")
            try await ScriptedPeer.play("carol", in: market) { carol in
                let job = JobID(ScriptedPeer.randomBytes())
                let quote = try await Self.quote(job, carol, of: bob)
                async let payment = carol.pay(quote)
                try await eventually("the payment is on its way") {
                    try await market.calls(of: "SendPaymentV2", at: "carol") == 1
                }
                await market.network.kill(Self.bridge)
                try await eventually("the quote has ended") { UnixTime.wall > quote.quoteExpiry }
                try await market.control("release", "carol")
                let status = try await payment.status
                guard case .succeeded = status else {
                    Issue.record("\(status)")
                    return
                }
                try await market.network.start(Self.bridge)
                try await Self.expectResult(job, carol)
            }
            try await market.expectBalancedBooks(before: before)
        }
    }

    @Test func `settlements are seen whatever lnd's index does`() async throws {
        try await Market.run { market in
            let before = try await market.balances()
            var spent: UInt64 = 0
            func buy() async throws {
                let job = try await market.end(of: try await market.submit("hello"))
                #expect(job.view.stage == .done)
                spent += job.view.priceMsat
            }
            try await buy()
            // A gap, as lnd leaves them.
            try await market.control("settle-index", "bob", "5000")
            try await buy()
            // The count begins again, below what was seen; also for a bridge that begins again.
            try await market.control("settle-index", "bob", "--restart")
            try await buy()
            await market.network.kill(Self.bridge)
            try await market.control("settle-index", "bob", "--restart")
            try await market.network.start(Self.bridge)
            try await buy()
            try await market.control("restart", "bob")
            try await market.control("settle-index", "bob", "--restart")
            try await buy()
            try await market.expectBalancedBooks(spent: spent, before: before)
        }
    }
}
