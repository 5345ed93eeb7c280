import Foundation
import GRDB
import Glibc
import Synchronization

/// The files of a journal: where they are and who may read them.
enum JournalFiles {
    /// The path without symbolic links, so that the lock is the same by whichever name.
    static func resolve(_ path: String) throws(JournalError) -> String {
        if let file = realPath(path) { return file }
        let url = URL(filePath: path)
        let folder = url.deletingLastPathComponent().path(percentEncoded: false)
        guard let folder = realPath(folder) else {
            throw .system("realpath", folder, errno)
        }
        return (folder == "/" ? "" : folder) + "/" + url.lastPathComponent
    }

    /// Makes the file readable and writable by its owner alone; SQLite gives `-wal` and `-shm` the
    /// same mode.
    ///
    /// Called under the lock and before SQLite has the file: closing a descriptor of ours later
    /// would end SQLite's own locks.
    static func prepare(_ path: String) throws(JournalError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("open", path, errno) }
        defer { Glibc.close(descriptor) }
        for (file, mode) in [(path, mode_t(0o600)), (path + "-wal", 0o600), (path + "-shm", 0o600)]
        where chmod(file, mode) != 0 && errno != ENOENT {
            throw .system("chmod", file, errno)
        }
    }

    /// Whether the file is a backup that was put in place of a journal.
    static func isBackup(_ database: Database) throws -> Bool {
        try database.exists("SELECT 1 FROM setting WHERE name = ?", .text(backupSetting))
    }

    /// Present in a backup, with the time of its making.
    static let backupSetting = "journal.backup"

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// Whether payments wait for the reconciliation after a restored backup.
final class RestoredFlag: Sendable {
    private let value: Mutex<Bool>

    init(_ isRestored: Bool) { value = Mutex(isRestored) }

    var isRestored: Bool { value.withLock { $0 } }

    func clear() { value.withLock { $0 = false } }
}
