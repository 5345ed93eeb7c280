package import BridgeProtocol
package import LightningTypes
package import Logging
package import ZeroMQ

/// The workers of one role: hands them orders and takes their replies.
///
/// A thin shell: the ``Dispatcher`` decides, this actor reads clocks and sockets, draws tokens and
/// writes frames. Orders may be given before ``run()`` and while no worker lives; they wait.
/// Memory is bounded by the orders the engine gives, and by the settings for all that workers say.
package actor WorkerRoom {
    /// What a Welcome tells of the node; nil and empty until lnd has said.
    package typealias NodeFacts = (nodeID: NodeID?, network: String)

    /// What its workers work on.
    package nonisolated let role: WorkerRole
    /// How the orders ended, in batches, in the order in which it happened.
    ///
    /// For one consumer. Holds at most one outcome for each order given; ends with ``run()``.
    package nonisolated let outcomes: AsyncStream<[WorkOutcome]>
    /// What the live workers that take new work can do, each time that changes; the newest only.
    ///
    /// Sorted, without repetitions. For one consumer; ends with ``run()``.
    package nonisolated let capabilityChanges: AsyncStream<[BusCapability]>

    let context: Context
    let binding: (events: Binding, replies: Binding)
    let settings: DispatchSettings
    let epoch: [UInt8]
    let welcome: @Sendable () -> NodeFacts
    let now: @Sendable () -> UnixTime
    let logger: Logger

    var dispatcher: Dispatcher
    var random = SystemRandomNumberGenerator()
    var bodies: [UInt64: WorkOrder.Body] = [:]
    var sockets: Sockets?
    /// The accepted subscriptions, by their ids, which are the dispatcher's connections.
    var subscriptions: [UInt64: Subscription] = [:]
    var outbox: [Outgoing] = []
    var collected: [WorkOutcome] = []
    private var capabilitiesTold: [BusCapability] = []
    private var isFinished = false
    private var timer: (task: Task<Void, Never>, due: ContinuousClock.Instant)?

    let outboxFilled: AsyncStream<Void>
    private let fillOutbox: AsyncStream<Void>.Continuation
    private let tellOutcomes: AsyncStream<[WorkOutcome]>.Continuation
    private let tellCapabilities: AsyncStream<[BusCapability]>.Continuation

    /// The two sockets while they are open.
    struct Sockets: Sendable {
        let events: XPubSocket
        let replies: PullSocket
    }

    /// Makes a room; nothing is bound before ``open()`` or ``run()``.
    ///
    /// - Parameters:
    ///   - role: What its workers work on.
    ///   - context: The sockets' thread.
    ///   - events: Where workers subscribe.
    ///   - replies: Where workers push.
    ///   - settings: The numbers behind the rules.
    ///   - epoch: 16 random bytes, new at every start of the bridge.
    ///   - welcome: What a Welcome tells of the node; called for each one.
    ///   - now: The wall clock.
    ///   - logger: Gets ids, codes and counts, never contents.
    package init(
        role: WorkerRole,
        context: Context,
        events: Binding,
        replies: Binding,
        settings: DispatchSettings,
        epoch: [UInt8],
        welcome: @escaping @Sendable () -> NodeFacts,
        now: @escaping @Sendable () -> UnixTime,
        logger: Logger
    ) {
        self.role = role
        self.context = context
        binding = (events, replies)
        self.settings = settings
        self.epoch = epoch
        self.welcome = welcome
        self.now = now
        self.logger = logger
        dispatcher = Dispatcher(settings: settings, at: .now)
        (outcomes, tellOutcomes) = AsyncStream.makeStream()
        (capabilityChanges, tellCapabilities) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingNewest(1)
        )
        (outboxFilled, fillOutbox) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: - Orders

    /// Takes orders; returns at once.
    ///
    /// Repeating an order that has not ended changes nothing.
    ///
    /// - Parameter orders: In the order in which those of one job are to be done.
    package func order(_ orders: [WorkOrder]) {
        for order in orders where bodies[order.id] == nil {
            bodies[order.id] = order.body
            let capability = order.capability.map(Capability.init)
            handle(.ordered(order.id, job: order.job, capability: capability))
        }
        settle()
    }

    /// Takes one order; see ``order(_:)-([WorkOrder])``.
    package func order(_ order: WorkOrder) { self.order([order]) }

    /// Gives an order that no worker has a newer body; its id, job and capability stay.
    ///
    /// - Parameter order: The order with the id of the one to change.
    /// - Returns: False when a worker has it or it has ended: nothing was changed.
    package func replace(_ order: WorkOrder) -> Bool {
        guard bodies[order.id] != nil, !dispatcher.isSent(order.id) else { return false }
        bodies[order.id] = order.body
        return true
    }

    /// Takes an order back: no outcome follows, unless it is in ``outcomes`` already.
    ///
    /// - Parameters:
    ///   - id: The order; unknown ones are ignored.
    ///   - reason: What a worker that has it is told.
    package func withdraw(_ id: UInt64, reason: BusRevoke.Reason) {
        guard bodies.removeValue(forKey: id) != nil else { return }
        handle(.withdrawn(id, reason))
        settle()
    }

    /// Tells the workers anew what `welcome` says; call it when lnd has said who it is.
    package func announceNode() {
        handle(.factsChanged)
        settle()
    }

    // MARK: - What is known

    /// Whether a worker lives that takes new work.
    package var hasWorkers: Bool { dispatcher.members.values.contains { $0.can(nil) } }

    /// What the live workers that take new work can do, sorted, without repetitions.
    package var capabilities: [BusCapability] { dispatcher.capabilities }

    /// How many orders no worker has.
    package var queued: Int { dispatcher.queued }

    /// The workers with a session, the oldest first.
    package func workers() -> [BusWorker] {
        dispatcher.members.sorted { $0.key < $1.key }.map { BusWorker($0.value, role: role) }
    }

    /// What was dropped, refused, failed or done, by a short stable name.
    package var counters: [String: UInt64] {
        get async {
            var counters: [String: UInt64] = [:]
            for (counter, count) in dispatcher.counts { counters[counter.rawValue] = count }
            guard let sockets else { return counters }
            let seen = await sockets.events.counts
            counters["subscriptions_refused"] = UInt64(seen.refused)
            counters["subscriptions_unattributable"] = UInt64(seen.unattributable)
            counters["subscriber_messages"] = UInt64(seen.strayMessages)
            counters["replies_malformed", default: 0] += UInt64(sockets.replies.droppedMessages)
            return counters
        }
    }

    // MARK: - Decisions and deeds

    /// Lets the dispatcher decide and notes what is to be done.
    func handle(_ event: Dispatcher.Event, reply: BusWorkerReply.OneOf_Body? = nil) {
        for action in dispatcher.handle(event, at: .now, using: &random) {
            perform(action, reply: reply)
        }
    }

    private func perform(_ action: Dispatcher.Action, reply: BusWorkerReply.OneOf_Body?) {
        switch action {
        case .welcome(let connection, let nonce):
            outbox.append(Outgoing(connection: connection, content: .welcome(nonce)))
        case .refuse(let connection, let failure):
            outbox.append(Outgoing(connection: connection, content: .refusal(failure)))
        case .dismiss(let connection):
            outbox.append(Outgoing(connection: connection, content: .refusal(.drained)))
        case .revoke(let connection, let lease, let reason):
            outbox.append(Outgoing(connection: connection, content: .revoke(lease, reason)))
        case .send(let id, let connection, let lease, let attempt):
            guard let body = bodies[id] else { return }
            let content = Outgoing.Content.item(body, lease: lease, attempt: attempt)
            outbox.append(Outgoing(connection: connection, content: content))
        case .finished(let id):
            bodies[id] = nil
            switch reply {
            case .job(let reply): collected.append(.step(id, reply))
            case .compute(let reply): collected.append(.computed(id, reply))
            case .hello, .progress, .failed, .goodbye, nil: break
            }
        case .gaveUp(let id, let failure):
            bodies[id] = nil
            collected.append(.failed(id, failure))
        case .membersChanged:
            let capabilities = dispatcher.capabilities
            guard capabilities != capabilitiesTold else { return }
            capabilitiesTold = capabilities
            tellCapabilities.yield(capabilities)
        case .note(let note): log(note)
        }
    }

    /// Passes on what the last events led to: frames, outcomes, and when to wake.
    func settle() {
        if !outbox.isEmpty { fillOutbox.yield() }
        if !collected.isEmpty {
            tellOutcomes.yield(collected)
            collected = []
        }
        guard !isFinished, let due = dispatcher.wakeAt, timer.map({ due < $0.due }) ?? true else {
            return
        }
        timer?.task.cancel()
        let task = Task {
            // Cancelled when an earlier wake-up took its place, or at the end.
            guard (try? await Task.sleep(until: due, clock: .continuous)) != nil else { return }
            wake()
        }
        timer = (task, due)
    }

    private func wake() {
        timer = nil
        handle(.woke)
        settle()
    }

    /// Ends the streams and the timer; orders are not answered any more.
    func finish() async {
        isFinished = true
        tellOutcomes.finish()
        tellCapabilities.finish()
        fillOutbox.finish()
        timer?.task.cancel()
        await timer?.task.value
        timer = nil
    }
}
