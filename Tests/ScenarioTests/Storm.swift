import BOLT11
import Bridge
import Foundation
import Journal
import LCPTesting
import LightningTypes
import Synchronization

/// One seed's scenario from the first submission to the end of all jobs, and what came of it.
struct Storm: Sendable {
    let seed: UInt64
    /// What must never be and was; empty when all is well.
    let violations: [String]
    let trace: ScenarioTrace

    /// Buys two jobs in an unkind world, which then becomes kind, until each has come to its end.
    init(seed: UInt64, in stores: ScenarioStores) async {
        self.seed = seed
        var scenario: Scenario?
        var violations: [String] = []
        do {
            try await stores.withScenario(seed: seed, faults: .all) { storm in
                scenario = storm
                try await Self.run(storm)
            }
        } catch {
            violations.append("\(error)")
        }
        self.violations = (scenario?.violations ?? []) + violations
        trace = scenario?.trace ?? ScenarioTrace()
    }

    private static func run(_ scenario: Scenario) async throws {
        let ceiling = MilliSatoshi(msat: 1_000_000)
        func pause(_ seconds: ClosedRange<UInt64>) async throws {
            try await scenario.run(seconds: UInt64.random(in: seconds, using: &scenario.random))
        }
        let (_, automatic) = try scenario.submit(ceiling: ceiling, prompt: "at once")
        try await pause(0...3)
        let (_, shown) = try scenario.submit(ceiling: nil, prompt: "when I say so")
        try await pause(0...280)
        scenario.accept(shown, ceiling: ceiling)
        let keys = [automatic, shown]
        for key in keys where Int.random(in: 0..<3, using: &scenario.random) == 0 {
            // Before the next move: nothing that was asked for has happened yet.
            scenario.cancel(key)
        }
        try await pause(20...1_200)
        // The world becomes kind, and everything must come to its end.
        scenario.faults = .none
        try await scenario.run(seconds: 3_600)
        try await scenario.checkTruth(of: keys)
    }

    /// Runs many seeds, as many at a time as there are processors.
    ///
    /// - Returns: The storms that broke something, and what happened in all of them.
    static func run(
        _ seeds: Range<UInt64>,
        in stores: ScenarioStores
    ) async -> (failed: [Storm], counts: [String: Int]) {
        let queue = SeedQueue(seeds)
        return await withTaskGroup(of: (failed: [Storm], counts: [String: Int]).self) { group in
            for _ in 0..<ProcessInfo.processInfo.activeProcessorCount {
                group.addTask {
                    var (failed, counts) = ([Storm](), [String: Int]())
                    while let seed = queue.next() {
                        let storm = await Storm(seed: seed, in: stores)
                        counts.merge(storm.trace.counts) { $0 + $1 }
                        if !storm.violations.isEmpty { failed.append(storm) }
                        // A storm waits for nothing; other tests share its threads.
                        await Task.yield()
                    }
                    return (failed, counts)
                }
            }
            var (failed, counts) = ([Storm](), [String: Int]())
            for await part in group {
                failed += part.failed
                counts.merge(part.counts) { $0 + $1 }
            }
            return (failed.sorted { $0.seed < $1.seed }, counts)
        }
    }
}

/// Seeds that several tasks work through.
private final class SeedQueue: Sendable {
    private let rest: Mutex<Range<UInt64>>

    init(_ seeds: Range<UInt64>) { rest = Mutex(seeds) }

    func next() -> UInt64? {
        rest.withLock { rest in
            guard let seed = rest.first else { return nil }
            rest = seed + 1..<rest.upperBound
            return seed
        }
    }
}

extension ScenarioStores {
    /// Runs a scenario with two nodes that know nothing yet.
    func withScenario(
        seed: UInt64,
        faults: Scenario.Faults,
        _ body: (Scenario) async throws -> Void
    ) async throws {
        let rules = MoneyRules(network: .regtest)
        try await withStore { buyer in
            try await withStore { seller in
                let scenario = try Scenario(
                    seed: seed,
                    faults: faults,
                    stores: (buyer, seller),
                    paymentRule: {
                        rules.decide($0, job: $1, ceiling: $2, now: $3)
                            .mapError { PaymentRuleRefusal($0) }
                    }
                )
                try await body(scenario)
            }
        }
    }
}
