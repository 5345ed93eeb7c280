import BenchmarkReport
import Bridge
import BridgeProtocol
import Foundation
import Journal
import LCPTesting
import LightningTypes
import Logging
import ZeroMQ

/// `dispatch-benchmark`: one room, real worker processes, no journal.
///
/// Prints how many orders a second one echo worker answers, how long one order takes, and how long
/// after a SIGKILL the victim's item is answered by another worker.
@main
struct DispatchBenchmark {
    let directory: String
    let room: WorkerRoom
    private var outcomes: AsyncStream<[WorkOutcome]>.AsyncIterator
    private var lastOrder: UInt64 = 0

    static func main() async throws {
        let directory = "/tmp/lcp-dispatch-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: "\(directory)/provider",
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let context = try Context()
        let room = WorkerRoom(
            role: .provider,
            context: context,
            events: .ipc(path: "\(directory)/\(BusEndpoint.events(.provider).path)"),
            replies: .ipc(path: "\(directory)/\(BusEndpoint.replies(.provider).path)"),
            settings: DispatchSettings(role: .provider),
            epoch: [UInt8](repeating: 1, count: 16),
            welcome: { (nil, "") },
            now: { UnixTime(seconds: UInt64(Date().timeIntervalSince1970)) },
            logger: Logger(label: "room") { _ in SwiftLogNoOpLogHandler() }
        )
        let serving = Task { try await room.run() }
        var benchmark = DispatchBenchmark(directory: directory, room: room)
        try await benchmark.run()
        serving.cancel()
        _ = await serving.result
        await context.shutDown()
    }

    private init(directory: String, room: WorkerRoom) {
        self.directory = directory
        self.room = room
        outcomes = room.outcomes.makeAsyncIterator()
    }

    private mutating func run() async throws {
        let echo = try worker("--capacity", "256")
        await joined(1)
        var rate = 0.0
        for window in [256, 1_024] {
            let rates = try await [
                throughput(orders: 50_000, window: window),
                throughput(orders: 50_000, window: window),
                throughput(orders: 50_000, window: window),
            ]
            print("orders/s, \(window) in flight: \(rates.map { Int($0) })")
            rate = rates.sorted()[1]
        }
        var trips: [Duration] = []
        for _ in 0..<5_000 {
            let start = ContinuousClock.now
            try await roundTrip()
            trips.append(.now - start)
        }
        print("one order and its outcome: \(summary(trips))")
        let trip = trips.sorted()[trips.count / 2] / .seconds(1)
        RatioLine.print(
            "dispatch: orders in the time of a lone one, 1024 in flight",
            rate * trip,
            better: .higher
        )
        var deaths: [Duration] = []
        for _ in 0..<21 { deaths.append(try await death()) }
        print("from SIGKILL to the outcome from another worker: \(summary(deaths))")
        RatioLine.print(
            "dispatch: from SIGKILL to another worker's outcome / a lone order",
            deaths.sorted()[deaths.count / 2] / .seconds(1) / trip,
            better: .lower
        )
        kill(echo.processIdentifier, SIGKILL)
        echo.waitUntilExit()
    }

    private mutating func throughput(orders: Int, window: Int) async throws -> Double {
        let start = ContinuousClock.now
        await room.order(make(window))
        var done = 0
        var given = window
        while done < orders, let batch = await outcomes.next() {
            done += batch.count
            let next = min(batch.count, orders - given)
            given += next
            if next > 0 { await room.order(make(next)) }
        }
        let seconds = Double((ContinuousClock.now - start) / .microseconds(1)) / 1e6
        return Double(orders) / seconds
    }

    private mutating func roundTrip() async throws {
        await room.order(make(1))
        _ = await outcomes.next()
    }

    /// A victim takes an item, is killed, and the echo worker answers it.
    private mutating func death() async throws -> Duration {
        let victim = try worker("--behaviour", "hang")
        await joined(2)
        // Of two idle workers the one that was given an item less recently gets the next.
        await room.order(make(1))
        let start = ContinuousClock.now
        kill(victim.processIdentifier, SIGKILL)
        _ = await outcomes.next()
        let taken = ContinuousClock.now - start
        victim.waitUntilExit()
        await joined(1)
        return taken
    }

    private func joined(_ count: Int) async {
        while await room.workers().count != count { await Task.yield() }
    }

    private func worker(_ arguments: String...) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: CommandLine.arguments[0])
            .resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "bus-worker")
        process.arguments = ["--bus", directory] + arguments
        try process.run()
        return process
    }

    private mutating func make(_ count: Int) -> [WorkOrder] {
        (0..<count).compactMap { _ in
            lastOrder += 1
            var random = SeededGenerator(seed: lastOrder)
            guard let peer = NodeID([2] + random.bytes(32)),
                let id = Bytes32(random.bytes(32))
            else { return nil }
            var item = BusJobItem()
            item.job.role = .provider
            item.job.peer = Data(peer.bytes)
            item.job.jobID = Data(id.bytes)
            item.version = 1
            item.state = Data(random.bytes(300))
            var event = BusJobEvent()
            event.woken = BusWoken()
            item.events = [event]
            return WorkOrder(
                id: lastOrder,
                job: JobKey(role: .provider, peer: peer, id: id),
                capability: nil,
                body: .step(item)
            )
        }
    }

    private func summary(_ durations: [Duration]) -> String {
        let sorted = durations.sorted()
        func percentile(_ share: Int) -> String {
            let duration = sorted[min(sorted.count - 1, sorted.count * share / 100)]
            return "\(Double(duration / .microseconds(1)) / 1_000) ms"
        }
        return "p50 \(percentile(50)), p99 \(percentile(99)), n \(sorted.count)"
    }
}
