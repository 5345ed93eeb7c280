import Foundation
import LightningTypes
import LocalNetwork

/// What `lcp bench --json` says, as far as it is used here.
struct BenchFigures: Decodable, Sendable {
    /// Milliseconds.
    struct Latencies: Decodable, Sendable {
        var p50: Double
        var max: Double
    }

    /// One process.
    struct Process: Decodable, Sendable {
        var pid: Int32
        var program: String
        var cpuMsPerJob: Double
    }

    var ok: Int
    var failed: Int
    var unanswered: Int
    var jobsPerSecond: Double
    var latencyMs: Latencies
    var partsMs: [String: Latencies]
    var processes: [Process]
    /// Why jobs failed, with their numbers.
    var failures: [String: Int]

    /// A benchmark of alice's bridge that runs, with bob selling.
    static func start(
        on network: LocalNetwork,
        _ arguments: [String]
    ) async throws -> (process: ChildProcess, log: String) {
        let (buyer, seller) = (try await network.node("alice"), try await network.node("bob"))
        let log = "\(network.directory)/logs/bench-\(UUID().uuidString).log"
        let process = try await ChildProcess(
            "\(network.plan.programs)/lcp",
            [
                "bench", "--json", "--yes", "--bus-dir", buyer.busDirectory, "--peer",
                seller.id.hex, "--profile", "demo", "--also", seller.busDirectory, "--max-price",
                "1000", "--max-total", "5000000",
            ] + arguments,
            log: log
        )
        return (process, log)
    }

    /// Runs a benchmark to its end.
    static func measure(
        on network: LocalNetwork,
        jobs: Int,
        concurrency: Int
    ) async throws -> BenchFigures {
        let (process, log) = try await start(
            on: network,
            [
                "--jobs", "\(jobs)", "--concurrency", "\(concurrency)", "--warmup",
                "\(concurrency)",
            ]
        )
        let ending = await process.wait()
        guard ending == .exited(0) else { throw Unsuccessful(ending: ending, log: log) }
        return try read(log)
    }

    /// What a benchmark that has ended printed.
    static func read(_ log: String) throws -> BenchFigures {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Self.self, from: Data(contentsOf: URL(filePath: log)))
    }

    /// It bought not all it should have.
    struct Unsuccessful: Error, CustomStringConvertible {
        var ending: ChildProcess.Ending
        var log: String

        var description: String {
            "lcp bench \(ending): " + ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
        }
    }
}
