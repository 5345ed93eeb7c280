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
            #expect(scenario.trace.counts["message"] == 3)
            try await scenario.checkTruth(of: [key])
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
            try await scenario.checkTruth(of: [key])
        }
    }

    @Test func `a quote above the ceiling is not paid`() async throws {
        try await withScenario(seed: 3, faults: .none) { scenario in
            let (_, key) = try scenario.submit(ceiling: MilliSatoshi(msat: 1), prompt: "cheap?")
            try await scenario.run(seconds: 5)
            #expect(scenario.lightning.payments.isEmpty)
            let job = BusJob(try #require(try await scenario.buyer.journal.job(key)).summary)
            #expect(job.view.priceMsat > 1)
            try await scenario.run(seconds: 1_500)
            try await scenario.checkTruth(of: [key])
        }
    }

    @Test func `the same seed makes the same moves`() async throws {
        let stores = ScenarioStores()
        for seed in UInt64(0)..<20 {
            let first = await Storm(seed: seed, in: stores)
            let second = await Storm(seed: seed, in: stores)
            #expect(first.trace.digest == second.trace.digest, "seed \(seed)")
            #expect(first.trace.counts == second.trace.counts, "seed \(seed)")
            #expect(first.violations == second.violations, "seed \(seed)")
        }
    }

    @Test func `whatever is lost, repeated, reordered or killed, each payment buys one answer`()
        async throws
    {
        let environment = ProcessInfo.processInfo.environment
        let seeds: Range<UInt64>
        if let seed = environment["LCP_SEED"].flatMap({ UInt64($0) }) {
            seeds = seed..<seed + 1
        } else {
            seeds = 0..<(environment["LCP_SEEDS"].flatMap { UInt64($0) } ?? 1_000)
        }
        let start = ContinuousClock.now
        let (failed, counts) = await Storm.run(seeds, in: ScenarioStores())
        let duration = ContinuousClock.now - start
        for storm in failed.prefix(10) {
            Issue.record(
                """
                seed \(storm.seed): \(storm.violations.joined(separator: "; ")). Alone: \
                LCP_SEED=\(storm.seed) swift test --filter ScenarioTests
                """
            )
        }
        #expect(failed.isEmpty, "\(failed.count) of \(seeds.count) seeds")
        let happened = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        print("\(seeds.count) scenarios in \(duration): \(happened.joined(separator: ", "))")
        guard seeds.count > 100 else { return }
        for name in [
            "crash", "worker death", "full disk", "reconnection", "blocked send", "lost message",
            "repeated message", "replayed message", "expired message", "delay", "execution",
            "bought: done", "sold: done",
        ] {
            #expect((counts[name] ?? 0) > seeds.count / 100, "\(name) hardly ever happened")
        }
    }

    private func withScenario(
        seed: UInt64,
        faults: Scenario.Faults,
        _ body: (Scenario) async throws -> Void
    ) async throws {
        try await ScenarioStores().withScenario(seed: seed, faults: faults) { scenario in
            try await body(scenario)
            #expect(scenario.violations.isEmpty)
        }
    }
}
