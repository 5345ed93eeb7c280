package import BridgeProtocol
package import struct Foundation.Data
import LightningTypes
import SwiftProtobuf

/// A worker's side of its membership in the bridge's fleet.
///
/// Pure: no socket, no clock, no task. The subscription stands before the first event; the bridge
/// answers it with a Welcome, the Hello that echoes the Welcome's nonce begins the membership, and
/// another nonce ends it with everything that was leased under it.
package struct WorkerSession: Sendable {
    /// Where the membership stands.
    package enum State: Equatable, Sendable {
        /// Subscribed; the bridge has not answered, or is not there.
        case awaitingWelcome
        /// Takes items.
        case member(Membership)
        /// Has said Goodbye, finishes what it has, and then waits for its dismissal.
        ///
        /// Its last replies and its end reach the bridge on two sockets, in any order; so the
        /// bridge says when all of them have arrived.
        case draining(Membership)
        /// Takes and sends nothing more.
        case ended(Ending)
    }

    /// What a Welcome granted.
    package struct Membership: Equatable, Sendable {
        /// 16 bytes; another value means that the bridge was restarted.
        package var epoch: Data
        /// 16 bytes that every reply carries.
        package var nonce: Data
        /// How often Progress goes out at most.
        package var progressInterval: Duration
        /// Larger replies would be dropped, in bytes.
        package var maximumReplyBytes: Int
        /// What handlers are told.
        package var context: WorkerContext
    }

    /// Why a session ended.
    package enum Ending: Equatable, Sendable {
        /// Asked to, and dismissed by the bridge, or gone at a limit.
        case drained
        /// The bridge will not give this worker work.
        case refused(BusFailure)
        /// Cancelled without a drain.
        case abandoned
    }

    /// What happened.
    package enum Event: Sendable {
        /// The bridge said something.
        case received(BusWorkerEvent.OneOf_Body)
        /// A handler came to its end with what is to be sent.
        case finished(lease: Data, BusWorkerReply.OneOf_Body)
        /// A handler showed a sign of life.
        case touched(lease: Data, at: ContinuousClock.Instant)
        /// The process is asked to stop.
        case drainRequested
        /// What still runs has had its time.
        case drainLimitReached
        /// The bridge has had its time to dismiss a worker that finished everything.
        case dismissalOverdue
        /// The process stops without finishing anything.
        case abandoned
    }

    /// What to do about it, in order.
    package enum Effect: Equatable, Sendable {
        /// Send to the bridge.
        case send(BusWorkerReply)
        /// Drop what waits to be sent: the bridge would drop it.
        case dropUnsent
        /// Hand to a handler.
        case begin(WorkItem)
        /// Take back from the queue or stop its handler; nothing may be sent for it.
        case stop(lease: Data, Stop)
        /// Tell the operator.
        case note(Note)
        /// Nothing follows.
        case end(Ending)
    }

    /// Why an item is not this worker's any more.
    package enum Stop: String, Equatable, Sendable {
        /// The job was cancelled or its deadline passed.
        case cancelled
        /// No Progress came in time.
        case lapsed
        /// The membership it was leased under is over.
        case membershipOver
    }

    /// What an operator wants to know.
    package enum Note: Equatable, Sendable {
        /// The bridge has welcomed this worker.
        case joined(epochChanged: Bool)
        /// The bridge sent more than the capacity; the item is left to its lease.
        case overCapacity
        /// The bridge sent something this worker can't be meant by.
        case unexpected(String)
    }

    /// Where it stands.
    package private(set) var state = State.awaitingWelcome
    /// The leases held under the membership, with the time of the last Progress; nil before it.
    ///
    /// Beside the state and not inside it, where each item would copy all of them.
    package private(set) var leases: [Data: ContinuousClock.Instant?] = [:]
    private let worker: WorkerID
    private let role: WorkerRole
    private let capacity: Int
    private let hello: BusHello

    /// Begins a session.
    ///
    /// - Parameters:
    ///   - worker: The id drawn at the start of the process.
    ///   - role: The part the worker plays.
    ///   - hello: What it says of itself; its capacity bounds what the session takes.
    package init(worker: WorkerID, role: WorkerRole, hello: BusHello) {
        self.worker = worker
        self.role = role
        self.hello = hello
        capacity = Int(hello.capacity)
    }

    /// The membership, while there is one.
    package var membership: Membership? {
        switch state {
        case .member(let membership), .draining(let membership): membership
        case .awaitingWelcome, .ended: nil
        }
    }

    /// Whether everything is finished and only the bridge's word is missing.
    package var awaitsDismissal: Bool {
        switch state {
        case .draining: leases.isEmpty
        case .awaitingWelcome, .member, .ended: false
        }
    }

    /// Takes what happened and says what to do.
    package mutating func handle(_ event: Event) -> [Effect] {
        switch event {
        case .received(.welcome(let welcome)): handle(welcome)
        case .received(.job(let item)): handle(.step(item))
        case .received(.compute(let item)): handle(.computation(item))
        case .received(.revoke(let revoke)): handle(revoke)
        case .received(.refused(let refused)): handle(refused)
        case .finished(let lease, let body): finish(lease, body)
        case .touched(let lease, let now): touch(lease, now)
        case .drainRequested: drain()
        case .drainLimitReached: limitReached()
        case .dismissalOverdue: awaitsDismissal ? end(.drained) : []
        case .abandoned: end(.abandoned)
        }
    }

    // MARK: - Membership

    private mutating func handle(_ welcome: BusWelcome) -> [Effect] {
        guard welcome.nonce.count == 16, welcome.epoch.count == 16 else {
            return [.note(.unexpected("a Welcome without nonce and epoch of 16 bytes"))]
        }
        let fresh = Membership(welcome)
        switch state {
        case .awaitingWelcome:
            state = .member(fresh)
            return [.note(.joined(epochChanged: false)), .send(reply(.hello(hello), fresh))]
        case .member(let old) where old.nonce == fresh.nonce:
            // The bridge lost track of its connections and asks who is there.
            state = .member(fresh)
            return [.send(reply(.hello(hello), fresh))]
        case .member(let old):
            state = .member(fresh)
            return stopAll() + [
                .dropUnsent, .note(.joined(epochChanged: old.epoch != fresh.epoch)),
                .send(reply(.hello(hello), fresh)),
            ]
        case .draining(let old) where old.nonce == fresh.nonce:
            state = .draining(fresh)
            return [.send(reply(.hello(hello), fresh)), .send(reply(.goodbye(.init()), fresh))]
        case .draining:
            // Whatever was to be finished is another worker's now.
            return end(.drained)
        case .ended: return []
        }
    }

    private mutating func drain() -> [Effect] {
        switch state {
        case .awaitingWelcome: return end(.drained)
        case .member(let membership):
            state = .draining(membership)
            return [.send(reply(.goodbye(.init()), membership))]
        case .draining, .ended: return []
        }
    }

    private mutating func handle(_ refused: BusRefused) -> [Effect] {
        switch state {
        // Whatever the bridge says to a worker that wants to go, it may go.
        case .draining: end(.drained)
        case .awaitingWelcome, .member, .ended: end(.refused(refused.failure))
        }
    }

    private mutating func limitReached() -> [Effect] {
        switch state {
        case .draining: end(.drained)
        case .awaitingWelcome, .member, .ended: []
        }
    }

    private mutating func end(_ ending: Ending) -> [Effect] {
        switch state {
        case .awaitingWelcome, .member, .draining:
            state = .ended(ending)
            return stopAll() + [.end(ending)]
        case .ended: return []
        }
    }

    private mutating func stopAll() -> [Effect] {
        defer { leases = [:] }
        return leases.keys.sorted { $0.lexicographicallyPrecedes($1) }
            .map { .stop(lease: $0, .membershipOver) }
    }

    // MARK: - Items

    private mutating func handle(_ item: WorkItem) -> [Effect] {
        switch state {
        // What is on its way while the Goodbye is too is finished with the rest.
        case .member(let membership), .draining(let membership):
            guard leases[item.lease] == nil else { return [] }
            guard item.suits(role) else { return [wrongKind(item, membership)] }
            guard leases.count < capacity else { return [.note(.overCapacity)] }
            leases[item.lease] = .some(nil)
            return [.begin(item)]
        case .awaitingWelcome:
            return [.note(.unexpected("an item before the Welcome"))]
        case .ended: return []
        }
    }

    private mutating func handle(_ revoke: BusRevoke) -> [Effect] {
        let stop: Stop = revoke.reason == .lapsed ? .lapsed : .cancelled
        return remove(revoke.lease, .stop(lease: revoke.lease, stop))
    }

    private mutating func finish(_ lease: Data, _ body: BusWorkerReply.OneOf_Body) -> [Effect] {
        guard let membership else { return [] }
        return remove(lease, .send(reply(body, membership)))
    }

    /// Ends a lease with an effect; nothing happens for one that is not held any more.
    private mutating func remove(_ lease: Data, _ effect: Effect) -> [Effect] {
        leases.removeValue(forKey: lease) == nil ? [] : [effect]
    }

    private mutating func touch(_ lease: Data, _ now: ContinuousClock.Instant) -> [Effect] {
        guard let membership, let last = leases[lease] else { return [] }
        if let last, now - last < membership.progressInterval { return [] }
        leases[lease] = .some(now)
        return [.send(reply(.progress(.with { $0.lease = lease }), membership))]
    }

    // MARK: - Helpers

    private func wrongKind(_ item: WorkItem, _ membership: Membership) -> Effect {
        let failure = WorkFailure(
            "wrong-item",
            "a \(role.rawValue) worker was sent an item of another role",
            isRetryable: true
        )
        let failed = BusItemFailed.with {
            $0.lease = item.lease
            $0.failure = failure.message
        }
        return .send(reply(.failed(failed), membership))
    }

    private func reply(
        _ body: BusWorkerReply.OneOf_Body,
        _ membership: Membership
    ) -> BusWorkerReply {
        BusWorkerReply.with {
            $0.worker = Data(worker.bytes)
            $0.nonce = membership.nonce
            $0.body = body
        }
    }
}

extension WorkerSession.Membership {
    init(_ welcome: BusWelcome) {
        epoch = welcome.epoch
        nonce = welcome.nonce
        progressInterval = .seconds(max(1, Int(welcome.progressSeconds)))
        maximumReplyBytes = welcome.maxReplyBytes == 0 ? .max : Int(welcome.maxReplyBytes)
        context = WorkerContext(nodeID: NodeID(welcome.nodeID), network: welcome.network)
    }
}
