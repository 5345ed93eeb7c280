package import BridgeProtocol
package import ServiceNotify

/// Where a worker connects to, and what it says of itself.
package struct WorkerOptions: Sendable {
    /// The part it plays.
    package var role: WorkerRole
    /// The bridge's bus directory, or one whose file `remote` names a bridge on another machine.
    package var busDirectory: String
    /// For people: `lcp-provider 0.1.0 (c605cab03f1e)`.
    package var program: String
    /// How many items it takes at a time, waiting ones included; at least 1.
    package var capacity = 64
    /// How many of those it handles at the same time; at least 1.
    package var concurrency = 1
    /// The versions of LCP whose jobs a protocol worker handles: `0.1`.
    package var dialects: [String] = []
    /// For a provider what it sells, for compute what it can run.
    package var capabilities: [BusCapability] = []
    /// How long a drain may take before what still runs is given up; another worker gets it then.
    package var drainLimit = Duration.seconds(25)
    /// How long the bridge may take to say that the last replies of a drain have arrived.
    package var dismissalLimit = Duration.seconds(2)
    /// Hears what the worker waits for, and that its sockets, its session and its lanes get ahead.
    package var notifier = ServiceNotifier.silent

    /// Takes what has no default.
    package init(role: WorkerRole, busDirectory: String, program: String) {
        self.role = role
        self.busDirectory = busDirectory
        self.program = program
    }
}
