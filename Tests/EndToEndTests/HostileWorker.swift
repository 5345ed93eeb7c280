import BridgeProtocol
import BusClient
import Foundation
import LocalNetwork
import SwiftProtobuf
import Synchronization
import Testing
import ZeroMQ

// SwiftProtobuf has a Message too.
private typealias Message = ZeroMQ.Message

/// A worker that a test plays: it has the rights of its role's endpoint, and no manners.
final class HostileWorker: Sendable {
    private let id = WorkerID.random()
    private let push: PushSocket
    private let inbox = Inbox()
    private let session = Mutex(Data())

    private init(push: PushSocket) { self.push = push }

    /// The items that came and were not taken yet, and who waits for which.
    private actor Inbox {
        private typealias Waiter = (
            isWanted: @Sendable (BusWorkerEvent) -> Bool,
            stream: AsyncStream<BusWorkerEvent>.Continuation
        )

        private var items: [BusWorkerEvent] = []
        private var waiters: [Waiter] = []

        func put(_ event: BusWorkerEvent) {
            if let index = waiters.firstIndex(where: { $0.isWanted(event) }) {
                waiters.remove(at: index).stream.yield(event)
            } else {
                items.append(event)
            }
        }

        func take(
            where isWanted: @escaping @Sendable (BusWorkerEvent) -> Bool
        ) async throws -> BusWorkerEvent {
            if let index = items.firstIndex(where: isWanted) { return items.remove(at: index) }
            let (stream, waiter) = AsyncStream.makeStream(of: BusWorkerEvent.self)
            waiters.append((isWanted, waiter))
            var iterator = stream.makeAsyncIterator()
            guard let event = await iterator.next(isolation: self) else {
                throw CancellationError()
            }
            return event
        }
    }

    /// Plays a worker at a node's bridge beside a closure, which begins once it is a member.
    static func play(
        _ role: WorkerRole,
        at node: String,
        in market: Market,
        _ body: @escaping @Sendable (HostileWorker) async throws -> Void
    ) async throws {
        let context = try Context()
        let bus = try await market.network.node(node).busDirectory
        let worker = HostileWorker(
            push: try await context.push(.ipc(path: "\(bus)/\(BusEndpoint.replies(role).path)"))
        )
        let events = try await context.sub(
            .ipc(path: "\(bus)/\(BusEndpoint.events(role).path)"),
            topics: [WorkTopic(worker.id).bytes]
        )
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                for try await batch in events.batches {
                    for message in batch { try await worker.take(message) }
                }
                return false
            }
            group.addTask {
                let client = try await market.network.client(of: node)
                try await eventually("the \(role) is a member") {
                    try await client.workers().contains { $0.id == Data(worker.id.bytes) }
                }
                try await body(worker)
                return true
            }
            defer { group.cancelAll() }
            while let hasEnded = try await group.next() {
                if hasEnded { return }
            }
        }
        await context.shutDown()
    }

    private func take(_ message: Message) async throws {
        guard let frame = message.frame(1) else { return }
        let event = try BusWorkerEvent(frame: frame.bytes)
        switch event.body {
        case .welcome(let welcome):
            session.withLock { $0 = welcome.nonce }
            let capability = BusCapability.with { $0.taskKind = "llm.chat" }
            try await say(
                .hello(
                    .with {
                        $0.program = "hostile"
                        $0.capacity = 256
                        $0.dialects = ["0.1"]
                        $0.capabilities = [capability]
                    }
                )
            )
        case .job, .compute: await inbox.put(event)
        case .revoke, .refused, nil: break
        }
    }

    /// The next item of a job.
    func item(of key: BusJobKey) async throws -> BusJobItem {
        try await inbox.take { $0.job.job == key && $0.job.hasJob }.job
    }

    /// The next item, whatever its job.
    func item() async throws -> BusJobItem { try await inbox.take { $0.job.hasJob }.job }

    /// Says anything, with the nonce of the session or another.
    func say(_ body: BusWorkerReply.OneOf_Body, nonce: Data? = nil) async throws {
        let reply = BusWorkerReply.with {
            $0.worker = Data(id.bytes)
            $0.nonce = nonce ?? session.withLock { $0 }
            $0.body = body
        }
        try await push.send(Message(Frame(try reply.frame())))
    }

    /// Answers an item with effects, numbered from the item's version on.
    func answer(
        _ item: BusJobItem,
        _ effects: [BusEffect],
        stage: BusJobStage = .paying,
        edit: (inout BusJobReply) -> Void = { _ in }
    ) async throws {
        var reply = BusJobReply.with {
            $0.lease = item.lease
            $0.version = item.version
            $0.state = Data([1])
            $0.effects = effects
            $0.view.stage = stage
        }
        edit(&reply)
        try await say(.job(reply))
    }

    /// Ends a job whose item is at hand, so that nothing of it is left.
    func finish(_ item: BusJobItem) async throws {
        let finish = BusEffect.with {
            $0.id = item.version << 8 | 0xff
            $0.finish = BusFinish()
        }
        try await answer(item, [finish], stage: .failed)
    }
}

extension BusJobItem {
    /// Those of some effects that are still outstanding; to leave one out would withdraw it.
    func kept(of effects: [BusEffect]) -> [BusEffect] {
        effects.filter { outstanding.contains($0.id) }
    }

    /// Why a payment was refused, of the first such event.
    var refusal: BusPaymentFailed? {
        for case .paymentFailed(let failed)? in events.map(\.body) { return failed }
        return nil
    }

    /// Whether one of the events says that the payment was made.
    var isPaid: Bool {
        events.contains { if case .paymentSucceeded = $0.body { true } else { false } }
    }
}
