import BOLT11
import Bridge
import BridgeProtocol
import Foundation
import Journal
import LCPTesting
import LightningTypes
import Testing

/// Whole jobs over the real engine, journal and steps of both sides, in one process under a seed.
@Suite struct ScenarioTests {
    @Test func `a job that nothing happens to is quoted, paid, executed once and answered`()
        async throws
    {
        try await withScenario(seed: 1, faults: .none) { scenario in
            let (ticket, key) = try scenario.submit(
                ceiling: MilliSatoshi(msat: 1_000_000),
                prompt: "hello"
            )
            try await scenario.run(seconds: 10)

            guard case .job(let acknowledged) = scenario.buyer.answers[ticket] else {
                Issue.record("the submission was not acknowledged")
                return
            }
            #expect(JobKey(acknowledged.key) == key)
            let job = try #require(try await scenario.buyer.journal.job(key))
            #expect(BusJob(job.summary).view.stage == .done)
            let answer = try await scenario.buyer.journal.answer(of: key)
            #expect(answer?.reveal("the test compares it") == Array("echo: hello".utf8))
            #expect(scenario.seller.executions.values.reduce(0, +) == 1)
            // Request, quote and result: what the protocol needs and no more.
            #expect(scenario.messages == 3)
            try await scenario.expectTruth(of: [key])
        }
    }

    @Test func `a quote is shown and not paid before the client agrees`() async throws {
        try await withScenario(seed: 2, faults: .none) { scenario in
            let (_, key) = try scenario.submit(ceiling: nil, prompt: "how much?")
            try await scenario.run(seconds: 5)
            var job = BusJob(try #require(try await scenario.buyer.journal.job(key)).summary)
            #expect(job.view.stage == .quoted)
            #expect(job.view.priceMsat > 0)
            #expect(scenario.lightning.payments.isEmpty)

            scenario.accept(key, ceiling: MilliSatoshi(msat: job.view.priceMsat))
            try await scenario.run(seconds: 5)
            job = BusJob(try #require(try await scenario.buyer.journal.job(key)).summary)
            #expect(job.view.stage == .done)
            try await scenario.expectTruth(of: [key])
        }
    }

    @Test func `a quote above the ceiling is not paid`() async throws {
        try await withScenario(seed: 3, faults: .none) { scenario in
            let (_, key) = try scenario.submit(ceiling: MilliSatoshi(msat: 1), prompt: "cheap?")
            try await scenario.run(seconds: 5)
            #expect(scenario.lightning.payments.isEmpty)
            let job = BusJob(try #require(try await scenario.buyer.journal.job(key)).summary)
            #expect(job.view.priceMsat > 1)
            try await scenario.run(seconds: 1_500, step: 30)
            try await scenario.expectTruth(of: [key])
        }
    }

    @Test(arguments: 0..<48)
    func `whatever is lost, repeated, reordered or killed, each payment buys one answer`(
        seed: Int
    ) async throws {
        try await withScenario(seed: UInt64(seed) &* 7_919 &+ 11, faults: .all) { scenario in
            var keys: [JobKey] = []
            for number in 0..<4 {
                let ceiling = number == 3 ? nil : MilliSatoshi(msat: 1_000_000)
                let (_, key) = try scenario.submit(ceiling: ceiling, prompt: "job \(number)")
                keys.append(key)
                try await scenario.run(seconds: UInt64.random(in: 0...3, using: &scenario.random))
            }
            scenario.accept(keys[3], ceiling: MilliSatoshi(msat: 1_000_000))
            if Bool.random(using: &scenario.random) { scenario.cancel(keys[2]) }
            try await scenario.run(seconds: 40)
            // The world becomes kind, and everything must come to its end.
            scenario.faults = .none
            try await scenario.run(seconds: 300, step: 5)
            try await scenario.run(seconds: 2_400, step: 60)
            try await scenario.expectTruth(of: keys)
        }
    }

    @Test func `the storms did what they are for`() async throws {
        var (crashes, paid, executions) = (0, 0, 0)
        for seed in UInt64(0)..<6 {
            try await withScenario(seed: seed &+ 500, faults: .all) { scenario in
                let (_, key) = try scenario.submit(
                    ceiling: MilliSatoshi(msat: 1_000_000),
                    prompt: "storm"
                )
                try await scenario.run(seconds: 60)
                scenario.faults = .none
                try await scenario.run(seconds: 2_400, step: 60)
                crashes += scenario.nodes.reduce(0) { $0 + $1.crashes }
                paid += scenario.lightning.payments.values.filter { $0.state == .succeeded }.count
                executions += scenario.seller.executions.values.reduce(0, +)
                try await scenario.expectTruth(of: [key])
            }
        }
        #expect(crashes > 6, "so few crashes prove nothing")
        #expect(paid > 0 && executions > 0, "no job was ever paid, so nothing was proved")
    }

    private func withScenario(
        seed: UInt64,
        faults: Scenario.Faults,
        _ body: (Scenario) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory
            .appending(path: "lcp-scenario-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let rules = MoneyRules(network: .regtest)
        let scenario = try Scenario(
            seed: seed,
            faults: faults,
            directory: directory,
            paymentRule: {
                rules.decide($0, job: $1, ceiling: $2, now: $3)
                    .mapError { PaymentRuleRefusal($0) }
            }
        )
        try await body(scenario)
        for node in scenario.nodes { try await node.journal.close() }
    }
}

extension Scenario {
    /// Checks both journals against what lnd knows, and that every job has come to an end.
    func expectTruth(of keys: [JobKey]) async throws {
        let succeeded = lightning.payments.filter { $0.value.state == .succeeded }
        for (hash, _) in succeeded {
            let paid = try #require(try await buyer.journal.payment(hash))
            #expect(paid.status == .succeeded)
            #expect(try await seller.journal.invoice(hash)?.state == .settled)
            let job = BusJob(try #require(try await buyer.journal.job(paid.job)).summary)
            #expect([.done, .paidFailed].contains(job.view.stage), "stage \(job.view.stage)")
        }
        for node in nodes {
            let totals = try await node.journal.totals(since: UnixTime(seconds: 0))
            let books =
                Int64(totals.earned.msat) - Int64(totals.spent.msat) - Int64(totals.fees.msat)
            #expect(books == lightning.balances[node.id] ?? 0, "\(node.name)'s books are wrong")
            #expect(try await node.journal.unresolvedPayments().isEmpty)
            #expect(try await node.journal.openInvoices().isEmpty, "\(node.name) has open invoices")
        }
        // One payment for each submission, at most.
        for key in keys {
            guard let job = try await buyer.journal.job(key) else {
                // The crash came first; its client, who heard nothing, submits again.
                #expect(!acknowledged.contains(key), "\(key) was acknowledged and is lost")
                continue
            }
            #expect(job.payments.values.filter { $0 == .succeeded }.count <= 1)
            #expect(job.summary.isParked == false)
            #expect(job.outstanding.isEmpty && job.events.isEmpty, "\(key) still has work to do")
        }
    }
}
