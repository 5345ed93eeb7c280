import Bridge
import BridgeProtocol
import Foundation
import Glibc
import Journal
import LCPTesting
import LightningTypes
import Logging
import Testing
import ZeroMQ

/// A room over real sockets in a directory of its own.
struct RoomHarness: Sendable {
    static let epoch = [UInt8](repeating: 7, count: 16)

    let directory: String
    let role: WorkerRole
    let context: Context
    let room: WorkerRoom
    let outcomes: OutcomeReader

    init(
        directory: String,
        role: WorkerRole,
        epoch: [UInt8] = Self.epoch,
        _ adjust: (inout DispatchSettings) -> Void = { _ in }
    ) throws {
        self.directory = directory
        self.role = role
        var settings = DispatchSettings(role: role)
        settings.retryDelay = .milliseconds(1)
        adjust(&settings)
        context = try Context()
        room = WorkerRoom(
            role: role,
            context: context,
            events: .ipc(path: "\(directory)/\(BusEndpoint.events(role).path)"),
            replies: .ipc(path: "\(directory)/\(BusEndpoint.replies(role).path)"),
            settings: settings,
            epoch: epoch,
            welcome: { (Order.peer, "regtest") },
            now: { UnixTime(seconds: 1_000_000) },
            logger: Logger(label: "room") { _ in SwiftLogNoOpLogHandler() }
        )
        outcomes = OutcomeReader(room.outcomes)
    }

    /// Serves while the body runs.
    func serve<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await room.open()
        let serving = Task { try await room.run() }
        do {
            let result = try await body()
            await stop(serving)
            return result
        } catch {
            await stop(serving)
            throw error
        }
    }

    private func stop(_ serving: Task<Void, any Error>) async {
        serving.cancel()
        _ = await serving.result
        await context.shutDown()
    }

    /// Waits until a counter has a value.
    func wait(for counter: String, toReach value: UInt64) async {
        while await room.counters[counter, default: 0] < value { await Task.yield() }
    }

    /// Waits until something holds of the workers.
    func wait(until condition: ([BusWorker]) -> Bool) async {
        while !condition(await room.workers()) { await Task.yield() }
    }
}

/// A bus directory that goes with the test.
func withBusDirectory(_ body: (String) async throws -> Void) async throws {
    var template = Array("/tmp/lcp-bus-XXXXXX".utf8CString)
    let path = String(cString: try #require(mkdtemp(&template)))
    for role in WorkerRole.allCases { mkdir("\(path)/\(role.rawValue)", 0o700) }
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
}

/// A served room in a directory of its own.
func withRoom(
    _ role: WorkerRole = .provider,
    _ adjust: (inout DispatchSettings) -> Void = { _ in },
    _ body: (RoomHarness) async throws -> Void
) async throws {
    try await withBusDirectory { directory in
        let harness = try RoomHarness(directory: directory, role: role, adjust)
        try await harness.serve { try await body(harness) }
    }
}

/// Takes the outcomes one by one.
actor OutcomeReader {
    private let stream: AsyncStream<[WorkOutcome]>
    private var pending: [WorkOutcome] = []

    init(_ stream: AsyncStream<[WorkOutcome]>) { self.stream = stream }

    func next() async throws -> WorkOutcome {
        while pending.isEmpty {
            // An iterator holds nothing of its own: the stream's buffer is shared.
            var iterator = stream.makeAsyncIterator()
            pending += try #require(await iterator.next(isolation: self))
        }
        return pending.removeFirst()
    }
}

extension WorkOutcome {
    /// The order it belongs to.
    var order: UInt64 {
        switch self {
        case .step(let id, _), .computed(let id, _), .failed(let id, _): id
        }
    }

    var failureCode: String? {
        if case .failed(_, let failure) = self { failure.code } else { nil }
    }
}

/// Orders for tests; the same number gives the same job.
enum Order {
    static let peer = NodeID([2] + [UInt8](repeating: 9, count: 32)).unsafelyPresent

    static func job(_ number: Int) -> JobKey {
        var random = SeededGenerator(seed: UInt64(number))
        return JobKey(
            role: .provider,
            peer: peer,
            id: Bytes32(random.bytes(32)).unsafelyPresent
        )
    }

    static func step(_ id: UInt64, job number: Int? = nil, state: String = "") -> WorkOrder {
        var item = BusJobItem()
        item.version = id
        item.state = Data(state.utf8)
        return WorkOrder(
            id: id,
            job: job(number ?? Int(id)),
            capability: nil,
            body: .step(item)
        )
    }

    static func computation(_ id: UInt64, kind: String = "echo") -> WorkOrder {
        var item = BusComputeItem()
        item.taskKind = kind
        item.input = Data("input \(id)".utf8)
        return WorkOrder(
            id: id,
            job: job(Int(id)),
            capability: .kind(kind),
            body: .computation(item)
        )
    }
}

extension BusCapability {
    static func kind(_ kind: String, _ profile: String = "") -> BusCapability {
        var capability = BusCapability()
        capability.taskKind = kind
        capability.profile = profile
        return capability
    }
}

extension Optional {
    /// For constants that are right by inspection.
    fileprivate var unsafelyPresent: Wrapped {
        guard let self else { preconditionFailure("a constant of the tests is wrong") }
        return self
    }
}
