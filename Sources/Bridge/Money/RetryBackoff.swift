/// How long to pause after failures in a row: doubling up to a limit, with jitter.
package struct RetryBackoff: Equatable, Sendable {
    /// The pause after the first failure.
    package var first: Duration
    /// The longest pause.
    package var limit: Duration

    /// A fifth of a second up to a minute, unless said otherwise.
    package init(first: Duration = .milliseconds(200), limit: Duration = .seconds(60)) {
        self.first = first
        self.limit = limit
    }

    /// The pause after so many failures.
    ///
    /// - Parameters:
    ///   - failures: How many in a row; from 1 on.
    ///   - jitter: A random number from 0 up to 1; the pause is between half of it and all.
    /// - Returns: The pause.
    package func pause(after failures: Int, jitter: Double) -> Duration {
        // Thirty doublings of the shortest sensible pause exceed every sensible limit.
        let doublings = min(max(failures, 1) - 1, 30)
        return min(first * (1 << doublings), limit) * (0.5 + jitter / 2)
    }
}
