import Bridge
import BridgeProtocol
import Foundation
import Journal
import LCPTesting
import LightningTypes
import Logging
import Subprocess
import Testing
import ZeroMQ

/// Real worker processes under one room, and what becomes of their items.
@Suite(.timeLimit(.minutes(10))) struct WorkerDeathTests {
    @Test func `the item of a killed worker goes to another one`() async throws {
        try await withRoom { bench in
            async let victim = bench.worker("--behaviour", "hang")
            let pid = try await bench.pid(of: 0)
            await bench.room.order(bench.step(1))
            async let _ = bench.worker()
            await bench.wait { $0.count == 2 && $0[0].busy == 1 }
            try #require(kill(pid, SIGKILL) == 0)
            #expect(try await bench.next() == .done(1))
            #expect(try await victim.status == .signaled(SIGKILL))
            let counters = await bench.room.counters
            #expect(counters["workers_lost"] == 1)
            #expect(counters["attempts_failed"] == 1)
        }
    }

    @Test func `a worker that dies in the middle of many items loses none of them`() async throws {
        try await withRoom { bench in
            async let dying = bench.worker("--crash-at", "50", "--capacity", "16")
            _ = try await bench.pid(of: 0)
            await bench.room.order((1...200).map { bench.step($0) })
            #expect(try await dying.status == .signaled(SIGKILL))
            async let _ = bench.worker()
            var done: Set<UInt64> = []
            for _ in 0..<200 {
                if case .done(let id) = try await bench.next() { done.insert(id) }
            }
            #expect(done == Set(1...200))
        }
    }

    @Test func `an item that kills every worker it meets is given up after three`() async throws {
        try await withRoom { bench in
            await bench.room.order(bench.step(1))
            for attempt in 1...3 {
                let outcome = try await bench.worker("--crash-at", "1")
                #expect(outcome.status == .signaled(SIGKILL), "attempt \(attempt)")
            }
            #expect(try await bench.next() == .failed(1, "worker-lost"))
        }
    }

    @Test func `a stopped worker harms nobody else, loses its items and may come back`()
        async throws
    {
        try await withRoom({
            $0.lease = .milliseconds(300)
            $0.patience = .milliseconds(200)
            $0.maximumAttempts = 1_000
        }) { bench in
            async let _ = bench.worker("--capacity", "4", "--behaviour", "hang")
            let pid = try await bench.pid(of: 0)
            try #require(kill(pid, SIGSTOP) == 0)
            async let _ = bench.worker("--capacity", "4")
            await bench.wait { $0.count == 2 }
            // Far more than a stopped subscriber's queue would take if it were given its share.
            await bench.room.order((1...5_000).map { bench.step($0) })
            var done: Set<UInt64> = []
            for _ in 0..<5_000 {
                if case .done(let id) = try await bench.next() { done.insert(id) }
            }
            #expect(done == Set(1...5_000))
            await bench.wait { $0.allSatisfy { !$0.program.hasSuffix(" \(pid)") } }
            try #require(kill(pid, SIGCONT) == 0)
            await bench.wait { $0.contains { $0.program.hasSuffix(" \(pid)") } }
        }
    }

    @Test func `garbage, wrong nonces and wrong leases of one process leave the others alone`()
        async throws
    {
        try await withRoom({
            $0.lease = .milliseconds(300)
            // The good one may be late, too.
            $0.maximumAttempts = 1_000
        }) { bench in
            async let _ = bench.worker("--garbage", "--capacity", "1")
            async let _ = bench.worker("--behaviour", "wrongNonce", "--capacity", "1")
            async let _ = bench.worker("--behaviour", "wrongLease", "--capacity", "1")
            await bench.wait { $0.count == 3 }
            await bench.room.order((1...20).map { bench.step($0) })
            var ended: Set<UInt64> = []
            for _ in 0..<20 {
                if case .done(let id) = try await bench.next() { ended.insert(id) }
            }
            #expect(ended == Set(1...20))
            // What a slow worker says of an order may come after its end.
            await bench.wait(for: "replies_malformed", toReach: 5)
            await bench.wait(for: "nonces_stale", toReach: 1)
            await bench.wait(for: "leases_stale", toReach: 1)
        }
    }

    @Test func `a second process with an id that is taken is told so and exits`() async throws {
        try await withRoom { bench in
            let id = String(repeating: "5a", count: 16)
            async let first = bench.worker("--id", id)
            let pid = try await bench.pid(of: 0)
            let second = try await bench.worker("--id", id)
            #expect(second.status == .exited(1))
            #expect(second.output == "refused: duplicate-worker\n")
            await bench.room.order(bench.step(1))
            #expect(try await bench.next() == .done(1))
            try #require(kill(pid, SIGKILL) == 0)
            #expect(try await first.status == .signaled(SIGKILL))
        }
    }

    @Test func `a worker that drains answers what it has and exits with 0`() async throws {
        try await withRoom { bench in
            async let draining = bench.worker("--goodbye-at", "3", "--capacity", "3")
            _ = try await bench.pid(of: 0)
            await bench.room.order((1...3).map { bench.step($0) })
            for _ in 0..<3 {
                guard case .done = try await bench.next() else {
                    throw WorkerBench.NotExpected()
                }
            }
            #expect(try await draining.status == .exited(0))
            await bench.wait(for: "workers_drained", toReach: 1)
            #expect(await bench.room.counters["attempts_failed", default: 0] == 0)
        }
    }

    private func withRoom(
        _ adjust: (inout DispatchSettings) -> Void = { _ in },
        _ body: (WorkerBench) async throws -> Void
    ) async throws {
        var settings = DispatchSettings(role: .provider)
        settings.retryDelay = .milliseconds(1)
        adjust(&settings)
        let bench = try WorkerBench(settings: settings)
        let serving = Task { try await bench.room.run() }
        do {
            try await body(bench)
        } catch {
            serving.cancel()
            throw error
        }
        serving.cancel()
        _ = await serving.result
        await bench.context.shutDown()
        try? FileManager.default.removeItem(atPath: bench.directory)
    }
}

