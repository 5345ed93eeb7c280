import GRDB
import Synchronization

@testable import Journal

/// The rows of one node's journal, in memory: they survive the node, not the process.
///
/// Opening a file costs more than a whole job. Nothing else differs: it is the journal's own schema
/// and its own code.
final class MemoryStore: Sendable {
    private let database: DatabaseQueue

    init() throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        database = try DatabaseQueue(configuration: configuration)
        try database.writeWithoutTransaction { try Schema.migrate($0) }
    }

    /// The journal as a start finds it.
    func open() throws -> Journal { try Journal(path: "memory", pool: database, lock: nil) }

    /// Forgets everything, for another scenario.
    func empty() throws {
        try database.write { database in
            let tables = try String.fetchAll(
                database,
                sql:
                    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            )
            for table in tables { try database.execute(sql: "DELETE FROM \(table)") }
        }
    }
}

/// Stores that scenarios use one after the other.
final class ScenarioStores: Sendable {
    private let free = Mutex<[MemoryStore]>([])

    /// Lends an empty store to a closure.
    func withStore<Result>(_ body: (MemoryStore) async throws -> Result) async throws -> Result {
        let store = try free.withLock { $0.popLast() } ?? MemoryStore()
        defer { free.withLock { $0.append(store) } }
        try store.empty()
        return try await body(store)
    }
}
