/// How many requests a key may still make: a bucket that a minute fills; pure.
struct RequestRate: Equatable, Sendable {
    /// What was taken of the bucket and has not flowed back, in requests.
    private var taken: Double = 0
    private var asOf: ContinuousClock.Instant

    init(at now: ContinuousClock.Instant) { asOf = now }

    /// Takes one request.
    ///
    /// - Parameters:
    ///   - limit: The requests of a minute, which may come at once.
    ///   - now: The time.
    /// - Returns: Nil, or how long to wait before another try.
    mutating func take(of limit: UInt32, at now: ContinuousClock.Instant) -> Duration? {
        let perSecond = Double(limit) / 60
        let elapsed = max(.zero, asOf.duration(to: now)) / .seconds(1)
        taken = max(0, taken - elapsed * perSecond)
        asOf = max(asOf, now)
        guard taken + 1 <= Double(limit) else {
            return .seconds((taken + 1 - Double(limit)) / perSecond)
        }
        taken += 1
        return nil
    }
}
