import Foundation
import LocalNetwork

/// `market-benchmark`: buyer and seller with all their processes, measured by `lcp bench`.
///
/// Without arguments everything; `cost`, `scale` or `rolling` one of the parts.
@main
enum MarketBenchmark {
    static func main() async throws {
        let wanted = Set(CommandLine.arguments.dropFirst())
        let parts: [(name: String, run: () async throws -> Void)] = [
            ("cost", CostCurve.run), ("scale", ScaleOut.run), ("rolling", RollingRestart.run),
        ]
        for part in parts where wanted.isEmpty || wanted.contains(part.name) {
            try await part.run()
        }
    }

    /// Runs a network in a directory of its own.
    static func with<Result: Sendable>(
        _ plan: LocalNetworkPlan,
        _ body: @escaping @Sendable (LocalNetwork) async throws -> Result
    ) async throws -> Result {
        let directory = "/tmp/lcp-market-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        return try await LocalNetwork.run(plan, in: directory, body)
    }
}
