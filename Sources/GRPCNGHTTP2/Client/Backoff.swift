/// How long to wait between connection attempts (gRPC's connection backoff protocol).
package struct BackoffConfiguration: Sendable {
    /// The first wait.
    package var initial: Duration

    /// The longest wait, before jitter.
    package var maximum: Duration

    /// How much longer each wait is than the one before.
    package var multiplier: Double

    /// How far a wait may stray from its length, as a fraction of it.
    package var jitter: Double

    /// A random number from 0 up to 1; tests give their own.
    package var random: @Sendable () -> Double

    /// The defaults: 1 s, then 1.6 times longer each, up to 60 s, 20 % either way.
    package init(
        initial: Duration = .seconds(1),
        maximum: Duration = .seconds(60),
        multiplier: Double = 1.6,
        jitter: Double = 0.2,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.initial = initial
        self.maximum = maximum
        self.multiplier = multiplier
        self.jitter = jitter
        self.random = random
    }
}

/// The waits between attempts, one after the other.
struct Backoff {
    private let configuration: BackoffConfiguration
    private var base: Duration

    init(_ configuration: BackoffConfiguration) {
        self.configuration = configuration
        base = configuration.initial
    }

    /// The next wait; each is longer, up to the maximum.
    mutating func next() -> Duration {
        let stray = configuration.jitter * (2 * configuration.random() - 1)
        let delay = base * (1 + stray)
        base = min(configuration.maximum, base * configuration.multiplier)
        return delay
    }

    /// A connection has held: begin anew.
    mutating func reset() { base = configuration.initial }
}
