/// Spreads calls evenly, so that what they cost does not depend on how many are wanted.
struct CallPacer: Sendable {
    private let interval: Duration
    private var next: ContinuousClock.Instant?

    /// Lets so many calls begin in a second; at least one.
    init(perSecond: Int) { interval = .seconds(1) / max(perSecond, 1) }

    /// Takes the next place.
    ///
    /// - Parameter now: The time.
    /// - Returns: How long to wait for it; zero after a quiet time.
    mutating func place(at now: ContinuousClock.Instant) -> Duration {
        let place = max(next ?? now, now)
        next = place.advanced(by: interval)
        return now.duration(to: place)
    }
}
