import Glibc

/// One line on a terminal's standard error that says how far a load has come; nothing elsewhere.
struct BenchProgress: Sendable {
    private let isLive: Bool

    init(isSilent: Bool) { isLive = !isSilent && isatty(STDERR_FILENO) == 1 }

    /// Runs a closure while the line is kept up to date.
    func following(
        _ load: LoadRun,
        of jobs: Int,
        _ what: String,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        guard isLive else { return try await body() }
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    try await Task.sleep(for: .milliseconds(200))
                    draw(load.tally, of: jobs, what, .now - start)
                }
            }
            group.addTask { try await body() }
            defer {
                group.cancelAll()
                write("\r\u{1b}[K")
            }
            try await group.next()
        }
    }

    private func draw(_ tally: LoadTally, of jobs: Int, _ what: String, _ elapsed: Duration) {
        let rate = UInt64(tally.ended) * 1_000_000 / max(1, elapsed.microseconds)
        var line = "\(tally.ended) of \(jobs) \(what) · \(rate) per second"
        if tally.failed + tally.unanswered > 0 {
            line += " · \(tally.failed) failed, \(tally.unanswered) unanswered"
        }
        write("\r\u{1b}[K" + Paint.dim(line, on: STDERR_FILENO))
    }

    private func write(_ text: String) {
        // A terminal that has gone is no reason to end the measurement.
        try? StandardOutput.write(Array(text.utf8), to: STDERR_FILENO)
    }
}
