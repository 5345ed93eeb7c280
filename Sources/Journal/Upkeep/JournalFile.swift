import Foundation
import GRDB
import Glibc
package import LightningTypes

/// A journal's file for those who only look: no lock, no migration, no row changed.
///
/// Works beside a running bridge and on a file that no bridge has. A long look keeps the log from
/// being emptied meanwhile. Calls block; for programs that have nothing else to do.
package struct JournalFile {
    /// The file, without symbolic links.
    package let path: String
    let database: DatabaseQueue

    /// Opens a file that is there.
    ///
    /// - Parameter path: The journal's file, or a backup's.
    /// - Throws: `pathUnusable`, `notAJournal`, `newerSchema` or `damaged`.
    package init(path: String) throws(JournalError) {
        self.path = try JournalFiles.resolve(path)
        guard access(self.path, R_OK) == 0 else {
            throw JournalError(
                .pathUnusable,
                "\(path): \(String(cString: strerror(errno)))",
                advice: "Pass the path of a bridge's journal, as a user who may read it"
            )
        }
        do {
            database = try DatabaseQueue(
                path: self.path,
                configuration: Self.configuration(path: self.path)
            )
        } catch {
            throw .from(error, path: path)
        }
    }

    /// Checks the whole file; takes about as long as reading it.
    ///
    /// - Parameter thoroughness: What to check.
    /// - Returns: What is wrong, at most 100 lines; empty when the file is sound.
    /// - Throws: ``JournalError`` when the check itself could not run.
    package func check(_ thoroughness: Thoroughness = .full) throws(JournalError) -> [String] {
        try read { try thoroughness.findings(in: $0) }
    }

    /// Copies the journal as it is now into a new file; see ``Journal/backUp(to:now:)``.
    ///
    /// - Parameters:
    ///   - file: A path where nothing is yet; the folder exists.
    ///   - now: The present time.
    /// - Throws: `pathUnusable` when something is there, `diskFull`, or another ``JournalError``.
    package func backUp(to file: String, now: UnixTime) throws(JournalError) {
        let backup = try Backup(to: file)
        do {
            let target = try DatabaseQueue(path: backup.partial)
            try target.writeWithoutTransaction {
                try Backup.copy(from: database, to: $0, now: now)
            }
            try target.close()
        } catch {
            throw backup.abandon(error)
        }
        try backup.finish()
    }

    /// What the journal holds, in numbers.
    ///
    /// - Returns: Counts and sizes at one point in time.
    /// - Throws: ``JournalError``.
    package func summary() throws(JournalError) -> JournalSummary {
        try read { try JournalSummary($0, path: path) }
    }

    func read<Value>(_ body: (Database) throws -> Value) throws(JournalError) -> Value {
        do {
            return try database.read(body)
        } catch {
            throw .from(error, path: path)
        }
    }

    private static func configuration(path: String) -> Configuration {
        var configuration = Configuration()
        configuration.label = "journal-file"
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try Schema.check(database, path: path)
            // An empty file passes the check of a journal about to be made.
            let owner = try Int32.fetchOne(database, sql: "PRAGMA application_id")
            guard owner == Schema.applicationID else {
                throw JournalError(.notAJournal, "\(path) is empty")
            }
            try database.execute(
                sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON"
            )
        }
        return configuration
    }
}
