import BridgeProtocol
import Foundation
import Testing
import ZeroMQ

/// A worker over real sockets whose every word a test chooses.
actor ScriptedWorker {
    let id: WorkerID
    private let context: Context
    private let sub: SubSocket
    private let push: PushSocket
    private var pending: [BusWorkerEvent] = []
    /// The nonce of the last Welcome.
    private(set) var nonce = Data()

    init(_ harness: RoomHarness, id: WorkerID = .random(), topics: [[UInt8]] = []) async throws {
        self.id = id
        context = try Context()
        let directory = harness.directory
        push = try await context.push(
            .ipc(path: "\(directory)/\(BusEndpoint.replies(harness.role).path)")
        )
        sub = try await context.sub(
            .ipc(path: "\(directory)/\(BusEndpoint.events(harness.role).path)"),
            topics: topics + [WorkTopic(id).bytes]
        )
    }

    /// Connects and begins a session.
    static func join(
        _ harness: RoomHarness,
        id: WorkerID = .random(),
        capacity: UInt32 = 8,
        concurrency: UInt32 = 0,
        can capabilities: [BusCapability] = []
    ) async throws -> ScriptedWorker {
        let worker = try await ScriptedWorker(harness, id: id)
        _ = try await worker.welcome()
        try await worker.hello(
            capacity: capacity,
            concurrency: concurrency,
            can: capabilities
        )
        await harness.wait { workers in workers.contains { $0.id == Data(id.bytes) } }
        return worker
    }

    // MARK: - Hearing

    /// The next event, whatever it is.
    func event() async throws -> BusWorkerEvent.OneOf_Body {
        while pending.isEmpty {
            for message in try await sub.receive() {
                let frame = try #require(message.frame(1))
                pending.append(try BusWorkerEvent(frame: frame.bytes))
            }
        }
        return try #require(pending.removeFirst().body)
    }

    func welcome() async throws -> BusWelcome {
        guard case .welcome(let welcome) = try await event() else { throw NotExpected() }
        nonce = welcome.nonce
        return welcome
    }

    func step() async throws -> BusJobItem {
        guard case .job(let item) = try await event() else { throw NotExpected() }
        return item
    }

    func computation() async throws -> BusComputeItem {
        guard case .compute(let item) = try await event() else { throw NotExpected() }
        return item
    }

    func revoke() async throws -> BusRevoke {
        guard case .revoke(let revoke) = try await event() else { throw NotExpected() }
        return revoke
    }

    func refusal() async throws -> BusFailure {
        guard case .refused(let refused) = try await event() else { throw NotExpected() }
        return refused.failure
    }

    // MARK: - Speaking

    func say(_ body: BusWorkerReply.OneOf_Body, nonce: Data? = nil) async throws {
        var reply = BusWorkerReply()
        reply.worker = Data(id.bytes)
        reply.nonce = nonce ?? self.nonce
        reply.body = body
        try await push.send(Message(Frame(try reply.frame())))
    }

    func push(_ messages: [Message]) async throws { try await push.send(messages) }

    func hello(
        capacity: UInt32 = 8,
        concurrency: UInt32 = 0,
        can capabilities: [BusCapability] = [],
        nonce: Data? = nil
    ) async throws {
        var hello = BusHello()
        hello.program = "scripted"
        hello.capacity = capacity
        hello.concurrency = concurrency
        hello.capabilities = capabilities
        try await say(.hello(hello), nonce: nonce)
    }

    func answer(_ item: BusJobItem, lease: Data? = nil, nonce: Data? = nil) async throws {
        var reply = BusJobReply()
        reply.lease = lease ?? item.lease
        reply.version = item.version
        reply.state = item.state
        try await say(.job(reply), nonce: nonce)
    }

    func fail(_ lease: Data, code: String = "scripted") async throws {
        var failed = BusItemFailed()
        failed.lease = lease
        failed.failure.code = code
        try await say(.failed(failed))
    }

    func progress(_ lease: Data) async throws {
        var progress = BusProgress()
        progress.lease = lease
        try await say(.progress(progress))
    }

    /// Does what a good worker does until it is cancelled.
    func serve() async throws {
        while true {
            switch try await event() {
            case .job(let item): try await answer(item)
            case .welcome(let welcome):
                nonce = welcome.nonce
                try await hello()
            case .compute, .revoke, .refused: break
            }
        }
    }

    /// Ends like a process that dies.
    func die() async { await context.shutDown() }

    struct NotExpected: Error {}
}
