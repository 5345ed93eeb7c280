/// When a call that failed is made again.
struct RetryPlan: Equatable, Sendable {
    /// How often at most.
    var limit: Int

    /// A server that wants more rest than this is left to another worker.
    private static let longestWait = Duration.seconds(60)
    private static let firstWait = Duration.milliseconds(500)

    /// How long to wait before the next call.
    ///
    /// - Parameters:
    ///   - failure: Why the last one failed.
    ///   - calls: How many there were.
    ///   - left: How long the computation may still take.
    ///   - jitter: 0 to 1, so that workers don't come back together.
    /// - Returns: The wait; nil to give up.
    func wait(
        after failure: CallFailure,
        calls: Int,
        left: Duration,
        jitter: Double
    ) -> Duration? {
        guard failure.isWorthAnotherCall, calls <= limit else { return nil }
        let doubled = Self.firstWait * (1 << min(calls - 1, 6))
        let backoff = doubled / 2 + doubled / 2 * jitter
        let wait = max(backoff, failure.retryAfter ?? .zero)
        guard wait <= Self.longestWait, wait < left else { return nil }
        return wait
    }
}
