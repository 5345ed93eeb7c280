/// Lets through what keeps to a rate, and remembers one point in time for it.
///
/// The generic cell rate algorithm: equal to a bucket of `burst` tokens that fills at the rate.
struct RateGate: Hashable, Sendable {
    /// When the last one would have come at the exact rate; not after now means a full bucket.
    private(set) var due: ContinuousClock.Instant

    /// Begins with the whole burst free.
    init(at now: ContinuousClock.Instant) { due = now }

    /// Whether one more may pass now; if so it counts.
    mutating func pass(_ rate: Rate, at now: ContinuousClock.Instant) -> Bool {
        let next = max(due, now) + rate.interval
        // A microsecond of grace: intervals like a third of a second don't add up exactly.
        guard now.duration(to: next) <= rate.interval * rate.burst + .microseconds(1) else {
            return false
        }
        due = next
        return true
    }
}

/// A rate for each of many, in bounded memory.
///
/// Whoever rested long enough for a whole burst is forgotten without loss. While the table is full
/// of others, newcomers are refused. Keys are node IDs and jobs, not connections, so that coming
/// back gains nothing.
struct RateLimiter<Key: Hashable & Sendable>: Sendable {
    private let rate: Rate
    private let limit: Int
    private var gates: [Key: RateGate] = [:]
    private var nextSweep: ContinuousClock.Instant?

    /// A rate for at most `limit` keys that are not at rest.
    init(_ rate: Rate, limit: Int) {
        self.rate = rate
        self.limit = limit
    }

    /// How many are remembered.
    var count: Int { gates.count }

    /// Whether one more of the key's may pass now; if so it counts.
    mutating func pass(_ key: Key, at now: ContinuousClock.Instant) -> Bool {
        guard gates[key] != nil || makeRoom(at: now) else { return false }
        let rate = rate
        return gates[key, default: RateGate(at: now)].pass(rate, at: now)
    }

    private mutating func makeRoom(at now: ContinuousClock.Instant) -> Bool {
        guard gates.count >= limit else { return true }
        // At most ten times a second: a crowd of newcomers must not cost a walk each.
        if let nextSweep, now < nextSweep { return false }
        nextSweep = now + .milliseconds(100)
        gates = gates.filter { $0.value.due > now }
        return gates.count < limit
    }
}
