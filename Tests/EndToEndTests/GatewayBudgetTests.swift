import BridgeProtocol
import BusClient
import Foundation
import LightningTypes
import LocalNetwork
import Subprocess
import Testing

/// Budgets of the gateway's keys: real payments on the simulated network, and gateways that die.
@Suite(.timeLimit(.minutes(30)), .enabled(if: GatewayDesk.hasCurl, "needs curl"))
struct GatewayBudgetTests {
    private static let gateway = ProcessName("alice", .gateway)

    private static func plan(
        _ directory: String,
        _ arguments: [String] = []
    ) throws -> LocalNetworkPlan {
        var plan = try Gate.market(directory)
        plan.nodes[0].gateway = "127.0.0.1:\(try LoopbackPort.free())"
        plan.arguments["lcp-gateway"] = ["--keys", GatewayDesk.keys(directory)] + arguments
        return plan
    }

    @Test func `a gateway killed in the middle of a paid job forgets nothing of a key's budget`()
        async throws
    {
        try await Market.run {
            try Self.plan($0)
        } _: { market in
            let desk = try await GatewayDesk(market, budgetSat: 28)
            let client = try await market.network.client(of: "alice")

            let interrupted = Task { try await desk.ask("one", name: "first") }
            _ = try await market.gate.running()
            await market.network.kill(Self.gateway)
            #expect(try await interrupted.value.status == 0, "the connection is gone")
            let left = try await desk.account()
            #expect(
                left.reserved > 0 && left.spent == 0,
                "on disk before the bridge was told to pay"
            )

            try await market.network.start(Self.gateway)
            try await market.network.waitForGateway(of: "alice")
            try market.gate.open()
            let again = try await desk.ask("one", name: "first")
            #expect(again.status == 200 && again.body.contains("one, answered"), "\(again)")
            try await eventually("the reservation is settled") {
                try await desk.account().reserved == 0
            }
            let ledger = try await client.ledger(limit: 10)
            #expect(ledger.entries.count == 1, "a retry never pays again")
            #expect(try await desk.account().spent == ledger.spentMsat + ledger.feesMsat)

            // What is left buys some more, and then nothing.
            var (answers, refusal) = (0, "")
            while refusal.isEmpty, answers < 20 {
                let answer = try await desk.ask("more \(answers)", name: "more \(answers)")
                if answer.status == 200 {
                    answers += 1
                } else {
                    #expect(answer.status == 402, "\(answer)")
                    refusal = answer.body
                }
            }
            #expect(answers > 1 && refusal.contains("budget"), "\(answers) \(refusal)")
            try await eventually("everything is settled") {
                try await desk.account().reserved == 0
            }
            let end = try await client.ledger(limit: 1)
            let account = try await desk.account()
            #expect(account.spent == end.spentMsat + end.feesMsat)
            #expect(account.spent <= 28_000)
        }
    }

    @Test func `a gateway killed after it has agreed to any price settles what was paid`()
        async throws
    {
        try await Market.run {
            try Self.plan($0)
        } _: { market in
            // So much that the price need not be known first.
            let desk = try await GatewayDesk(market, budgetSat: 100_000)
            let client = try await market.network.client(of: "alice")
            let interrupted = Task { try await desk.ask("one") }
            _ = try await market.gate.running()
            await market.network.kill(Self.gateway)
            #expect(try await interrupted.value.status == 0, "the connection is gone")
            let left = try await desk.account()
            #expect(left.reserved == 1_010_000, "the ceiling and its fees, on disk beforehand")

            try await market.network.start(Self.gateway)
            try await market.network.waitForGateway(of: "alice")
            try market.gate.open()
            let again = try await desk.ask("one", retry: 1)
            #expect(again.status == 200 && again.body.contains("one, answered"), "\(again)")
            try await eventually("the reservation is settled") {
                try await desk.account().reserved == 0
            }
            let ledger = try await client.ledger(limit: 10)
            #expect(ledger.entries.count == 1, "a retry never pays again")
            #expect(try await desk.account().spent == ledger.spentMsat + ledger.feesMsat)
        }
    }

    @Test(arguments: [
        // Prices are waited for, since the ceiling would not fit.
        (budget: 60, ceiling: 1_000, requests: 24),
        // At first they are not.
        (budget: 200, ceiling: 5, requests: 80),
    ])
    func `many requests at a time never spend more than the key's budget`(
        _ course: (budget: Int, ceiling: Int, requests: Int)
    ) async throws {
        try await Market.run {
            try Self.plan($0, ["--max-price", "\(course.ceiling)"])
        } _: { market in
            let desk = try await GatewayDesk(market, budgetSat: course.budget)
            try market.gate.open()
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<course.requests {
                    group.addTask { try await desk.ask("\(number)").status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(statuses) == [200, 402], "\(statuses)")
            try await eventually("everything is settled") {
                try await desk.account().reserved == 0
            }
            let ledger = try await market.network.client(of: "alice").ledger(limit: 1)
            let account = try await desk.account()
            #expect(account.spent == ledger.spentMsat + ledger.feesMsat)
            #expect(account.spent <= UInt64(course.budget) * 1_000)
        }
    }

    @Test func `a revoked key is refused by the running gateway`() async throws {
        try await Market.run {
            try Self.plan($0)
        } _: { market in
            let desk = try await GatewayDesk(market, budgetSat: 1_000)
            try market.gate.open()
            #expect(try await desk.ask("one", name: "one").status == 200)
            let revoked = try await Market.run(
                "lcp-gateway",
                ["keys", "revoke", desk.id, "--keys", GatewayDesk.keys(market.directory)]
            )
            #expect(revoked.exit == 0, "\(revoked.errors)")
            #expect(try await desk.ask("two", name: "two").status == 401)
        }
    }
}

