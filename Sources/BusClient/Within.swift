/// Runs a closure for a limited time.
///
/// - Parameters:
///   - limit: How long.
///   - body: What to run.
/// - Returns: What `body` returns; nil when the time was over first.
/// - Throws: What `body` throws.
package func within<Result: Sendable>(
    _ limit: Duration,
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result? {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        return try await group.next() ?? nil
    }
}
