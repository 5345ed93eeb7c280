package import BridgeProtocol
package import BusClient

/// Asks again as long as no bridge is there; the bridge does nothing twice.
///
/// - Parameters:
///   - isolation: The caller's actor.
///   - ask: The question.
/// - Returns: The answer.
/// - Throws: What `ask` throws, except `BusClientError` `noBridge` and `timedOut`.
package func persistently<Result>(
    isolation: isolated (any Actor)? = #isolation,
    _ ask: () async throws -> Result
) async throws -> Result {
    while true {
        try Task.checkCancellation()
        do {
            return try await ask()
        } catch let error as BusClientError where [.noBridge, .timedOut].contains(error.code) {
            continue
        }
    }
}

/// Something that came to no end in time.
package struct Overdue: Error, CustomStringConvertible {
    /// How long it was waited for.
    package let patience: Duration

    /// In words.
    package var description: String { "it came to no end within \(patience)" }
}

/// Waits for something, and not for ever.
///
/// - Parameters:
///   - patience: How long; then the body is cancelled.
///   - body: What takes time.
/// - Throws: ``Overdue``, and what `body` throws.
package func within(
    _ patience: Duration,
    _ body: @escaping @Sendable () async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask(operation: body)
        group.addTask {
            try await Task.sleep(for: patience)
            throw Overdue(patience: patience)
        }
        defer { group.cancelAll() }
        try await group.next()
    }
}

extension BusClient {
    /// Waits until a job has come to a stage, across restarts of the bridge.
    ///
    /// - Parameters:
    ///   - job: The job.
    ///   - isThere: Whether a stage is meant.
    /// - Returns: The job, at the first such stage that was seen.
    /// - Throws: `BusClientError`; `CancellationError`.
    package func wait(
        for job: BusJobKey,
        until isThere: @Sendable (BusJobStage) -> Bool
    ) async throws -> BusJob {
        while true {
            let state = try await persistently {
                try await watch([job]) { states in
                    try await states.first { isThere($0.view.stage) }
                }
            }
            if let state { return state }
        }
    }
}
