import GRDB

extension Schema {
    /// Refuses what this program must not touch; changes nothing.
    ///
    /// - Parameters:
    ///   - database: A connection that has done nothing yet.
    ///   - path: For the detail.
    /// - Throws: `newerSchema`, `notAJournal`, or an error of SQLite's.
    static func check(_ database: Database, path: String) throws {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let owner = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
        if tables == 0 && version == 0 && owner == 0 { return }
        guard owner == applicationID else {
            throw JournalError(.notAJournal, "\(path) is a database of another program")
        }
        guard version <= Self.version else {
            throw JournalError(
                .newerSchema,
                "\(path) has schema \(version), this program knows \(Self.version)"
            )
        }
    }

    /// Brings the file to ``version``, one transaction a migration.
    static func migrate(_ database: Database) throws {
        let present = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        for (index, migration) in migrations.enumerated().dropFirst(present) {
            try database.inTransaction(.immediate) {
                try database.execute(sql: migration)
                try database.execute(sql: "PRAGMA application_id = \(applicationID)")
                try database.execute(sql: "PRAGMA user_version = \(index + 1)")
                return .commit
            }
        }
    }
}
