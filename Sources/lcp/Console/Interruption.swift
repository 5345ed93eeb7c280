import UnixSignals

/// SIGINT or SIGTERM has come.
struct Interruption: Error {}

/// Runs a closure until it ends or a signal comes, which cancels it.
///
/// - Parameter body: What to run; it is awaited after a signal, too.
/// - Returns: What `body` returns.
/// - Throws: ``Interruption`` after a signal, else what `body` throws.
func interruptible<Result: Sendable>(
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    return try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask {
            for await _ in signals { return nil }
            return nil
        }
        group.addTask { try await body() }
        defer { group.cancelAll() }
        guard let result = try await group.next() ?? nil else {
            group.cancelAll()
            // What was cleaning up finishes; why it failed no longer matters.
            while let _ = await group.nextResult() {}
            throw Interruption()
        }
        return result
    }
}
