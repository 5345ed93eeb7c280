import BenchmarkReport
import Foundation
import InteropControl

/// `lcp-grpc-bench`: our transport against grpcio's, in turns on one machine, over TLS on loopback.
///
/// Each side is a process of its own: `lcp-grpc-peer` of this build, or `peer.py` under the Python
/// that `LCP_PYTHON` names. `LCP_BENCH_SECONDS` sets the length of one turn.
@main
enum GRPCBenchmark {
    /// How often each cell of the table is measured; the median counts.
    private static let turns = 3

    static func main() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let python = environment["LCP_PYTHON"] else {
            print("lcp-grpc-bench: LCP_PYTHON must name a Python with grpcio")
            exit(64)
        }
        let seconds = environment["LCP_BENCH_SECONDS"].flatMap { Double($0) } ?? 2
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../InteropTests/Python/peer.py").standardized.path()
        let certificate = try BenchmarkCertificate()
        var isMet = true
        for workload in Workload.all {
            var samples = Contender.pairs(python: .python(python, script: script)).map {
                (pair: $0, figures: [Figures]())
            }
            for _ in 0..<turns {
                for index in samples.indices {
                    let figures = try await samples[index].pair.measure(
                        workload,
                        certificate,
                        seconds: seconds
                    )
                    samples[index].figures.append(figures)
                }
            }
            let table = Table(
                workload: workload,
                rows: samples.map { ($0.pair.name, Figures.median(of: $0.figures)) }
            )
            print(table.text)
            RatioLine.print(
                "grpc: \(workload.name): work for a CPU second / grpcio's",
                table.ratio,
                better: .higher
            )
            isMet = isMet && table.isGoalMet
        }
        if !isMet { exit(1) }
    }
}

/// What is called, and how.
struct Workload {
    var name: String
    var unit: String
    var arguments: [String]
    var hasLatency: Bool

    static let all = [
        Workload(
            name: "unary, 64 bytes, 1 in flight",
            unit: "calls",
            arguments: ["--mode", "unary", "--in-flight", "1"],
            hasLatency: true
        ),
        Workload(
            name: "unary, 64 bytes, 64 in flight",
            unit: "calls",
            arguments: ["--mode", "unary", "--in-flight", "64"],
            hasLatency: true
        ),
        Workload(
            name: "server stream of 1 KiB messages",
            unit: "messages",
            arguments: ["--mode", "stream"],
            hasLatency: false
        ),
    ]
}

/// A client and a server to measure together.
struct Contender {
    var name: String
    var client: PeerProgram
    var server: PeerProgram
    /// What else the client is told.
    var options: [String] = []

    /// All pairs; grpcio with itself is last.
    static func pairs(python: PeerProgram) -> [Contender] {
        [
            Contender(name: "ours to ours", client: .ours, server: .ours),
            // As a program calls that does much else: two changes of thread for each call.
            Contender(
                name: "the same, off loop",
                client: .ours,
                server: .ours,
                options: ["--callers", "pool"]
            ),
            Contender(name: "ours to grpcio", client: .ours, server: python),
            Contender(name: "grpcio to ours", client: python, server: .ours),
            Contender(name: "grpcio to grpcio", client: python, server: python),
        ]
    }

    func measure(
        _ workload: Workload,
        _ certificate: BenchmarkCertificate,
        seconds: Double
    ) async throws -> Figures {
        // The fastest of grpcio: a server on threads and a client on asyncio.
        let flavor = server.isForeign ? ["--flavor", "sync"] : []
        return try await RemoteServer.with(
            server,
            certificate.serverArguments + flavor
        ) { running in
            let output = try await client.output(
                ["bench"] + certificate.clientArguments(port: running.port) + workload.arguments
                    + ["--seconds", "\(seconds)"] + options
            )
            return try JSONDecoder().decode(Figures.self, from: Data(output.utf8))
        }
    }
}
