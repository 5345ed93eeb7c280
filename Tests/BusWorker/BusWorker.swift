import ArgumentParser
import BridgeProtocol
import Foundation
import SwiftProtobuf
import ZeroMQ

// SwiftProtobuf has a Message too.
private typealias Message = ZeroMQ.Message

/// A worker that behaves as it is told, for tests and as the null worker of load benchmarks.
@main
struct BusWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bus-worker",
        abstract: "A worker that answers, hangs, fails or dies as it is told."
    )

    @Option(help: "The bus directory.")
    var bus: String

    @Option(help: "provider, requester or compute.")
    var role: WorkerRole = .provider

    @Option(help: "The worker's id, 32 hex digits; drawn at random if left out.")
    var id: String?

    @Option(help: "How many items to take at a time.")
    var capacity: UInt32 = 64

    @Option(help: "How many of them to handle at a time; 0 means all.")
    var concurrency: UInt32 = 0

    @Option(help: "KIND or KIND/PROFILE to announce; may be repeated.")
    var capability: [String] = []

    @Option(help: "A BusJobReply in hex: what each step is answered with, but lease and version.")
    var reply: String?

    @Flag(help: "Number the effects of --reply anew in each step, so that each is a new effect.")
    var freshEffects = false

    @Option(help: "What to do with each item.")
    var behaviour: Behaviour = .echo

    @Option(help: "Die by SIGKILL when this many items have come.")
    var crashAt: Int?

    @Option(help: "Send Goodbye when this many items have come; exit when told that all is done.")
    var goodbyeAt: Int?

    @Option(help: "How long each item takes, in milliseconds.")
    var delay: Int = 0

    @Flag(help: "Push frames that are no replies before Hello.")
    var garbage = false

    @Flag(help: "Never answer a Welcome.")
    var mute = false

    enum Behaviour: String, ExpressibleByArgument, CaseIterable {
        case echo, hang, fail, wrongNonce, wrongLease
    }

    func run() async throws {
        let context = try Context()
        // One thread for sockets and handler: the shortest way for an answer that takes no time.
        try await withTaskExecutorPreference(delay == 0 ? context.executor : nil) {
            try await serve(in: context)
        }
        await context.shutDown()
    }

    private func serve(in context: Context) async throws {
        let worker = try workerID()
        let push = try await context.push(.ipc(path: path(.replies(role))))
        let topic = WorkTopic(worker).bytes
        let sub = try await context.sub(.ipc(path: path(.events(role))), topics: [topic])
        if garbage { try await push.send(Garbage.messages(from: worker)) }
        var session = Session(worker: worker, template: try template())
        for try await batch in sub.batches {
            var answers: [Message] = []
            for message in batch {
                guard let frame = message.frame(1) else { continue }
                let event = try BusWorkerEvent(frame: frame.bytes)
                switch event.body {
                case .welcome(let welcome):
                    session.nonce = welcome.nonce
                    if !mute { answers.append(try session.message(.hello(hello()))) }
                case .job, .compute:
                    session.items += 1
                    if session.items == crashAt { kill(getpid(), SIGKILL) }
                    if let answer = try answer(event, &session) { answers.append(answer) }
                    if session.items == goodbyeAt {
                        answers.append(try session.message(.goodbye(BusGoodbye())))
                    }
                    if delay > 0 { try await Task.sleep(for: .milliseconds(delay)) }
                case .refused(let refused):
                    if refused.failure.code == "drained" { return }
                    print("refused: \(refused.failure.code)")
                    throw ExitCode(1)
                case .revoke, nil: break
                }
            }
            if !answers.isEmpty { try await push.send(answers) }
        }
    }

    private func path(_ endpoint: BusEndpoint) -> String { "\(bus)/\(endpoint.path)" }

    private func workerID() throws -> WorkerID {
        guard let id else { return .random() }
        guard let topic = WorkTopic(subscription: Array("work/\(id)".utf8)) else {
            throw ValidationError("--id is not 32 lower-case hex digits")
        }
        return topic.worker
    }

    private func template() throws -> BusJobReply? {
        guard let reply else { return nil }
        let digits = Array(reply.utf8)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { index in
            UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)
        }
        guard bytes.count * 2 == digits.count else {
            throw ValidationError("--reply is not hex")
        }
        return try BusJobReply(serializedBytes: bytes)
    }

    private func hello() -> BusHello {
        var hello = BusHello()
        hello.program = "bus-worker \(getpid())"
        hello.capacity = capacity
        hello.concurrency = concurrency
        hello.dialects = ["0.1"]
        hello.capabilities = capability.map { text in
            let parts = text.split(separator: "/", maxSplits: 1)
            var capability = BusCapability()
            capability.taskKind = parts.first.map(String.init) ?? ""
            capability.profile = parts.count > 1 ? String(parts[1]) : ""
            return capability
        }
        return hello
    }

    private func answer(_ event: BusWorkerEvent, _ session: inout Session) throws -> Message? {
        let lease = event.compute.lease.isEmpty ? event.job.lease : event.compute.lease
        switch behaviour {
        case .hang: return nil
        case .fail:
            var failed = BusItemFailed()
            failed.lease = lease
            failed.failure.code = "told-to-fail"
            return try session.message(.failed(failed))
        case .echo: return try session.message(end(of: event, lease: lease, session))
        case .wrongLease:
            return try session.message(end(of: event, lease: Data(count: 16), session))
        case .wrongNonce:
            var forged = session
            forged.nonce = Data(count: 16)
            return try forged.message(end(of: event, lease: lease, session))
        }
    }

    private func end(
        of event: BusWorkerEvent,
        lease: Data,
        _ session: Session
    ) -> BusWorkerReply.OneOf_Body {
        if case .compute(let item) = event.body {
            var reply = BusComputeReply()
            reply.lease = lease
            reply.result.output = item.input
            return .compute(reply)
        }
        var reply = session.template ?? BusJobReply()
        if session.template == nil { reply.state = event.job.state }
        reply.lease = lease
        reply.version = event.job.version
        if freshEffects {
            for index in reply.effects.indices {
                reply.effects[index].id += event.job.version << 16
            }
        }
        return .job(reply)
    }
}

/// What a worker knows of its session.
private struct Session {
    let worker: WorkerID
    let template: BusJobReply?
    var nonce = Data()
    var items = 0

    func message(_ body: BusWorkerReply.OneOf_Body) throws -> Message {
        var reply = BusWorkerReply()
        reply.worker = Data(worker.bytes)
        reply.nonce = nonce
        reply.body = body
        return Message(Frame(try reply.frame()))
    }
}

/// Frames that no honest worker sends.
private enum Garbage {
    static func messages(from worker: WorkerID) throws -> [Message] {
        var short = BusWorkerReply()
        short.worker = Data([1, 2, 3])
        var bodiless = BusWorkerReply()
        bodiless.worker = Data(worker.bytes)
        bodiless.nonce = Data(count: 16)
        return [
            Message(Frame([])),
            Message(Frame([UInt8](repeating: 0xff, count: 100))),
            Message(Frame("two"), Frame("frames")),
            Message(Frame(try short.frame())),
            Message(Frame(try bodiless.frame())),
        ]
    }
}

extension WorkerRole: ExpressibleByArgument {}
