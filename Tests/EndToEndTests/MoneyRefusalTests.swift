import BridgeProtocol
import BusClient
import Foundation
import LightningTypes
import LocalNetwork
import Testing

/// What a person who buys is told when a money rule is against it.
@Suite(.timeLimit(.minutes(30))) struct MoneyRefusalTests {
    /// A rule that the bridge is started with, and what ask must say about it.
    struct Rule: Sendable, CustomTestStringConvertible {
        var arguments: [String]
        var code: String
        var advice: String

        var testDescription: String { code }
    }

    static let rules = [
        Rule(arguments: ["--dry-run"], code: "dry-run", advice: "without --dry-run"),
        Rule(
            arguments: ["--daily-budget-sat", "13"],
            code: "daily-budget",
            advice: "raise --daily-budget-sat"
        ),
        Rule(
            arguments: ["--monthly-budget-sat", "13"],
            code: "monthly-budget",
            advice: "raise --monthly-budget-sat"
        ),
        Rule(
            arguments: ["--per-payment-limit-sat", "13"],
            code: "per-payment-limit",
            advice: "Raise --per-payment-limit-sat"
        ),
        Rule(
            // Some point of the curve.
            arguments: [
                "--allow-payee",
                "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            ],
            code: "payee-not-allowed",
            advice: "Add it with --allow-payee"
        ),
        Rule(
            arguments: ["--max-final-cltv", "79"],
            code: "final-cltv",
            advice: "Raise --max-final-cltv"
        ),
        Rule(arguments: ["--cltv-limit", "83"], code: "cltv-limit", advice: "Raise --cltv-limit"),
        Rule(
            arguments: ["--max-invoice-seconds", "60"],
            code: "invoice-lives-too-long",
            advice: "Raise --max-invoice-seconds"
        ),
    ]

    /// 3.595 sat and at most 10 sat of fees are just above 13.
    @Test func `a refusal reaches ask with its reason and the option to change, unpaid`()
        async throws
    {
        try await Market.run { market in
            let before = try await market.balances()
            for rule in Self.rules {
                try await market.restartBridge(with: rule.arguments)
                let outcome = try await market.ask("Say hello in one word.")
                #expect(outcome.exit == 12, "\(rule.code): \(outcome.errors)")
                #expect(outcome.errors.contains(#""code":"payment-refused""#), "\(rule.code)")
                let failure = try outcome.object()["failure"] as? NSDictionary
                let detail = failure?["detail"] as? String ?? ""
                #expect(detail.contains("\(rule.code), "), "\(rule.code): \(detail)")
                let advice = failure?["advice"] as? String ?? ""
                #expect(advice.contains(rule.advice), "\(rule.code): \(advice)")
                // The last word on standard error has it too, for people.
                #expect(outcome.errors.contains(rule.advice), "\(rule.code): \(outcome.errors)")
            }
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 0)
            try await market.expectBalancedBooks(spent: 0, before: before)

            // So that this test can fail: one more satoshi of room, and the job is bought.
            try await market.restartBridge(with: ["--per-payment-limit-sat", "14"])
            let bought = try await market.ask("Say hello in one word.")
            #expect(bought.exit == 0, "\(bought.errors)")
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 1)
            try await market.expectBalancedBooks(spent: 3_595, before: before)
        }
    }

    @Test func `a route may cost what the fee options allow and not a millisatoshi more`()
        async throws
    {
        try await Market.run { _ in
            var plan = LocalNetworkPlan.market()
            plan.nodes.append(.bare("carol"))
            // carol takes 1 sat for each payment she passes on.
            plan.channels = ["alice:carol:1000000", "carol:bob:1000000"]
            return plan
        } _: { market in
            let none = ["--fee-floor-sat", "0", "--fee-share-ppm", "0"]
            try await market.restartBridge(with: none)
            let dear = try await market.ask("Say hello in one word.")
            #expect(dear.exit == 12, "\(dear.errors)")
            #expect(dear.errors.contains("lnd-no-route"), "\(dear.errors)")
            #expect(dear.errors.contains("--fee-floor-sat"), "\(dear.errors)")

            try await market.restartBridge(with: ["--fee-floor-sat", "1", "--fee-share-ppm", "0"])
            let bought = try await market.ask("Say hello in one word.")
            #expect(bought.exit == 0, "\(bought.errors)")
            #expect(try bought.object()["fee_msat"] as? UInt64 == 1_000)
            let ledger = try await market.network.client(of: "alice").ledger(limit: 1)
            #expect(ledger.spentMsat == 3_595 && ledger.feesMsat == 1_000)
        }
    }
}

extension Market {
    /// Ends alice's bridge in order and starts it with more arguments.
    fileprivate func restartBridge(with arguments: [String]) async throws {
        let bridge = ProcessName("alice", .bridge)
        await network.process(bridge)?.terminate()
        try await network.start(bridge, arguments: arguments)
        try await network.waitForBridge(of: "alice")
        try await network.waitForWorkers(of: "alice")
        try await network.waitForOffers(of: "bob", at: "alice")
    }
}
