import BridgeProtocol
import Foundation
import LightningTypes
import LocalNetwork
import Testing

/// `lcp ledger` of both sides after real trade.
@Suite(.timeLimit(.minutes(30))) struct LedgerTests {
    /// Two profiles, one with a name that a spreadsheet would stumble over, and a program whose
    /// answer to `long` fits no message.
    private static func plan(_ directory: String) throws -> LocalNetworkPlan {
        var plan = LocalNetworkPlan.market()
        plan.providerConfiguration = plan.providerConfiguration.replacing(
            "    demo:",
            with: """
                    'big, "bold"':
                      price:
                        input_msat_per_mtok: 2750000
                        output_msat_per_mtok: 24000000
                    demo:
                """
        )
        let script = """
            #!/bin/sh
            input=$(cat)
            [ "$input" = long ] && exec head -c 200000 /dev/zero | tr '\\0' x
            printf '%s' "$input"

            """
        try Data(script.utf8).write(to: URL(filePath: "\(directory)/answer.sh"))
        plan.arguments["lcp-compute"] = [
            "--backend", "exec", "--", "/bin/sh", "\(directory)/answer.sh",
        ]
        return plan
    }

    @Test func `entries, sums and CSV of both sides say what the balances say`() async throws {
        try await Market.run {
            try Self.plan($0)
        } _: { market in
            let before = try await market.balances()
            let bold = #"big, "bold""#
            for (prompt, profile) in [("one", "demo"), ("two", bold), ("long", "demo")] {
                let key = try await market.submit(prompt, profile: profile)
                #expect(try await market.end(of: key).view.stage == .done, "\(prompt)")
            }
            try await market.expectBalancedBooks(before: before)
            for node in ["alice", "bob"] {
                let start = try #require(before[node])
                let moved =
                    Int(try await market.network.node(node).balance().local.msat) - Int(start.msat)

                let ledger = try await market.lcp(node, ["ledger", "--json"]).object()
                let entries = try #require(ledger["entries"] as? [NSDictionary])
                #expect(entries.count == 3)
                #expect(Self.net(entries, fee: "fee_msat") == moved)
                #expect(Self.net([ledger], fee: "fees_msat") == moved)
                #expect(entries.allSatisfy { $0["unattributed"] as? Bool == false })

                let summed = try await market.lcp(node, ["ledger", "--sums", "--json"]).object()
                let sums = try #require(summed["sums"] as? [NSDictionary])
                #expect(sums.map { $0["profile"] as? String } == [bold, "demo"])
                #expect(sums.map { $0["entries"] as? Int } == [1, 2])
                #expect(Self.net(sums, fee: "fees_msat") == moved)

                let csv = try await market.lcp(node, ["ledger", "--csv"]).output
                let lines = csv.components(separatedBy: "\r\n")
                #expect(lines.count == 5 && lines.last == "")
                #expect(lines.first?.hasPrefix("at_unix,role,peer_id,job_id,profile,") == true)
                #expect(lines[2].contains(#","big, ""bold""","#), "\(lines[2])")
                let table = try await market.lcp(node, ["ledger", "--sums", "--csv"]).output
                #expect(table.hasPrefix("peer_id,profile,entries,earned_msat,spent_msat,fees_msat"))
                let old = try await market.lcp(node, ["ledger", "--since", "1d", "--json"]).object()
                #expect(old == ledger)
            }
            // The answer that did not fit was sold cut, and the seller's books say so.
            let sold = try await market.lcp("bob", ["ledger", "--json"]).object()
            let entries = try #require(sold["entries"] as? [NSDictionary])
            #expect(entries.map { $0["truncated"] as? Bool } == [false, false, true])
        }
    }

    /// What all rows together earned, less what they spent and what that cost.
    private static func net(_ rows: [NSDictionary], fee: String) -> Int {
        rows.reduce(0) { sum, row in
            func amount(_ name: String) -> Int { row[name] as? Int ?? 0 }
            return sum + amount("earned_msat") - amount("spent_msat") - amount(fee)
        }
    }

    @Test(arguments: [
        ["--csv", "--json"], ["--csv", "--page", "00"], ["--sums", "--page", "00"],
    ])
    func `what contradicts itself exits 64`(arguments: [String]) async throws {
        let outcome = try await Market.run("lcp", ["ledger"] + arguments)
        #expect(outcome.exit == 64)
    }
}
