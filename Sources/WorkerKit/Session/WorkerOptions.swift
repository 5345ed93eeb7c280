package import BridgeProtocol
package import ServiceNotify
package import ZeroMQ

/// Where a worker connects to, and what it says of itself.
package struct WorkerOptions: Sendable {
    /// The part it plays; it must be the one of the endpoints.
    package var role: WorkerRole
    /// The bridge's XPUB endpoint of the role.
    package var events: Connection
    /// The bridge's PULL endpoint of the role.
    package var replies: Connection
    /// For people: `lcp-provider 0.1.0 (c605cab03f1e)`.
    package var program: String
    /// How many items it takes at a time, waiting ones included; at least 1.
    package var capacity: Int
    /// How many of those it handles at the same time; at least 1.
    package var concurrency: Int
    /// The versions of LCP whose jobs a protocol worker handles: `0.1`.
    package var dialects: [String]
    /// For a provider what it sells, for compute what it can run.
    package var capabilities: [BusCapability]
    /// How long a drain may take before what still runs is given up; another worker gets it then.
    package var drainLimit: Duration
    /// How long the bridge may take to say that the last replies of a drain have arrived.
    package var dismissalLimit = Duration.seconds(2)

    /// Hears what the worker waits for, and that its sockets, its session and its lanes get ahead.
    package var notifier = ServiceNotifier.silent

    /// Makes options from single endpoints.
    package init(
        role: WorkerRole,
        events: Connection,
        replies: Connection,
        program: String,
        capacity: Int = 64,
        concurrency: Int = 1,
        dialects: [String] = [],
        capabilities: [BusCapability] = [],
        drainLimit: Duration = .seconds(25)
    ) {
        self.role = role
        self.events = events
        self.replies = replies
        self.program = program
        self.capacity = capacity
        self.concurrency = concurrency
        self.dialects = dialects
        self.capabilities = capabilities
        self.drainLimit = drainLimit
    }

    /// Makes options from the bridge's bus directory.
    package init(role: WorkerRole, busDirectory: String, program: String) {
        self.init(
            role: role,
            events: .ipc(path: "\(busDirectory)/\(BusEndpoint.events(role).path)"),
            replies: .ipc(path: "\(busDirectory)/\(BusEndpoint.replies(role).path)"),
            program: program
        )
    }
}