/// A room for provider workers in a directory of its own, and the processes under it.
struct WorkerBench: Sendable {
    /// How an order ended.
    enum Ending: Equatable, Sendable {
        case done(UInt64)
        case failed(UInt64, String)
    }

    struct NotExpected: Error {}

    let directory: String
    let context: Context
    let room: WorkerRoom
    private let endings: EndingReader

    init(settings: DispatchSettings) throws {
        directory = "/tmp/lcp-workers-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: "\(directory)/provider",
            withIntermediateDirectories: true
        )
        context = try Context()
        room = WorkerRoom(
            role: .provider,
            context: context,
            events: .ipc(path: "\(directory)/\(BusEndpoint.events(.provider).path)"),
            replies: .ipc(path: "\(directory)/\(BusEndpoint.replies(.provider).path)"),
            settings: settings,
            epoch: [UInt8](repeating: 1, count: 16),
            welcome: { (nil, "") },
            now: { UnixTime(seconds: 1) },
            logger: Logger(label: "room") { _ in SwiftLogNoOpLogHandler() }
        )
        endings = EndingReader(room.outcomes)
    }

    /// Runs a worker process to its end, or to the end of the task that waits for it: an
    /// `async let` that nobody awaits is killed with its test.
    func worker(_ arguments: String...) async throws -> Program.Outcome {
        try await Program(name: "bus-worker").run(["--bus", directory] + arguments)
    }

    /// The process of the worker that joined at a position.
    func pid(of position: Int) async throws -> pid_t {
        await wait { $0.count > position }
        let program = await room.workers()[position].program
        return try #require(program.split(separator: " ").last.flatMap { pid_t($0) })
    }

    func wait(until condition: ([BusWorker]) -> Bool) async {
        while !condition(await room.workers()) { await Self.pause() }
    }

    func wait(for counter: String, toReach value: UInt64) async {
        while await room.counters[counter, default: 0] < value { await Self.pause() }
    }

    /// Between two looks; a loop without it would take the processor from what it waits for.
    private static func pause() async { try? await Task.sleep(for: .milliseconds(1)) }

    func next() async throws -> Ending { try await endings.next() }

    func step(_ id: UInt64) -> WorkOrder {
        var random = SeededGenerator(seed: id)
        var item = BusJobItem()
        item.version = id
        guard let peer = NodeID([2] + random.bytes(32)), let job = Bytes32(random.bytes(32)) else {
            preconditionFailure("32 bytes each")
        }
        return WorkOrder(
            id: id,
            job: JobKey(role: .provider, peer: peer, id: job),
            capability: nil,
            body: .step(item)
        )
    }
}

/// Takes the outcomes one by one.
private actor EndingReader {
    private let stream: AsyncStream<[WorkOutcome]>
    private var pending: [WorkerBench.Ending] = []

    init(_ stream: AsyncStream<[WorkOutcome]>) { self.stream = stream }

    func next() async throws -> WorkerBench.Ending {
        while pending.isEmpty {
            var iterator = stream.makeAsyncIterator()
            pending += try #require(await iterator.next(isolation: self)).map { outcome in
                switch outcome {
                case .step(let id, _), .computed(let id, _): .done(id)
                case .failed(let id, let failure): .failed(id, failure.code)
                }
            }
        }
        return pending.removeFirst()
    }
}
