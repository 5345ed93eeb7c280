import BenchmarkReport
import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import LocalNetwork
import SwiftProtobuf

/// `bridge-benchmark`: what one `lcp-bridge` can do, with null workers and a simulated lnd.
///
/// A peer asks for quotes; a worker answers each request with a state and nothing to do, and the
/// bridge commits the step with a full flush and tells the feed. So a step is: message in, order
/// out, reply in, commit. Prints steps a second, the latency at half that load beside the flush of
/// the same disk, the memory with 10,000 open jobs, and the time to start beside 110,000 jobs.
@main
struct BridgeBenchmark {
    static func main() async throws {
        let directory = FileManager.default.temporaryDirectory
            .appending(path: "lcp-bench-\(getpid())").path
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let flush = try FlushProbe.median(in: directory)
        print("flush p50: \(milliseconds(flush)) ms")

        try await BridgeNetwork.run(in: directory) { network in
            try await BridgeBenchmark(network: network, flush: flush).run()
        }
    }

    let network: BridgeNetwork
    let flush: Duration

    private func run() async throws {
        let bridge = try await network.startBridge()
        // By then the worker finds the bus.
        try await network.ready(workers: 0)
        let worker = try await ChildProcess(
            LocalNetworkPlan.ownDirectory + "/bus-worker",
            [
                "--bus", network.busDirectory, "--role", "provider", "--capacity", "512",
                "--reply", try nullReply(),
            ],
            log: network.directory + "/worker.log"
        )
        try await network.ready(workers: 1)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let feed = try await StepFeed(busDirectory: network.busDirectory)
            group.addTask { try await feed.run() }
            try await measure(QuoteLoad(network: network, feed: feed), of: bridge)
            group.cancelAll()
        }
        bridge.signal(SIGKILL)
        _ = await bridge.wait()
        try await restart()
        await worker.terminate()
    }

    private func measure(_ load: QuoteLoad, of bridge: ChildProcess) async throws {
        _ = try await load.run(count: 1_000, window: 128)
        var rates: [Double] = []
        for _ in 0..<3 {
            rates.append(try await load.run(count: 3_000, window: 256))
        }
        print("durable steps/s, 256 in flight: \(rates.map { Int($0) })")
        RatioLine.print(
            "bridge: durable steps in the time of a flush, 256 in flight",
            rates.sorted()[1] * (flush / .seconds(1)),
            better: .higher
        )
        let memory = try residentKiB(of: bridge)
        RatioLine.print("bridge: KiB for an open job", Double(memory) / 10_000, better: .lower)
        print("resident with 10,000 open jobs: \(memory) KiB")
        let half = try await latencies(load, at: rates.sorted()[1] / 2)
        RatioLine.print(
            "bridge: latency of a step at half the load / a flush",
            half[half.count / 2] / flush,
            better: .lower
        )
        // Half of the least that a bridge must do, however much more it can.
        _ = try await latencies(load, at: 1_500)
    }

    /// From a message to its step on disk, at an even rate; sorted.
    private func latencies(_ load: QuoteLoad, at rate: Double) async throws -> [Duration] {
        let latencies = try await load.run(rate: rate, seconds: 8)
        print(
            """
            step latency at \(Int(rate)) steps/s: p50 \(milliseconds(latencies[latencies.count / 2])) \
            ms, p99 \(milliseconds(latencies[latencies.count * 99 / 100])) ms \
            (goal 5 flushes + 10 ms: \(milliseconds(flush * 5 + .milliseconds(10))) ms)
            """
        )
        return latencies
    }

    private func residentKiB(of bridge: ChildProcess) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(bridge.pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return Int(line.filter(\.isNumber)) ?? 0
    }

    /// Fills the journal up and times a start beside it.
    private func restart() async throws {
        try await JournalFiller(path: network.journal).fill(finished: 100_000)
        let begin = ContinuousClock.now
        let bridge = try await network.startBridge()
        try await network.ready(workers: 0)
        print(
            """
            start beside 100,000 finished and more than 10,000 open jobs: \
            \(milliseconds(.now - begin)) ms until lnd is ready
            """
        )
        await bridge.terminate()
    }

    /// A state of 300 bytes, nothing to do, a stage that counts as open.
    private func nullReply() throws -> String {
        let reply = BusJobReply.with {
            $0.state = Data(repeating: 7, count: 300)
            $0.view.stage = .quoted
        }
        let bytes: [UInt8] = try reply.serializedBytes()
        return Hex.encode(bytes)
    }
}

/// Milliseconds with two decimals.
func milliseconds(_ duration: Duration) -> String {
    String(
        format: "%.2f",
        Double(duration.components.attoseconds) / 1e15
            + Double(duration.components.seconds) * 1e3
    )
}
