import Foundation
import GRDB
import Glibc
package import LightningTypes

extension Journal {
    /// How thorough ``check(_:)`` is.
    package enum Thoroughness: Sendable, CaseIterable {
        /// Every page, without comparing indexes with their tables.
        case quick
        /// Everything SQLite can check.
        case full
    }

    /// Checks the whole file while it is in use; takes about as long as reading it.
    ///
    /// - Parameter thoroughness: What to check.
    /// - Returns: What is wrong, at most 100 lines; empty when the file is sound.
    /// - Throws: ``JournalError`` when the check itself could not run.
    package func check(
        _ thoroughness: Thoroughness = .full
    ) async throws(JournalError) -> [String] {
        try await read { database in
            let pragma = thoroughness == .full ? "integrity_check" : "quick_check"
            var findings = try String.fetchAll(database, sql: "PRAGMA \(pragma)(100)")
            if findings == ["ok"] { findings = [] }
            for row in try Row.fetchAll(database, sql: "PRAGMA foreign_key_check") {
                guard findings.count < 100 else { break }
                findings.append("\(try row.text(0)) has a row whose \(try row.text(2)) is gone")
            }
            return findings
        }
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
        guard access(file, F_OK) != 0 else {
            throw JournalError(
                .pathUnusable,
                "\(file) exists",
                advice: "Name a file that does not exist yet"
            )
        }
        let partial = file + ".partial"
        unlink(partial)
        let descriptor = open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("open", partial, errno) }
        Glibc.close(descriptor)
        do {
            try await copy(to: partial, now: now)
        } catch {
            for suffix in ["", "-journal"] { unlink(partial + suffix) }
            throw error
        }
        guard rename(partial, file) == 0 else { throw .system("rename", file, errno) }
        try JournalFiles.flushFolder(of: file)
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

    private func copy(to partial: String, now: UnixTime) async throws(JournalError) {
        do {
            let source = pool
            // On the target's own queue: the copy blocks a thread of the database library's.
            let target = try DatabaseQueue(path: partial)
            try await target.writeWithoutTransaction { database in
                // From a reader's snapshot in one go: the writer goes on beside it.
                try source.read { try $0.backup(to: database) }
                // One file, no log beside it.
                try database.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA synchronous = 3")
                try database.execute(
                    cached: "INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)",
                    .text(JournalFiles.backupSetting),
                    .bytes(Array("\(now)".utf8))
                )
                let findings = try String.fetchAll(database, sql: "PRAGMA quick_check(1)")
                guard findings == ["ok"] else {
                    throw JournalError(.damaged, "the copy at \(partial): \(findings)")
                }
            }
            try target.close()
        } catch {
            throw .from(error, path: partial)
        }
    }
}

extension JournalFiles {
    /// Makes a new name in a folder survive a power failure.
    static func flushFolder(of file: String) throws(JournalError) {
        let folder = URL(filePath: file).deletingLastPathComponent().path(percentEncoded: false)
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open", folder, errno) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("fsync", folder, errno) }
    }
}
