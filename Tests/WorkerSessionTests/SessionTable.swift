import BridgeProtocol
import Foundation
import SwiftProtobuf
import WorkerKit

/// Every state and every event of a session, by names that a table can hold.
enum SessionTable {
    static let states = ["awaiting", "idle", "busy", "draining", "drained", "ended"]

    static let events: [(name: String, event: WorkerSession.Event)] = [
        ("welcome, first nonce", .received(.welcome(welcome(nonce: 1)))),
        ("welcome, new nonce", .received(.welcome(welcome(nonce: 2)))),
        ("welcome, new epoch", .received(.welcome(welcome(nonce: 2, epoch: 9)))),
        ("welcome without nonce", .received(.welcome(.with { $0.epoch = id(8) }))),
        ("job L2", .received(.job(job(2)))),
        ("job L1 again", .received(.job(job(1)))),
        ("computation L3", .received(.compute(.with { $0.lease = id(3) }))),
        ("cancelled L1", .received(.revoke(revoke(1, .cancelled)))),
        ("lapsed L1", .received(.revoke(revoke(1, .lapsed)))),
        ("cancelled L5", .received(.revoke(revoke(5, .cancelled)))),
        ("refused", .received(.refused(.with { $0.failure = .with { $0.code = "twice" } }))),
        ("finished L1", .finished(lease: id(1), .job(.with { $0.lease = id(1) }))),
        ("finished L5", .finished(lease: id(5), .job(.with { $0.lease = id(5) }))),
        ("touched L1", .touched(lease: id(1), at: start)),
        ("touched L5", .touched(lease: id(5), at: start)),
        ("drain", .drainRequested),
        ("limit", .drainLimitReached),
        ("dismissal overdue", .dismissalOverdue),
        ("abandoned", .abandoned),
    ]

    static let start = ContinuousClock.now

    /// A session that has come to a state of the table; busy and draining hold L1 of two places,
    /// drained has finished it.
    static func session(_ state: String) -> WorkerSession {
        var session = WorkerSession(
            worker: .random(),
            role: .provider,
            hello: .with { $0.capacity = 2 }
        )
        if state == "awaiting" { return session }
        _ = session.handle(.received(.welcome(welcome(nonce: 1))))
        if state == "idle" { return session }
        if state == "ended" {
            _ = session.handle(.abandoned)
            return session
        }
        _ = session.handle(.received(.job(job(1))))
        if state == "busy" { return session }
        _ = session.handle(.drainRequested)
        if state == "draining" { return session }
        _ = session.handle(.finished(lease: id(1), .job(BusJobReply())))
        return session
    }

    static func name(_ session: WorkerSession) -> String {
        switch session.state {
        case .awaitingWelcome: "awaiting"
        case .member: session.leases.isEmpty ? "idle" : "busy(\(leases(session)))"
        case .draining: session.leases.isEmpty ? "drained" : "draining(\(leases(session)))"
        case .ended: "ended"
        }
    }

    static func name(_ effect: WorkerSession.Effect) -> String {
        switch effect {
        case .send(let reply): "send \(name(reply))"
        case .dropUnsent: "drop unsent"
        case .begin(let item): "begin \(name(item.lease))"
        case .stop(let lease, let reason): "stop \(name(lease)) \(reason)"
        case .note(.joined(let epochChanged)): epochChanged ? "joined anew" : "joined"
        case .note(.overCapacity): "over capacity"
        case .note(.unexpected): "unexpected"
        case .end(.drained): "end drained"
        case .end(.refused(let failure)): "end refused \(failure.code)"
        case .end(.abandoned): "end abandoned"
        }
    }

    /// What is sent and under which nonce.
    private static func name(_ reply: BusWorkerReply) -> String {
        let body =
            switch reply.body {
            case .hello: "hello"
            case .job(let job): "job \(name(job.lease))"
            case .compute(let reply): "computed \(name(reply.lease))"
            case .progress(let progress): "progress \(name(progress.lease))"
            case .failed(let failed): "\(failed.failure.code) \(name(failed.lease))"
            case .goodbye: "goodbye"
            case nil: "nothing"
            }
        return "\(body) N\(reply.nonce.first ?? 0)"
    }

    private static func name(_ lease: Data) -> String { "L\(lease.first ?? 0)" }

    private static func leases(_ session: WorkerSession) -> String {
        session.leases.keys.map { name($0) }.sorted().joined(separator: " ")
    }

    static func id(_ byte: UInt8) -> Data { Data(repeating: byte, count: 16) }

    static func welcome(nonce: UInt8, epoch: UInt8 = 8) -> BusWelcome {
        BusWelcome.with {
            $0.epoch = id(epoch)
            $0.nonce = id(nonce)
            $0.progressSeconds = 10
        }
    }

    static func job(_ lease: UInt8) -> BusJobItem { BusJobItem.with { $0.lease = id(lease) } }

    static func revoke(_ lease: UInt8, _ reason: BusRevoke.Reason) -> BusRevoke {
        BusRevoke.with {
            $0.lease = id(lease)
            $0.reason = reason
        }
    }
}
