import BenchmarkReport
import Foundation

/// `lcp-benchmarks`: the figures this project holds itself to, as ratios taken in one run.
@main
enum Benchmarks {
    static func main() async throws {
        // Some of them need a second process: this program again.
        let arguments = Array(CommandLine.arguments.dropFirst())
        if !arguments.isEmpty { return try await ZeroMQBenchmarks.serve(arguments) }
        let ratios = try await CodecBenchmarks.run() + ZeroMQBenchmarks.run()
        let width = ratios.map(\.name.count).max() ?? 0
        for ratio in ratios {
            let figures = String(
                format: "%10.2f µs %10.2f µs %7.2f (goal %.2f) %@",
                ratio.ours,
                ratio.reference,
                ratio.value,
                ratio.goal,
                ratio.isMet ? "met" : "MISSED"
            )
            print(ratio.name.padding(toLength: width, withPad: " ", startingAt: 0), figures)
            RatioLine.print(ratio.name, ratio.value, better: .lower)
        }
        let journal = try await JournalBenchmarks.run()
        for figure in journal { print(figure.line) }
        if !ratios.allSatisfy(\.isMet) || !journal.allSatisfy(\.isMet) { exit(1) }
    }
}
