import Foundation
import GRDB
import Glibc
import LightningTypes

/// A copy of a journal in the making: a file that appears whole or not at all.
struct Backup {
    /// Where it shall be.
    let file: String
    /// Where it grows.
    let partial: String

    /// Makes an empty file beside the target, readable by its owner alone.
    init(to file: String) throws(JournalError) {
        guard access(file, F_OK) != 0 else {
            throw JournalError(
                .pathUnusable,
                "\(file) exists",
                advice: "Name a file that does not exist yet"
            )
        }
        try self.init(replacing: file)
    }

    /// The same for a target that may be there, and must be out of the way before ``finish()``.
    init(replacing file: String) throws(JournalError) {
        self.file = file
        partial = file + ".partial"
        unlink(partial)
        let descriptor = open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("open", partial, errno) }
        Glibc.close(descriptor)
    }

    /// Copies everything, marks the copy as one, and looks whether it is sound.
    ///
    /// A copy of a backup keeps the older time: what happened since then is unknown to both.
    static func copy(
        from source: any DatabaseReader,
        to database: Database,
        now: UnixTime
    ) throws {
        // From a reader's snapshot in one go: the writer goes on beside it.
        try source.read { try $0.backup(to: database) }
        // One file, no log beside it.
        try database.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA synchronous = 3")
        try database.execute(
            cached: "INSERT OR IGNORE INTO setting (name, value) VALUES (?, ?)",
            .text(JournalFiles.backupSetting),
            .bytes(Array("\(now)".utf8))
        )
        let findings = try Thoroughness.quick.findings(in: database)
        guard findings.isEmpty else {
            throw JournalError(.damaged, "the copy: \(findings[0])")
        }
    }

    /// Removes what there is.
    ///
    /// - Returns: The error, in our words.
    func abandon(_ error: any Error) -> JournalError {
        for suffix in ["", "-journal"] { unlink(partial + suffix) }
        return .from(error, path: partial)
    }

    /// Gives the copy its name, for good.
    func finish() throws(JournalError) {
        guard rename(partial, file) == 0 else { throw .system("rename", file, errno) }
        try JournalFiles.flushFolder(of: file)
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
