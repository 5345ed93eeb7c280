import BridgeProtocol
import LightningTypes

/// What a worker says of itself.
struct Greeting: Sendable {
    var program: String
    var capacity: Int
    /// How many items it handles at a time; 0 means all it takes.
    var concurrency: Int
    var capabilities: [BusCapability]
    /// Whether it handles steps of jobs of the LCP version that this bridge speaks.
    var speaksVersion = true
    /// When it was said, by the bridge's clock.
    var at: UnixTime
}

/// A worker with a session, and the items it holds.
struct Member: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// An item in a worker's hands.
    struct Item: Sendable {
        let order: UInt64
        let lease: Token
        let sentAt: Instant
        /// When the worker took it up, as far as we can tell; nil while it waits behind others.
        var startedAt: Instant?
        /// The last Progress for it.
        var progressAt: Instant?
    }

    let worker: WorkerID
    var greeting: Greeting
    /// In the order they were sent.
    private(set) var items: [Item] = []
    var isDraining = false
    /// Counted failures since the last success.
    var failuresInARow = 0
    var done: UInt64 = 0
    var failed: UInt64 = 0
    /// When an item was last given, as a count; breaks ties between equally loaded workers.
    var lastGiven: UInt64 = 0
    /// When it last finished, failed or reported on an item.
    private(set) var lastMovement: Instant

    private(set) var capabilities: Set<Capability>

    init(worker: WorkerID, greeting: Greeting, at now: Instant) {
        self.worker = worker
        self.greeting = greeting
        capabilities = Set(greeting.capabilities.map(Capability.init))
        lastMovement = now
    }

    /// Takes a later Hello of the same session.
    mutating func greet(_ greeting: Greeting, at now: Instant) {
        let since = self.greeting.at
        self.greeting = greeting
        self.greeting.at = since
        capabilities = Set(greeting.capabilities.map(Capability.init))
        for index in items.indices.prefix(parallel) where items[index].startedAt == nil {
            items[index].startedAt = now
        }
    }

    /// How many items it handles at the same time.
    var parallel: Int {
        greeting.concurrency == 0
            ? greeting.capacity : min(greeting.concurrency, greeting.capacity)
    }

    /// Whether it takes new work of a kind; a capability without a profile means every profile.
    func can(_ capability: Capability?) -> Bool {
        guard greeting.capacity > 0, !isDraining else { return false }
        guard var capability else { return greeting.speaksVersion }
        if capabilities.contains(capability) { return true }
        capability.profile = ""
        return capabilities.contains(capability)
    }

    func hasCredit(probingAfter failures: Int) -> Bool {
        items.count < (failuresInARow >= failures ? 1 : greeting.capacity)
    }

    /// Whether it has less to do than another, measured by what each can do at a time.
    func isLessLoaded(than other: Member) -> Bool {
        let (own, others) = (items.count * other.parallel, other.items.count * parallel)
        return own == others ? lastGiven < other.lastGiven : own < others
    }

    // MARK: - Items

    mutating func add(_ order: UInt64, lease: Token, at now: Instant) {
        let isStarted = items.count < parallel
        items.append(
            Item(order: order, lease: lease, sentAt: now, startedAt: isStarted ? now : nil)
        )
    }

    func index(of lease: Token) -> Int? { items.firstIndex { $0.lease == lease } }

    /// Takes an item out; the first one that waited behind it counts as started from now on.
    mutating func remove(at index: Int, at now: Instant) -> Item {
        let item = items.remove(at: index)
        let last = parallel - 1
        if last >= 0, index <= last, last < items.count, items[last].startedAt == nil {
            items[last].startedAt = now
        }
        return item
    }

    mutating func moved(at now: Instant) { lastMovement = now }

    mutating func progressed(at index: Int, now: Instant) {
        items[index].progressAt = now
        if items[index].startedAt == nil { items[index].startedAt = now }
        lastMovement = now
    }

    /// When the lease of an item ends unless something happens.
    ///
    /// An item behind others has no handler that could report: it stays for as long as the worker
    /// moves on with those before it.
    func deadline(of item: Item, _ settings: DispatchSettings) -> Instant {
        guard let start = item.startedAt else {
            return max(item.sentAt, lastMovement) + settings.lease
        }
        let renewed = max(start, item.progressAt ?? start) + settings.lease
        return min(renewed, start + settings.handlingLimit)
    }
}
