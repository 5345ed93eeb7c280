import BridgeProtocol
import CrashPoints
import DequeModule
import struct Foundation.Data
import Logging
import ServiceNotify
import SwiftProtobuf
import Synchronization
import ZeroMQ

/// Where the tasks of a worker meet: the session, the items that wait, the replies that wait.
///
/// One task receives, one sends, and each lane handles one item at a time, so that a handler that
/// is stuck holds up neither the sockets nor the session. Both queues are bounded by the capacity:
/// each lease stands in one of them at most, beside one Progress each and the Hello.
final class WorkerLink: Sendable {
    /// An item for a handler.
    struct Order: Sendable {
        let item: WorkItem
        let context: WorkerContext
        /// When it arrived here; the item's own times are the bridge's clock.
        let arrival: ContinuousClock.Instant
    }

    /// Replies to send, and how many bytes one of them may have.
    struct Outgoing: Sendable {
        let replies: [BusWorkerReply]
        let maximumBytes: Int
    }

    fileprivate struct State {
        var session: WorkerSession
        var orders: Deque<Order> = []
        var replies: [BusWorkerReply] = []
        var maximumReplyBytes = Int.max
        var ending: WorkerSession.Ending?
        var idleLanes: [CheckedContinuation<Order?, Never>] = []
        var idleSender: CheckedContinuation<Outgoing?, Never>?
        var leaseEnds: [Data: CheckedContinuation<Void, Never>] = [:]
        /// The leases that lanes work on, and since when such a lease is known to be held no more.
        var lanes: [Data: ContinuousClock.Instant?] = [:]
        var sessionEnd: CheckedContinuation<Void, Never>?
        var dismissalWait: CheckedContinuation<Bool, Never>?
    }

    /// Whom to resume once the lock is free.
    fileprivate struct Wakes {
        var lanes: [(lane: CheckedContinuation<Order?, Never>, order: Order?)] = []
        var sender: (continuation: CheckedContinuation<Outgoing?, Never>, outgoing: Outgoing?)?
        var ends: [CheckedContinuation<Void, Never>] = []
        var dismissalWait: (continuation: CheckedContinuation<Bool, Never>, isAwaited: Bool)?
        var notes: [WorkerSession.Note] = []
        var stopped: [WorkerSession.Stop] = []
    }

    private let state: Mutex<State>
    private let notifier: ServiceNotifier
    private let logger: Logger

    init(session: WorkerSession, notifier: ServiceNotifier = .silent, logger: Logger) {
        state = Mutex(State(session: session))
        self.notifier = notifier
        self.logger = logger
    }

    /// Why it is over; nil while it is not.
    var ending: WorkerSession.Ending? { state.withLock { $0.ending } }

    // MARK: - What happens

    /// Takes a batch as it came from the socket.
    func receive(_ messages: [ZeroMQ.Message]) {
        let bodies = messages.compactMap { message -> BusWorkerEvent.OneOf_Body? in
            guard message.frameCount == 2, let frame = message.tail.first,
                let event = try? BusWorkerEvent(serializedBytes: frame.bytes)
            else {
                logger.warning("dropped a malformed event of the bridge")
                return nil
            }
            // None: a kind of event that is newer than this worker.
            return event.body
        }
        handle(bodies.map { .received($0) })
    }

    /// Takes what happened elsewhere.
    func handle(_ event: WorkerSession.Event) { handle([event]) }

    private func handle(_ events: [WorkerSession.Event]) {
        let arrival = ContinuousClock.now
        let wakes = state.withLock { state in
            var wakes = Wakes()
            for event in events {
                for effect in state.session.handle(event) {
                    state.perform(effect, arrival, &wakes)
                }
                if case .finished(let lease, _) = event { state.release(lease, &wakes) }
            }
            state.feed(&wakes)
            return wakes
        }
        for (lane, order) in wakes.lanes { lane.resume(returning: order) }
        if let (continuation, outgoing) = wakes.sender { continuation.resume(returning: outgoing) }
        for end in wakes.ends { end.resume() }
        if let (continuation, isAwaited) = wakes.dismissalWait {
            continuation.resume(returning: isAwaited)
        }
        for note in wakes.notes { log(note) }
        if !wakes.stopped.isEmpty {
            let reasons = Set(wakes.stopped.map(\.rawValue)).sorted().joined(separator: ",")
            logger.info(
                "items taken back",
                metadata: ["bus.items": "\(wakes.stopped.count)", "bus.reason": "\(reasons)"]
            )
        }
    }

    private func log(_ note: WorkerSession.Note) {
        if case .joined = note { notifier.tell("working for the bridge") }
        switch note {
        case .joined(let epochChanged):
            if epochChanged {
                logger.notice("joined the bridge, which was restarted")
            } else {
                logger.info("joined the bridge")
            }
            WorkerCrashPoint.afterWelcome.reach()
        case .overCapacity: logger.warning("left an item to its lease: the capacity is exceeded")
        case .unexpected(let what):
            logger.warning("ignored an event", metadata: ["bus.event": "\(what)"])
        }
    }

