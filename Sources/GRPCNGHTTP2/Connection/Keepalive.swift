/// When to ask the peer whether it lives, and when to give it up.
package struct KeepaliveConfiguration: Hashable, Sendable {
    /// How long the connection may be silent before a ping.
    package var interval: Duration

    /// How long the answer may take.
    package var timeout: Duration

    /// Whether to ping only while a call is open; grpc servers punish other pings.
    package var onlyWithCalls: Bool

    /// A client's: every 30 s of silence while a call is open, 20 s for the answer.
    ///
    /// - Parameters:
    ///   - interval: At least 10 s; less is raised to that, because servers punish it.
    ///   - timeout: How long the answer may take.
    /// - Returns: Settings that no grpc server punishes.
    package static func client(
        interval: Duration = .seconds(30),
        timeout: Duration = .seconds(20)
    ) -> KeepaliveConfiguration {
        KeepaliveConfiguration(
            interval: max(interval, .seconds(10)),
            timeout: timeout,
            onlyWithCalls: true
        )
    }

    /// A server's, as lnd's: after 60 s of silence, 20 s for the answer.
    ///
    /// - Parameters:
    ///   - interval: lnd's `grpc.server-ping-time`.
    ///   - timeout: lnd's `grpc.server-ping-timeout`.
    /// - Returns: Settings for every connection, with and without calls.
    package static func server(
        interval: Duration = .seconds(60),
        timeout: Duration = .seconds(20)
    ) -> KeepaliveConfiguration {
        KeepaliveConfiguration(interval: interval, timeout: timeout, onlyWithCalls: false)
    }

    /// Settings as given, for tests of peers; the factories keep to the rules.
    package init(interval: Duration, timeout: Duration, onlyWithCalls: Bool) {
        self.interval = interval
        self.timeout = timeout
        self.onlyWithCalls = onlyWithCalls
    }
}

/// Decides about pings; knows no clock.
struct Keepalive {
    typealias Instant = ContinuousClock.Instant

    enum Decision: Equatable {
        /// Ask again then.
        case wait(until: Instant)
        /// Send a ping, and ask again then.
        case ping(until: Instant)
        /// The peer is gone.
        case giveUp
    }

    let configuration: KeepaliveConfiguration
    private var lastReceived: Instant
    private var pingSent: Instant?

    init(_ configuration: KeepaliveConfiguration, now: Instant) {
        self.configuration = configuration
        lastReceived = now
    }

    /// Bytes arrived: the peer lives.
    mutating func received(at now: Instant) {
        lastReceived = now
        pingSent = nil
    }

    /// What to do now.
    mutating func decide(at now: Instant, hasCalls: Bool) -> Decision {
        if let pingSent {
            let due = pingSent.advanced(by: configuration.timeout)
            return now >= due ? .giveUp : .wait(until: due)
        }
        guard hasCalls || !configuration.onlyWithCalls else {
            return .wait(until: now.advanced(by: configuration.interval))
        }
        let due = lastReceived.advanced(by: configuration.interval)
        guard now >= due else { return .wait(until: due) }
        pingSent = now
        return .ping(until: now.advanced(by: configuration.timeout))
    }
}
