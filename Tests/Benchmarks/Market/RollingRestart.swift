import BenchmarkReport
import BridgeProtocol
import BusClient
import Foundation
import LocalNetwork

/// Restarts every process but the network in turn while jobs are bought, and tells the worst delay.
enum RollingRestart {
    /// Seconds that a paid job may be delayed.
    private static let goal = 2.0

    static func run() async throws {
        let plan = LocalNetworkPlan.market(requesters: 2, providers: 2, computes: 2)
        let figures = try await MarketBenchmark.with(plan) { network in
            let (bench, log) = try await BenchFigures.start(
                on: network,
                ["--jobs", "1000000", "--concurrency", "8", "--warmup", "20"]
            )
            let buyer = try await network.client(of: "alice")
            while try await buyer.ledger(limit: 100).entries.count < 100, bench.ending == nil {
                try await Task.sleep(for: .milliseconds(20))
            }
            for name in await network.processes.map(\.name) where name.role != .simnet {
                try await network.restart(name)
                // So that each restart meets the market at full speed.
                try await Task.sleep(for: .seconds(1))
            }
            bench.signal(SIGINT)
            let ending = await bench.wait()
            guard ending == .exited(130) else {
                throw BenchFigures.Unsuccessful(ending: ending, log: log)
            }
            return try BenchFigures.read(log)
        }
        print("rolling restart of all processes, \(figures.ok) jobs")
        print("  failed: \(figures.failures), unanswered: \(figures.unanswered)")
        for part in ["quote", "pay", "execute", "deliver"] {
            guard let latencies = figures.partsMs[part] else { continue }
            print(
                String(
                    format: "  %@ p50 %8.1f ms, worst %8.1f ms",
                    part.padding(toLength: 8, withPad: " ", startingAt: 0),
                    latencies.p50,
                    latencies.max
                )
            )
        }
        let worst =
            ["execute", "deliver"].compactMap { figures.partsMs[$0] }
            .map { ($0.max - $0.p50) / 1_000 }.max() ?? .infinity
        let isMet = worst < goal && figures.failed == 0 && figures.unanswered == 0
        print(
            String(
                format: "  worst delay of a paid job %.2f s, goal %.0f s: %@",
                worst,
                goal,
                isMet ? "met" : "MISSED"
            )
        )
        RatioLine.print(
            "worst delay of a paid job in a rolling restart / 2 s",
            worst / goal,
            better: .lower
        )
    }
}
