import BridgeProtocol
import BusClient
import Foundation
import Glibc
import LightningTypes
import LocalNetwork
import Synchronization
import Testing

/// Every fault of the simulated network while jobs run.
@Suite(.timeLimit(.minutes(30))) struct SimnetFaultTests {
    @Test func `the list of faults has all that can be ordered`() async throws {
        let orders = SimnetFault.groups.flatMap { $0 }.flatMap { $0.inflicted + $0.healed }
            .map { $0.split(separator: " ").map { String($0) } }
        let repertoire = try await SimnetFault.repertoire()
        #expect(repertoire.count > 30)
        for (subcommand, word) in repertoire where !SimnetFault.harmless.contains(subcommand) {
            #expect(
                orders.contains { $0[0] == subcommand && $0.contains(word) },
                "no test orders `\(subcommand)` with `\(word)`"
            )
        }
    }

    @Test(arguments: 0..<SimnetFault.groups.count)
    func `whatever goes wrong, each payment is booked and answered, and trade goes on`(
        group: Int
    ) async throws {
        try await Market.run { directory in
            var plan = LocalNetworkPlan.market(computes: 2)
            let yaml = "\(directory)/requester.yaml"
            let rules = "quote_wait_seconds: 1\nquote_attempts: 16\nrepeat_seconds: 10\n"
            try Data(rules.utf8).write(to: URL(filePath: yaml))
            plan.arguments["lcp-requester"] = ["--config", yaml]
            plan.arguments["lcp-compute"] = ["--delay", "50"]
            return plan
        } _: { market in
            let before = try await market.balances()
            for fault in SimnetFault.groups[group] {
                try await market.trade(through: fault)
                try await market.expectBalancedBooks(before: before)
            }
            try await market.expectAnswers()
        }
    }

    @Test func `a network that is killed keeps money, invoices and payments, and its jobs end`()
        async throws
    {
        try await Market.run {
            try Gate.market($0)
        } _: { market in
            let before = try await market.balances()
            // One is paid and computed, one is on its way, one has only a quote.
            let paid = try await market.submit("paid")
            _ = try await market.gate.running()
            try await market.control("payments", "alice", "--hang")
            let hung = try await market.submit("hung")
            try await eventually("a payment hangs") {
                try await market.calls(of: "SendPaymentV2", at: "alice") == 2
            }
            let quoted = try await market.submit("quoted", ceiling: nil)
            try await market.wait(for: quoted) { $0.view.stage == .quoted }

            let simnet = ProcessName("", .simnet)
            await market.network.kill(simnet)
            try market.gate.open()
            try await market.network.start(simnet)
            #expect(try await market.end(of: paid).view.stage == .done)
            // An HTLC that hung hangs still: it is money on its way, not a fault to come.
            try await market.control("release", "alice")
            #expect(try await market.end(of: hung).view.stage == .done)
            let alice = try await market.network.client(of: "alice")
            _ = try await alice.accept(quoted, upTo: MilliSatoshi(msat: 1_000_000))
            #expect(try await market.end(of: quoted).view.stage == .done)
            try await market.expectBalancedBooks(before: before)
            try await market.expectAnswers()
        }
    }
}

extension Market {
    /// Has jobs under way when a fault comes, submits more while it lasts, ends it, and waits until
    /// all of them have ended and another one is bought.
    fileprivate func trade(through fault: SimnetFault) async throws {
        var keys: [BusJobKey] = []
        for number in 0..<2 { keys.append(try await submit("before \(number)")) }
        for order in fault.inflicted { try await control(words: order) }
        for number in 0..<2 { keys.append(try await submit("during \(number)")) }
        // The fault lasts until a job has met it, or as long as three questions take.
        for _ in 0..<3 { _ = try await control("status") }
        // Healed again and again: what a fault waits for may come after the first time.
        let ends = Mutex(false)
        async let healing: Void = {
            while !fault.healed.isEmpty, !ends.withLock({ $0 }) {
                for order in fault.healed { try await control(words: order) }
                // A program for each order: without a pause they would take the processor.
                try? await Task.sleep(for: .milliseconds(50))
            }
        }()
        defer { ends.withLock { $0 = true } }
        try await expectEnds(of: keys, fault)
        ends.withLock { $0 = true }
        try await healing
    }

    private func expectEnds(of keys: [BusJobKey], _ fault: SimnetFault) async throws {
        for key in keys {
            let stage = try await end(of: key).view.stage
            #expect([.done, .failed].contains(stage), "\(fault.testDescription): \(stage)")
        }
        // Failures that no job met yet are met now.
        for _ in 0..<4 {
            let last = try await end(of: try await submit("after"))
            if last.view.stage == .done { return }
        }
        Issue.record("no job is bought after \(fault.testDescription)")
    }

    fileprivate func control(words: String) async throws {
        let outcome = try await Self.run(
            "lcp-simnet",
            ["ctl"] + words.split(separator: " ").map { String($0) }
                + ["--dir", "\(directory)/simnet"]
        )
        try #require(outcome.exit == 0, "\(words): \(outcome.errors)")
    }

    /// Every payment in alice's ledger is of a job that was answered.
    fileprivate func expectAnswers() async throws {
        let client = try await network.client(of: "alice")
        let paid = try await client.ledger(limit: 1_000).entries
        #expect(!paid.isEmpty && paid.count < 1_000)
        #expect(Set(paid.map(\.job)).count == paid.count, "a job was paid twice")
        for entry in paid {
            let job = try await client.job(entry.job)
            #expect(job.view.stage == .done, "\(job.view.stage)")
        }
    }
}
