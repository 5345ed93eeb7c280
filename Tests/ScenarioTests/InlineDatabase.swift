import GRDB

/// A database queue whose calls run on the thread that makes them.
///
/// A scenario is one task and its journals are its own, so that there is nobody to make room for;
/// to hand each query to another thread and to wait for it costs more than the query. What the queue
/// guarantees stays: one call at a time, each sees all that came before it.
final class InlineDatabase: DatabaseWriter {
    private let queue: DatabaseQueue

    init(_ queue: DatabaseQueue) { self.queue = queue }

    /// Runs at once; nothing else runs on this database meanwhile, so that a read sees whole
    /// transactions without one of its own.
    private func run<T>(_ body: (Database) throws -> T) rethrows -> T {
        try queue.writeWithoutTransaction(body)
    }

    var configuration: Configuration { queue.configuration }
    var path: String { queue.path }
    func close() throws { try queue.close() }
    func interrupt() { queue.interrupt() }

    // MARK: - Reading

    @_disfavoredOverload
    func read<T>(_ value: (Database) throws -> T) throws -> T { try run(value) }

    func read<T: Sendable>(_ value: @Sendable (Database) throws -> T) async throws -> T {
        try run(value)
    }

    func asyncRead(_ value: @escaping @Sendable (Result<Database, any Error>) -> Void) {
        run { value(.success($0)) }
    }

    @_disfavoredOverload
    func unsafeRead<T>(_ value: (Database) throws -> T) throws -> T { try run(value) }

    func unsafeRead<T: Sendable>(_ value: @Sendable (Database) throws -> T) async throws -> T {
        try run(value)
    }

    func asyncUnsafeRead(_ value: @escaping @Sendable (Result<Database, any Error>) -> Void) {
        run { value(.success($0)) }
    }

    func unsafeReentrantRead<T>(_ value: (Database) throws -> T) throws -> T {
        try queue.unsafeReentrantRead(value)
    }

    func spawnConcurrentRead(_ value: @escaping @Sendable (Result<Database, any Error>) -> Void) {
        queue.spawnConcurrentRead(value)
    }

    func _add<Reducer: ValueReducer>(
        observation: ValueObservation<Reducer>,
        scheduling scheduler: some ValueObservationScheduler,
        onChange: @escaping @Sendable (Reducer.Value) -> Void
    ) -> AnyDatabaseCancellable {
        queue._add(observation: observation, scheduling: scheduler, onChange: onChange)
    }

    // MARK: - Writing

    @_disfavoredOverload
    func writeWithoutTransaction<T>(_ updates: (Database) throws -> T) rethrows -> T {
        try run(updates)
    }

    func writeWithoutTransaction<T: Sendable>(
        _ updates: @Sendable (Database) throws -> T
    ) async throws -> T {
        try run(updates)
    }

    @_disfavoredOverload
    func barrierWriteWithoutTransaction<T>(_ updates: (Database) throws -> T) throws -> T {
        try run(updates)
    }

    func barrierWriteWithoutTransaction<T: Sendable>(
        _ updates: @Sendable (Database) throws -> T
    ) async throws -> T {
        try run(updates)
    }

    func asyncBarrierWriteWithoutTransaction(
        _ updates: @escaping @Sendable (Result<Database, any Error>) -> Void
    ) {
        run { updates(.success($0)) }
    }

    func asyncWriteWithoutTransaction(_ updates: @escaping @Sendable (Database) -> Void) {
        run(updates)
    }

    func unsafeReentrantWrite<T>(_ updates: (Database) throws -> T) rethrows -> T {
        try queue.unsafeReentrantWrite(updates)
    }
}
