import BenchmarkReport
import BridgeProtocol
import BusClient
import Foundation
import GRPCNGHTTP2
import Journal
import LCPWire
import LightningTypes
import LndRPC
import LocalNetwork
import SwiftProtobuf
import ZeroMQ

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

        var plan = LocalNetworkPlan(
            nodes: [LocalNetworkPlan.Node("alice"), LocalNetworkPlan.Node("bob")],
            channels: ["bob:alice:1000000"],
            providerConfiguration: ""
        )
        plan.arguments["lcp-bridge"] = [
            "--max-jobs", "1000000", "--max-jobs-per-peer", "1000000", "--peer-rate", "1000000",
            "--total-rate", "1000000",
        ]
        try await LocalNetwork.run(plan, in: directory) { network in
            try await BridgeBenchmark(network: network, directory: directory, flush: flush).run()
        }
    }

    let network: LocalNetwork
    let directory: String
    let flush: Duration

    private func run() async throws {
        let (seller, buyer) = (try await network.node("alice"), try await network.node("bob"))
        let worker = try await ChildProcess(
            LocalNetworkPlan.ownDirectory + "/bus-worker",
            [
                "--bus", seller.busDirectory, "--role", "provider", "--capacity", "512",
                "--reply", try nullReply(),
            ],
            log: directory + "/worker.log"
        )
        let client = try await network.client(of: "alice")
        while try await client.workers().isEmpty { try await Task.sleep(for: .milliseconds(20)) }

        let lnd = LndNode(
            try LndConnection(
                address: buyer.lndAddress,
                certificatePath: buyer.certificate,
                macaroonPath: buyer.macaroon
            )
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await lnd.run() }
            let feed = try await StepFeed(busDirectory: seller.busDirectory)
            group.addTask { try await feed.run() }
            let load = QuoteLoad(lnd: lnd, seller: seller.id, feed: feed)
            try await measure(load)
            group.cancelAll()
        }
        try await restart()
        await worker.terminate()
    }

    private func measure(_ load: QuoteLoad) async throws {
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
        let memory = try await residentKiB()
        RatioLine.print("bridge: KiB for an open job", Double(memory) / 10_000, better: .lower)
        print("resident with 10,000 open jobs: \(memory) KiB")
        let rate = rates.sorted()[rates.count / 2] / 2
        let latencies = try await load.run(rate: rate, seconds: 8)
        print(
            """
            step latency at \(Int(rate)) steps/s: p50 \(milliseconds(latencies[latencies.count / 2])) \
            ms, p99 \(milliseconds(latencies[latencies.count * 99 / 100])) ms \
            (goal 5 flushes + 10 ms: \(milliseconds(flush * 5 + .milliseconds(10))) ms)
            """
        )
        RatioLine.print(
            "bridge: latency of a step at half the load / a flush",
            latencies[latencies.count / 2] / flush,
            better: .lower
        )
    }

    private func residentKiB() async throws -> Int {
        let process = await network.process(ProcessName("alice", .bridge))
        let status = try String(
            contentsOfFile: "/proc/\(process?.pid ?? 0)/status",
            encoding: .utf8
        )
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return Int(line.filter(\.isNumber)) ?? 0
    }

    /// Fills the journal up and times a start beside it.
    private func restart() async throws {
        let name = ProcessName("alice", .bridge)
        await network.kill(name)
        let node = try await network.node("alice")
        try await JournalFiller(path: node.journal).fill(finished: 100_000)
        let begin = ContinuousClock.now
        try await network.start(name)
        try await network.waitForBridge(of: "alice")
        print(
            """
            start beside 100,000 finished and more than 10,000 open jobs: \
            \(milliseconds(.now - begin)) ms until lnd is ready
            """
        )
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
