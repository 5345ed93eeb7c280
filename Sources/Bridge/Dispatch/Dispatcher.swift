import BridgeProtocol
import Journal
import ZeroMQ

/// Decides which worker does what, and what becomes of an item whose worker does not.
///
/// Pure: instants and random numbers come in with each event, deeds go out as actions. It holds
/// sessions and the names of orders; bodies and sockets are the ``WorkerRoom``'s.
///
/// A session is a connection: it begins when a Hello echoes the nonce of its Welcome and ends with
/// the connection. A Welcome with the *same* nonce is a question, "are you still there?"; Hello is
/// the answer. While a question is open its worker gets nothing new. It is asked
///
/// - when libzmq reports that one of several connections with the same id has gone,
/// - when a second connection with the id appears, which gets a Welcome or is refused accordingly,
/// - after each Revoke. The answer proves that the worker has read the Revoke, so that what waits
///   in its socket stays within its credit whatever lapses or is cancelled.
///
/// Who does not answer in time loses its items and may come back with a Hello.
struct Dispatcher: Sendable {
    typealias Instant = ContinuousClock.Instant
    /// Names a connection; grows, so that a later connection has a higher one.
    typealias ConnectionID = UInt64

    /// Something that happened.
    enum Event: Sendable {
        case ordered(UInt64, job: JobKey, capability: Capability?)
        /// The engine does not want the order done any more; no outcome follows.
        case withdrawn(UInt64, BusRevoke.Reason)
        /// A subscription on a worker's topic was accepted.
        case connected(ConnectionID, WorkerID, key: CurvePublicKey?)
        case disconnected(ConnectionID)
        /// A connection of the worker has gone and libzmq does not know which.
        case unclear(WorkerID)
        case said(Statement, by: Speaker)
        /// ``Dispatcher/wakeAt`` has come.
        case woke
        /// What a Welcome tells has changed.
        case factsChanged
        /// A reply that says nothing we could use.
        case dropped(DispatchCounter)
    }

    /// Who a reply claims to be from, and whose key it came with.
    struct Speaker: Sendable {
        var worker: WorkerID
        var nonce: Token
        var key: CurvePublicKey?
    }

    /// What a worker says.
    enum Statement: Sendable {
        case hello(Greeting)
        /// The item is done: its reply is at hand.
        case answered(Token)
        case failed(Token, BusFailure)
        case progress(Token)
        case goodbye
    }

    /// What to do.
    enum Action: Sendable {
        case welcome(ConnectionID, nonce: Token)
        case refuse(ConnectionID, BusFailure)
        case send(UInt64, to: ConnectionID, lease: Token, attempt: UInt32)
        case revoke(ConnectionID, lease: Token, BusRevoke.Reason)
        /// Everything the draining worker said has arrived: it may exit.
        case dismiss(ConnectionID)
        /// The reply at hand is the order's outcome.
        case finished(UInt64)
        case gaveUp(UInt64, BusFailure)
        /// Workers came, went or changed what they can do.
        case membersChanged
        /// Something for the log.
        case note(Note)
    }

    /// What the operator's log says.
    enum Note: Sendable {
        case joined(WorkerID, program: String)
        case left(WorkerID, Departure, items: Int)
        case refused(WorkerID, code: String)
        /// The 1st, 2nd, 4th, 8th… time, so that a flood can't fill the log.
        case dropped(DispatchCounter, UInt64)
        case attemptFailed(UInt64, JobKey, WorkerID, code: String, failures: UInt32)
    }

    /// How a worker's session ended.
    enum Departure: String, Sendable { case drained, lost, evicted }

    /// Where a connection stands.
    enum Phase: Sendable {
        /// Another connection has the worker's id and is asked whether it lives.
        case waiting
        case welcomed
        case member
        /// It will get nothing from us.
        case refused
        /// It did not answer; a Hello brings it back.
        case evicted
    }

    struct Connection: Sendable {
        let worker: WorkerID
        let key: CurvePublicKey?
        let nonce: Token
        var phase: Phase
        var question: Question?
        // What outlives an eviction:
        var saidGoodbye = false
        var failuresInARow = 0
    }

    /// A Welcome to a session that has begun, not yet answered.
    struct Question: Sendable {
        var due: Instant
        /// Something was revoked since, so that the answer to this one proves too little.
        var mustAskAgain = false
    }

