import BenchmarkReport
import Foundation
import LocalNetwork

/// Jobs a second with ever more compute workers, each busy with one job of 100 ms at a time.
enum ScaleOut {
    private static let goal = 0.9

    static func run() async throws {
        print("compute workers, jobs of 100 ms, one at a time in each")
        var alone = 0.0
        for workers in [1, 2, 4, 8] {
            var plan = LocalNetworkPlan.market(computes: workers)
            plan.arguments["lcp-compute"] = ["--delay", "100", "--concurrency", "1"]
            let figures = try await MarketBenchmark.with(plan) { network in
                // Enough under way that no worker waits for a quote.
                try await BenchFigures.measure(
                    on: network,
                    jobs: 80 * workers,
                    concurrency: 4 * workers
                )
            }
            if workers == 1 { alone = figures.jobsPerSecond }
            let ratio = figures.jobsPerSecond / (alone * Double(workers))
            print(
                String(
                    format: "  %d workers %8.1f jobs/s, %.2f of linear",
                    workers,
                    figures.jobsPerSecond,
                    ratio
                )
            )
            guard workers == 8 else { continue }
            print("  goal \(goal): \(ratio >= goal ? "met" : "MISSED")")
            RatioLine.print("rate of 8 compute workers / 8 times that of 1", ratio, better: .higher)
        }
    }
}
