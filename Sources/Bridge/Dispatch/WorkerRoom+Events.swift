import BridgeProtocol
import Foundation
import LightningTypes
import Logging
import ZeroMQ

/// What a worker is to be sent, kept as values until the moment of sending.
struct Outgoing: Sendable {
    enum Content: Sendable {
        case welcome(Token)
        case refusal(BusFailure)
        case revoke(Token, BusRevoke.Reason)
        case item(WorkOrder.Body, lease: Token, attempt: UInt32)
    }

    let connection: UInt64
    let content: Content
}

extension WorkerRoom {
    /// Frame 1 of an event.
    func frame(of content: Outgoing.Content) throws -> Frame {
        var event = BusWorkerEvent()
        switch content {
        case .welcome(let nonce): event.welcome = welcome(nonce)
        case .refusal(let failure): event.refused.failure = failure
        case .revoke(let lease, let reason):
            event.revoke.lease = lease.data
            event.revoke.reason = reason
        case .item(.step(var item), let lease, let attempt):
            item.lease = lease.data
            item.attempt = attempt
            item.nowUnix = now().seconds
            event.job = item
        case .item(.computation(var item), let lease, let attempt):
            item.lease = lease.data
            item.attempt = attempt
            item.nowUnix = now().seconds
            event.compute = item
        }
        return Frame(try event.frame())
    }

    private func welcome(_ nonce: Token) -> BusWelcome {
        let node = welcome()
        var welcome = BusWelcome()
        welcome.epoch = Data(epoch)
        welcome.nonce = nonce.data
        welcome.leaseSeconds = settings.lease.wholeSeconds
        welcome.progressSeconds = settings.progressInterval.wholeSeconds
        welcome.maxReplyBytes = UInt32(clamping: settings.maximumReplyBytes)
        welcome.nodeID = Data(node.nodeID?.bytes ?? [])
        welcome.network = node.network
        return welcome
    }

    // MARK: - The log

    func log(_ note: Dispatcher.Note) {
        switch note {
        case .joined(let worker, let program):
            logger.info("worker joined", metadata: about(worker, ["bus.program": "\(program)"]))
        case .left(let worker, let departure, let items):
            let metadata = about(worker, ["bus.items": "\(items)"])
            switch departure {
            case .drained: logger.info("worker drained", metadata: metadata)
            case .lost: logger.notice("worker lost", metadata: metadata)
            case .evicted: logger.warning("worker does not answer", metadata: metadata)
            }
        case .refused(let worker, let code):
            logger.warning("worker refused", metadata: about(worker, ["bus.reason": "\(code)"]))
        case .dropped(let counter, let count):
            logger.notice(
                "replies are dropped",
                metadata: [
                    "bus.role": "\(role.rawValue)", "bus.reason": "\(counter.rawValue)",
                    "bus.count": "\(count)",
                ]
            )
        case .attemptFailed(_, let job, let worker, let code, let failures):
            logger.warning(
                "attempt failed",
                metadata: about(
                    worker,
                    [
                        "lcp.job": "\(job)", "bus.reason": "\(code)",
                        "bus.attempt": "\(failures)",
                    ]
                )
            )
        }
    }

    private func about(_ worker: WorkerID, _ more: Logger.Metadata) -> Logger.Metadata {
        more.merging(["bus.role": "\(role.rawValue)", "bus.worker": "\(worker)"]) { $1 }
    }
}

extension Duration {
    /// Rounded up, at least 1.
    fileprivate var wholeSeconds: UInt32 {
        let (seconds, rest) = components
        return max(1, UInt32(clamping: seconds + (rest > 0 ? 1 : 0)))
    }
}

extension BusWorker {
    init(_ member: Member, role: WorkerRole) {
        self.init()
        id = Data(member.worker.bytes)
        switch role {
        case .provider: self.role = .provider
        case .requester: self.role = .requester
        case .compute: self.role = .compute
        }
        program = member.greeting.program
        capacity = UInt32(clamping: member.greeting.capacity)
        busy = UInt32(clamping: member.items.count)
        done = member.done
        failed = member.failed
        draining = member.isDraining
        sinceUnix = member.greeting.at.seconds
    }
}

extension Dispatcher {
    /// What the members that take new work can do, sorted, without repetitions.
    var capabilities: [BusCapability] {
        let all = members.values.filter { $0.can(nil) }.flatMap(\.greeting.capabilities)
        return Set(all).sorted { left, right in
            let (one, other) = (left.sortKey, right.sortKey)
            return one < other
        }
    }
}

extension BusCapability {
    fileprivate var sortKey: (String, String, String) {
        (taskKind, profile, templateParams.base64EncodedString())
    }
}
