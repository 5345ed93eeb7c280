import GRDB
import Synchronization

@testable import Journal

/// The rows of one node's journal, in memory: they survive the node, not the process.
///
/// Opening a file costs more than a whole job. Nothing else differs: it is the journal's own schema
/// and its own code.
final class MemoryStore: Sendable {
    private let database: InlineDatabase
    private let tables: [String]

    init() throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        database = InlineDatabase(try DatabaseQueue(configuration: configuration))
        tables = try database.writeWithoutTransaction { database in
            try Schema.migrate(database)
            return try String.fetchAll(
                database,
                sql:
                    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            )
        }
    }

    /// The journal as a start finds it.
    func open() throws -> Journal { try Journal(path: "memory", pool: database, lock: nil) }

    /// Forgets everything, for another scenario.
    func empty() throws {
        try database.write { database in
            // From the tables that refer to others to those they refer to.
            for table in tables.reversed() {
                try database.execute(cached: "DELETE FROM \(table)")
            }
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
