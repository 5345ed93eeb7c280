import BridgeProtocol
import BusClient
import Foundation
import LightningTypes
import LocalNetwork
import Testing

/// A node whose journal is gone and whose backup is older than its last payments.
@Suite(.timeLimit(.minutes(30))) struct RestoreTests {
    @Test func `a restored buyer pays nothing before lnd was asked, and nothing twice`()
        async throws
    {
        try await Market.run { directory in
            var plan = LocalNetworkPlan.market()
            // Quotes that outlive the test.
            plan.providerConfiguration = plan.providerConfiguration
                .replacing("quote_ttl_seconds: 300", with: "quote_ttl_seconds: 3600")
            let yaml = "\(directory)/requester.yaml"
            // What a restored job has missed is asked for again after this.
            try Data("repeat_seconds: 10\n".utf8).write(to: URL(filePath: yaml))
            plan.arguments["lcp-requester"] = ["--config", yaml]
            return plan
        } _: { market in
            let before = try await market.balances()
            let alice = try await market.network.client(of: "alice")
            let first = try await market.end(of: try await market.submit("first"))
            #expect(first.view.stage == .done)
            let quoted = try await market.submit("quoted and paid later", ceiling: nil)
            let waiting = try await market.submit("quoted and never paid", ceiling: nil)
            for key in [quoted, waiting] {
                try await market.wait(for: key) { $0.view.stage == .quoted }
            }
            try await market.backUp("alice")

            // The backup knows nothing of these payments.
            let ceiling = MilliSatoshi(msat: 1_000_000)
            _ = try await alice.accept(quoted, upTo: ceiling)
            #expect(try await market.end(of: quoted).view.stage == .done)
            for number in 0..<2 {
                let lost = try await market.end(of: try await market.submit("lost \(number)"))
                #expect(lost.view.stage == .done)
            }
            try await market.expectBalancedBooks(before: before)
            let spent = try await alice.ledger(limit: 1).spentMsat
            let calls = try await market.calls(of: "SendPaymentV2", at: "alice")
            #expect(calls == 4)

            let running = try await market.restore("alice")
            #expect(running.exit == 75, "\(running.errors)")
            let bridge = ProcessName("alice", .bridge)
            await market.network.kill(bridge)
            try await market.control("wallet", "alice", "locked")
            let restored = try await market.restore("alice")
            #expect(restored.exit == 0, "\(restored.errors)")
            let replaced = try #require(try restored.object()["replaced"] as? String)
            #expect(FileManager.default.fileExists(atPath: replaced))

            // While lnd is away nothing begins, whatever a client wants.
            try await market.network.start(bridge)
            try await eventually("the bridge answers") {
                let status = try? await alice.status()
                return status?.counters["journal.not_reconciled"] == 1
            }
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == calls)
            try await market.control("wallet", "alice", "server-active")
            try await eventually("the journal was compared with lnd") {
                try await alice.status().counters["journal.not_reconciled"] == nil
            }

            // The books are whole again, three payments without their jobs.
            try await market.expectBalancedBooks(spent: spent, before: before)
            #expect(try await market.unattributed(at: "alice") == 3)
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == calls)

            // The quote that was paid is paid, and brings its answer.
            _ = try await alice.accept(quoted, upTo: ceiling)
            #expect(try await market.end(of: quoted).view.stage == .done)
            #expect(
                try await market.output(of: quoted)?.hasSuffix("\nquoted and paid later") == true
            )
            #expect(try await market.unattributed(at: "alice") == 2)
            // Of the other one nobody can say that it was not.
            _ = try await alice.accept(waiting, upTo: ceiling)
            let refused = try await market.end(of: waiting)
            #expect(refused.view.stage == .failed)
            #expect(refused.view.failure.code == "already-paying")
            let job = Hex.encode(waiting.jobID)
            let told = try await market.lcp("alice", ["result", "--json", job])
            #expect(told.exit == 12)
            #expect(told.errors.contains(#""code":"already-paying""#), "\(told.errors)")
            #expect(!told.errors.contains("nothing was paid"), "\(told.errors)")
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == calls)
            try await market.expectBalancedBooks(spent: spent, before: before)

            // And it trades again, also after the next start.
            #expect(try await market.end(of: try await market.submit("new")).view.stage == .done)
            await market.network.kill(bridge)
            try await market.network.start(bridge)
            #expect(try await market.end(of: try await market.submit("more")).view.stage == .done)
            try await market.expectBalancedBooks(before: before)
        }
    }

    @Test func `what a restored seller has earned since the backup is in its books`() async throws {
        try await Market.run { market in
            let before = try await market.balances()
            #expect(try await market.end(of: try await market.submit("first")).view.stage == .done)
            try await market.backUp("bob")
            #expect(try await market.end(of: try await market.submit("lost")).view.stage == .done)
            let bridge = ProcessName("bob", .bridge)
            await market.network.kill(bridge)
            let restored = try await market.restore("bob")
            #expect(restored.exit == 0, "\(restored.errors)")
            try await market.network.start(bridge)
            #expect(try await market.end(of: try await market.submit("new")).view.stage == .done)
            try await market.expectBalancedBooks(before: before)
            #expect(try await market.unattributed(at: "bob") == 1)
        }
    }
}

extension Market {
    /// Copies a node's journal beside it, while its bridge runs.
    fileprivate func backUp(_ node: String) async throws {
        let journal = try await network.node(node).journal
        let outcome = try await Self.run("lcp", ["journal", "backup", journal, journal + ".copy"])
        try #require(outcome.exit == 0, "\(outcome.errors)")
    }

    /// Tries to put that copy in the journal's place.
    fileprivate func restore(_ node: String) async throws -> Outcome {
        let journal = try await network.node(node).journal
        return try await Self.run(
            "lcp",
            ["journal", "restore", "--json", journal + ".copy", journal]
        )
    }

    /// How many entries of a node's ledger belong to no job.
    fileprivate func unattributed(at node: String) async throws -> Int {
        let ledger = try await lcp(node, ["ledger", "--json"]).object()
        let entries = try #require(ledger["entries"] as? [NSDictionary])
        return entries.count { $0["unattributed"] as? Bool == true }
    }
}