    // MARK: - For the lanes

    /// The next item to handle, in the order in which they were sent; nil when there will be none.
    func next() async -> Order? {
        if let order = state.withLock({ $0.takeOrder() }) { return order }
        return await withCheckedContinuation { continuation in
            let answer: Order?? = state.withLock { state in
                if let order = state.takeOrder() { return .some(order) }
                if state.ending != nil { return .some(nil) }
                state.idleLanes.append(continuation)
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// Says that a lane is done with an item, whatever became of it.
    func leave(_ order: Order) { state.withLock { $0.lanes[order.item.lease] = nil } }

    /// How long a lane may go on with an item that was finished or taken back.
    static let patience = Duration.seconds(30)

    /// Whether a lane has been busy with an item for too long after its end: its handler is stuck.
    ///
    /// As long as an item is held, its lease is what watches the handler.
    func isStuck(at now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            var isStuck = false
            for (lease, lostAt) in state.lanes where state.session.leases[lease] == nil {
                state.lanes[lease] = .some(lostAt ?? now)
                isStuck = isStuck || now - (lostAt ?? now) > Self.patience
            }
            return isStuck
        }
    }

    /// Returns when a lease is not held any more, because its item was finished or taken back.
    func end(of lease: Data) async {
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                guard state.session.leases[lease] != nil else { return false }
                state.leaseEnds[lease] = continuation
                return true
            }
            if !isHeld { continuation.resume() }
        }
    }

    // MARK: - For the end

    /// Returns when the session has ended; one task may wait.
    func end() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                guard state.ending == nil else { return true }
                state.sessionEnd = continuation
                return false
            }
            if hasEnded { continuation.resume() }
        }
    }

    /// Returns true when everything is finished and only the dismissal is awaited.
    ///
    /// False when the session has ended. One task may wait.
    func awaitsDismissal() async -> Bool {
        await withCheckedContinuation { continuation in
            let answer: Bool? = state.withLock { state in
                if state.ending != nil { return false }
                if state.session.awaitsDismissal { return true }
                state.dismissalWait = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    // MARK: - For the sender

    /// All replies that wait, at least one; nil when there will be none.
    func outgoing() async -> Outgoing? {
        await withCheckedContinuation { continuation in
            let answer: Outgoing?? = state.withLock { state in
                if let outgoing = state.takeReplies() { return .some(outgoing) }
                if state.ending != nil { return .some(nil) }
                state.idleSender = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }
}

extension WorkerLink.State {
    fileprivate mutating func perform(
        _ effect: WorkerSession.Effect,
        _ arrival: ContinuousClock.Instant,
        _ wakes: inout WorkerLink.Wakes
    ) {
        switch effect {
        case .send(let reply):
            replies.append(reply)
        case .dropUnsent:
            replies = []
        case .begin(let item):
            guard let context = session.membership?.context else { return }
            orders.append(WorkerLink.Order(item: item, context: context, arrival: arrival))
            WorkerCrashPoint.afterItem.reach()
        case .stop(let lease, let reason):
            orders.removeAll { $0.item.lease == lease }
            release(lease, &wakes)
            wakes.stopped.append(reason)
        case .note(let note):
            wakes.notes.append(note)
        case .end(let ending):
            self.ending = ending
        }
    }

    fileprivate mutating func release(_ lease: Data, _ wakes: inout WorkerLink.Wakes) {
        if let end = leaseEnds.removeValue(forKey: lease) { wakes.ends.append(end) }
    }

    /// Gives idle tasks what there is now.
    fileprivate mutating func feed(_ wakes: inout WorkerLink.Wakes) {
        if let membership = session.membership { maximumReplyBytes = membership.maximumReplyBytes }
        while !idleLanes.isEmpty, let order = takeOrder() {
            wakes.lanes.append((idleLanes.removeFirst(), order))
        }
        if ending != nil {
            wakes.lanes += idleLanes.map { ($0, nil) }
            idleLanes = []
            if let sessionEnd { wakes.ends.append(sessionEnd) }
            sessionEnd = nil
        }
        if let wait = dismissalWait, session.awaitsDismissal || ending != nil {
            wakes.dismissalWait = (wait, ending == nil)
            dismissalWait = nil
        }
        if let sender = idleSender {
            let outgoing = takeReplies()
            if outgoing != nil || ending != nil {
                wakes.sender = (sender, outgoing)
                idleSender = nil
            }
        }
    }

    /// The next item, for a lane.
    fileprivate mutating func takeOrder() -> WorkerLink.Order? {
        guard let order = orders.popFirst() else { return nil }
        lanes[order.item.lease] = .some(nil)
        return order
    }

    fileprivate mutating func takeReplies() -> WorkerLink.Outgoing? {
        guard !replies.isEmpty else { return nil }
        defer { replies = [] }
        return WorkerLink.Outgoing(replies: replies, maximumBytes: maximumReplyBytes)
    }
}