/// A client of alice's gateway with a key of its own.
private struct GatewayDesk: Sendable {
    /// The key's id.
    let id: String
    private let token: String
    private let url: String
    private let file: String

    struct Answer: Sendable {
        /// The HTTP status; 0 without an answer.
        var status: Int
        var body: String
    }

    static func keys(_ directory: String) -> String { "\(directory)/keys.jsonl" }

    static let hasCurl = FileManager.default.isExecutableFile(atPath: "/usr/bin/curl")

    init(_ market: Market, budgetSat: Int) async throws {
        file = Self.keys(market.directory)
        let made = try await Market.run(
            "lcp-gateway",
            ["keys", "add", "client", "--budget", "\(budgetSat)", "--keys", file]
        )
        token = String(try #require(made.output.split(separator: "\n").first))
        id = String(try #require(made.errors.split(separator: " ").first))
        let address = try #require(market.network.plan.nodes[0].gateway)
        url = "http://\(address)/v1/chat/completions"
    }

    /// Asks for a completion; under a name, or as a repetition, it may be an earlier purchase.
    func ask(_ prompt: String, name: String? = nil, retry: Int = 0) async throws -> Answer {
        let body = #"{"model":"demo","messages":[{"role":"user","content":"\#(prompt)"}]}"#
        let result = try await Subprocess.run(
            .name("curl"),
            arguments: Arguments(
                [
                    "-s", "--max-time", "600", "-w", "\n%{http_code}", url,
                    "-H", "content-type: application/json", "-H", "authorization: Bearer \(token)",
                    "-H", "x-stainless-retry-count: \(retry)", "-d", body,
                ] + (name.map { ["-H", "idempotency-key: \($0)"] } ?? [])
            ),
            output: .string(limit: 1 << 20),
            error: .discarded
        )
        let lines = result.standardOutput.split(separator: "\n", omittingEmptySubsequences: false)
        return Answer(
            status: lines.last.flatMap { Int($0) } ?? 0,
            body: lines.dropLast().joined(separator: "\n")
        )
    }

    /// What the key has spent and reserved, in msat.
    func account() async throws -> (spent: UInt64, reserved: UInt64) {
        let list = try await Market.run("lcp-gateway", ["keys", "list", "--json", "--keys", file])
        let keys = try #require(try list.object()["keys"] as? [NSDictionary])
        let key = try #require(keys.first)
        return (
            try #require(key["spent_msat"] as? UInt64),
            try #require(key["reserved_msat"] as? UInt64)
        )
    }
}
