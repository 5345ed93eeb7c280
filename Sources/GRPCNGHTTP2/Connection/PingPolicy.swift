/// How a server treats clients that ping too often, as grpc-go and so lnd does.
package struct PingEnforcement: Hashable, Sendable {
    /// Pings may come this often.
    package var minimumInterval: Duration

    /// Whether pings without an open call are allowed at that rate, rather than once in two hours.
    package var allowsWithoutCalls: Bool

    /// lnd's defaults: every 5 s, and only with a call.
    package init(minimumInterval: Duration = .seconds(5), allowsWithoutCalls: Bool = false) {
        self.minimumInterval = minimumInterval
        self.allowsWithoutCalls = allowsWithoutCalls
    }
}

/// Counts a client's bad pings; knows no clock.
struct PingPolicy {
    typealias Instant = ContinuousClock.Instant

    private let rules: PingEnforcement
    private var strikes = 0
    private var last: Instant?

    init(_ rules: PingEnforcement) { self.rules = rules }

    /// The server sent headers or data: old strikes are forgotten.
    mutating func answered() {
        strikes = 0
        last = nil
    }

    /// Takes note of a ping.
    ///
    /// - Returns: False when it was the third bad one: the connection must end.
    mutating func received(at now: Instant, hasCalls: Bool) -> Bool {
        let interval: Duration =
            hasCalls || rules.allowsWithoutCalls ? rules.minimumInterval : .seconds(7_200)
        if let last, last.duration(to: now) < interval { strikes += 1 }
        last = now
        return strikes <= 2
    }
}
