import HeapModule
package import LightningTypes

/// A network of simulated lnd nodes: everything lnd would decide, and nothing else.
///
/// Pure: no socket, clock or randomness. The shell tells the time with ``advance(to:)``, calls one
/// method for each RPC, then takes the ``Output`` of the call: changes to write down and news for
/// open streams. The same calls in the same order give the same output.
///
/// There is one method for each RPC instead of one entry point, because every RPC has a result of
/// its own type and its own refusals.
package struct SimulatedNetwork: Sendable {
    /// What a call led to, besides its result.
    package struct Output: Sendable {
        /// What must be durable before the call is answered, in order; all or nothing.
        package var changes: [Change] = []
        /// What goes out on streams, in order.
        package var events: [NetworkEvent] = []
    }

    /// The time last told.
    package private(set) var now: NetworkTime
    private var output = Output()

    var nodes: [SimulatedNode] = []
    var handles: [NodeID: NodeHandle] = [:]
    var channels: [Channel] = []
    var channelPositions: [UInt64: Int] = [:]

    // Everything below is forgotten at a restart of the process.
    var connections: [NodePair: Connection] = [:]
    var connectionCount: UInt64 = 0
    var links: [DirectedPair: LinkFaults] = [:]
    var separated: Set<NodePair> = []
    var lateOfflines: Set<NodePair> = []
    var subscriptions: [SubscriptionID: Subscription] = [:]
    var lastSubscription: UInt64 = 0
    var runningPayments: [PaymentKey: RunningPayment] = [:]
    var work: [Work] = []
    private var alarms = Heap<Alarm>()
    private var alarmCount: UInt64 = 0

    /// An empty network.
    ///
    /// - Parameter now: The current time.
    package init(now: NetworkTime) { self.now = now }

    // MARK: - Time

    /// When the network next wants to be told the time; nil when nothing is due.
    package var wakeAt: NetworkTime? { alarms.min?.time }

    /// Tells the time and does what has become due; a time in the past changes nothing.
    package mutating func advance(to time: NetworkTime) {
        while let due = alarms.min, due.time <= time {
            alarms.removeMin()
            now = max(now, due.time)
            ring(due.action)
            finishWork()
        }
        now = max(now, time)
    }

    mutating func schedule(_ action: Alarm.Action, at time: NetworkTime) {
        alarmCount += 1
        alarms.insert(Alarm(time: time, order: alarmCount, action: action))
    }

    private mutating func ring(_ action: Alarm.Action) {
        switch action {
        case .invoiceExpires(let node, let addIndex): expireInvoice(addIndex, of: node)
        case .partialPaymentTimesOut(let htlc): timeOutPartialPayment(htlc)
        case .heldPaymentTimesOut(let node, let addIndex): timeOutHeldInvoice(addIndex, of: node)
        case .paymentResumes(let key): work.append(.advance(key))
        case .htlcArrives(let htlc): work.append(.arrive(htlc))
        case .customMessage(let message): deliverDelayed(message)
        case .reconnect(let pair): reconnect(pair)
        case .startUp(let node, let phases): continueStartUp(of: node, phases)
        }
    }

    /// The height of the simulated chain: a block every ten minutes, from 1000 on.
    package var blockHeight: UInt32 {
        let genesis = nodes.first?.record.created.seconds ?? now.unix.seconds
        let elapsed = now.unix.seconds > genesis ? now.unix.seconds - genesis : 0
        return 1000 + UInt32(clamping: elapsed / 600)
    }

    // MARK: - Output

    /// Hands over what has happened since the last time, and forgets it.
    package mutating func takeOutput() -> Output {
        defer { output = Output() }
        return output
    }

    /// Makes a durable change: applies it and hands it to the shell.
    mutating func commit(_ change: Change) {
        apply(change)
        output.changes.append(change)
    }

    mutating func emit(_ event: NetworkEvent) { output.events.append(event) }

    // MARK: - Nodes

    /// Adds a node, stopped; ``startNode(_:)`` lets it serve.
    ///
    /// - Parameters:
    ///   - record: The node's identity, new to the network.
    ///   - rootKey: 32 random bytes, the root key of its `admin.macaroon`.
    /// - Returns: The node's handle.
    package mutating func addNode(_ record: NodeRecord, rootKey: Redacted<Bytes32>) -> NodeHandle {
        precondition(handles[record.id] == nil, "a node's key is new to the network")
        commit(.node(record))
        let handle = NodeHandle(index: nodes.count - 1)
        commit(.rootKey(node: handle, id: 0, key: rootKey))
        return handle
    }

    /// All nodes in the order in which they were added.
    package var allNodes: [NodeHandle] { nodes.indices.map { NodeHandle(index: $0) } }

    /// The node with this key.
    package func node(_ id: NodeID) -> NodeHandle? { handles[id] }

    /// The node with this name.
    package func node(named name: String) -> NodeHandle? {
        nodes.firstIndex { $0.record.name == name }.map { NodeHandle(index: $0) }
    }

    /// A node's identity.
    package func record(of node: NodeHandle) -> NodeRecord { nodes[node.index].record }
}

/// Something the network has to do at a time.
struct Alarm: Comparable, Sendable {
    enum Action: Sendable {
        case invoiceExpires(NodeHandle, addIndex: UInt64)
        case partialPaymentTimesOut(HTLCReference)
        case heldPaymentTimesOut(NodeHandle, addIndex: UInt64)
        case htlcArrives(HTLCReference)
        case paymentResumes(PaymentKey)
        case customMessage(DelayedMessage)
        case reconnect(NodePair)
        case startUp(NodeHandle, StartUp)
    }

    let time: NetworkTime
    // Alarms of one moment ring in the order in which they were set.
    let order: UInt64
    let action: Action

    static func < (left: Alarm, right: Alarm) -> Bool {
        (left.time, left.order) < (right.time, right.order)
    }

    static func == (left: Alarm, right: Alarm) -> Bool { left.order == right.order }
}