    struct Order: Sendable {
        let job: JobKey
        let capability: Capability?
        var sequence: UInt64 = 0
        var place = Place.behind
        var failures: UInt32 = 0
        /// Workers it failed on; at most ``DispatchSettings/maximumAttempts``.
        var failedOn: [WorkerID] = []
    }

    /// Where an order is.
    enum Place: Sendable {
        /// Behind another order of its job.
        case behind
        case queued
        /// Until the instant it waits for its next attempt.
        case delayed(Instant)
        case sent(ConnectionID, lease: Token)
    }

    let settings: DispatchSettings
    var orders: [UInt64: Order] = [:]
    /// The one order of each job that is not behind another.
    var current: [JobKey: UInt64] = [:]
    /// The others of the same job, in the order they came.
    var behind: [JobKey: [UInt64]] = [:]
    var queues: [Capability?: OrderQueue] = [:]
    var delayed: [UInt64] = []
    var connections: [ConnectionID: Connection] = [:]
    /// The connections of each worker id, the oldest first.
    var connectionsOf: [WorkerID: [ConnectionID]] = [:]
    /// The one connection of each id that is welcomed or a member.
    var holders: [WorkerID: ConnectionID] = [:]
    var members: [ConnectionID: Member] = [:]
    var lastSequence: UInt64 = 0
    var lastGiven: UInt64 = 0
    var counts: [DispatchCounter: UInt64] = [:]
    var now: Instant
    var actions: [Action] = []

    /// When to be woken at the latest; too early is harmless, nil is never.
    private(set) var wakeAt: Instant?

    init(settings: DispatchSettings, at now: Instant) {
        self.settings = settings
        self.now = now
    }

    /// Takes in what happened and says what to do about it.
    mutating func handle(
        _ event: Event,
        at now: Instant,
        using random: inout some RandomNumberGenerator
    ) -> [Action] {
        self.now = now
        switch event {
        case .ordered(let id, let job, let capability): take(id, job, capability)
        case .withdrawn(let id, let reason): withdraw(id, reason)
        case .connected(let id, let worker, let key):
            connect(id, worker, key, nonce: Token(using: &random))
        case .disconnected(let id): disconnect(id)
        case .unclear(let worker): if let holder = holders[worker] { ask(holder) }
        case .said(let statement, let speaker): hear(statement, from: speaker)
        case .woke: wake()
        case .dropped(let counter): drop(counter)
        case .factsChanged: for id in connections.keys.sorted() { tellFacts(id) }
        }
        assign(using: &random)
        defer { actions = [] }
        return actions
    }

    /// How many orders no worker has.
    var queued: Int { orders.count - members.values.reduce(0) { $0 + $1.items.count } }

    /// Whether the order is with a worker.
    func isSent(_ id: UInt64) -> Bool {
        if case .sent = orders[id]?.place { true } else { false }
    }

    mutating func count(_ counter: DispatchCounter, by amount: UInt64 = 1) {
        counts[counter, default: 0] += amount
    }

    /// Counts a reply that is dropped.
    mutating func drop(_ counter: DispatchCounter) {
        count(counter)
        guard let count = counts[counter], count & (count - 1) == 0 else { return }
        actions.append(.note(.dropped(counter, count)))
    }

    // MARK: - Time

    /// Makes sure that we are woken by then.
    mutating func expect(_ instant: Instant) {
        wakeAt = min(wakeAt ?? instant, instant)
    }

    /// Does what is due, and finds out when to wake next.
    ///
    /// Sessions and orders are walked by ascending number, so that the same events always give
    /// the same actions.
    private mutating func wake() {
        wakeAt = nil
        for id in delayed.sorted() {
            guard case .delayed(let until) = orders[id]?.place else { continue }
            if until <= now {
                delayed.removeAll { $0 == id }
                putBack(id)
            } else {
                expect(until)
            }
        }
        for id in connections.keys.sorted() {
            guard let question = connections[id]?.question else { continue }
            if question.due <= now { evict(id) } else { expect(question.due) }
        }
        for id in members.keys.sorted() {
            lapse(id)
            guard let member = members[id] else { continue }
            for item in member.items { expect(member.deadline(of: item, settings)) }
        }
    }
}
