import GRDB
package import LightningTypes

extension Journal {
    /// Checks the whole file while it is in use; takes about as long as reading it.
    ///
    /// - Parameter thoroughness: What to check.
    /// - Returns: What is wrong, at most 100 lines; empty when the file is sound.
    /// - Throws: ``JournalError`` when the check itself could not run.
    package func check(
        _ thoroughness: Thoroughness = .full
    ) async throws(JournalError) -> [String] {
        try await read { try thoroughness.findings(in: $0) }
    }

    /// Copies the journal as it is now into a new file, while it is in use.
    ///
    /// The file appears whole or not at all, readable by its owner alone. Put in a journal's place
    /// it opens as ``isRestored``. What happened after `now` is missing there, payments above all.
    ///
    /// - Parameters:
    ///   - file: A path where nothing is yet; the folder exists.
    ///   - now: The bridge's clock.
    /// - Throws: `pathUnusable` when something is there, `diskFull`, or another ``JournalError``.
    package func backUp(to file: String, now: UnixTime) async throws(JournalError) {
        let source = pool
        let backup = try Backup(to: file)
        do {
            // On the target's own queue: the copy blocks a thread of the database library's.
            let target = try DatabaseQueue(path: backup.partial)
            try await target.writeWithoutTransaction {
                try Backup.copy(from: source, to: $0, now: now)
            }
            try target.close()
        } catch {
            throw backup.abandon(error)
        }
        try backup.finish()
    }

    /// Moves what is in the log into the file and empties the log.
    ///
    /// After that no deleted prompt or result is left in any of the journal's files. Waits up to
    /// five seconds for queries under way; steps wait meanwhile.
    ///
    /// - Returns: Whether the log is empty; not while a query lasts longer.
    /// - Throws: ``JournalError``.
    package func emptyLog() async throws(JournalError) -> Bool {
        do {
            return try await pool.writeWithoutTransaction { database in
                try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
                    .map { try $0.number(0) == 0 } ?? false
            }
        } catch {
            throw .from(error, path: path)
        }
    }

    /// Lets payments begin again after a restored backup: those since are known to be in the books.
    ///
    /// - Throws: ``JournalError``.
    package func reconciled() async throws(JournalError) {
        try await keep(nil, asSetting: JournalFiles.backupSetting)
        restored.clear()
    }
}
