import BenchmarkReport
import BridgeProtocol
import Foundation
import Glibc
import LightningCrypto
import Logging
import ScriptedBus
import Subprocess
import SwiftProtobuf
import SystemPackage
import WorkerKit

/// `worker-benchmark`: steps per second of one protocol worker in a process of its own, and what a
/// step costs it in CPU time, all of the bus included and the protocol left out.
@main
enum WorkerBenchmark {
    private static let steps = 60_000
    private static let credit = 64
    private static let stateBytes = 1_024

    static func main() async throws {
        if CommandLine.arguments.count == 2 {
            try await work(busDirectory: CommandLine.arguments[1])
        } else {
            try await measure()
        }
    }

    // MARK: - The worker

    private struct Echo: StepHandler {
        func step(_ item: BusJobItem, in context: WorkerContext) -> BusJobReply {
            BusJobReply.with {
                $0.state = item.state
                $0.effects = [
                    .with {
                        $0.id = item.version + 1
                        $0.send.records = [.with { $0.bytes = Data(count: 256) }]
                    }
                ]
            }
        }
    }

    private static func work(busDirectory: String) async throws {
        let logger = WorkerProgram.logger("worker-benchmark", level: .critical)
        var options = WorkerOptions(role: .provider, busDirectory: busDirectory, program: "bench")
        options.capacity = credit
        let worker = StepWorker(options: options, handler: Echo(), logger: logger)
        exit(await WorkerProgram.run(worker, logger: logger))
    }

    // MARK: - The bridge

    private static func measure() async throws {
        let bridge = try await ScriptedBridge(.provider)
        let result = try await Subprocess.run(
            .path(FilePath("/proc/self/exe")),
            arguments: [bridge.directory],
            input: .none,
            output: .discarded,
            error: .currentStandardError
        ) { process in
            let (member, _) = try await bridge.join()
            let clock = ContinuousClock()
            let start = clock.now
            try await serve(bridge, member)
            let wall = clock.now - start
            try process.send(signal: .terminate)
            try await bridge.goodbye()
            try await bridge.dismiss(member)
            return wall
        }
        var usage = rusage()
        getrusage(RUSAGE_CHILDREN.rawValue, &usage)
        let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        let wall =
            Double(result.closureResult.components.seconds)
            + Double(result.closureResult.components.attoseconds) / 1e18
        print(
            String(
                format:
                    "%.0f steps/s, %.0f us of the worker's CPU a step, %.0f steps per CPU second",
                Double(steps) / wall,
                cpu / Double(steps) * 1e6,
                Double(steps) / cpu
            )
        )
        RatioLine.print(
            "a worker's CPU for a step / SHA-256 of 16 KiB",
            cpu / Double(steps) / hashSeconds(),
            better: .lower
        )
        await bridge.close()
    }

    /// What hashing 16 KiB takes here: a measure of the machine.
    private static func hashSeconds() -> Double {
        let bytes = [UInt8](repeating: 7, count: 16 << 10)
        let clock = ContinuousClock()
        let samples = (0..<2_000).map { _ in
            clock.measure { _ = SHA256.hash(bytes) } / .seconds(1)
        }
        return samples.sorted()[samples.count / 2]
    }

    /// Keeps the worker's credit used up until all steps are answered.
    private static func serve(_ bridge: ScriptedBridge, _ member: ScriptedBridge.Member)
        async throws
    {
        let state = Data(count: stateBytes)
        var sent = 0
        for answered in 0..<steps {
            while sent < steps, sent - answered < credit {
                sent += 1
                let item = BusJobItem.with {
                    $0.lease = withUnsafeBytes(of: (UInt64(sent), UInt64(0))) { Data($0) }
                    $0.version = UInt64(sent)
                    $0.state = state
                    $0.events = [.with { $0.woken = BusWoken() }]
                }
                try await bridge.send(.job(item), to: member)
            }
            _ = try await bridge.reply()
        }
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }
}
