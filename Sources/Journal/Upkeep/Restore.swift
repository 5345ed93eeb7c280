import Foundation
import GRDB
import Glibc
package import LightningTypes

/// What a restore has put in a journal's place.
package struct Restored: Hashable, Sendable {
    /// Where the file that was there before is kept; nil when there was none.
    package var replaced: String?
    /// When the backup was made; payments since then are unknown to the restored journal.
    package var backedUpAt: UnixTime
}

extension JournalFile {
    /// Puts a copy of this file in a journal's place, while no bridge has it.
    ///
    /// The copy opens as ``Journal/isRestored``, also when this file is a plain copy and no backup.
    /// The file that was there keeps its contents under another name. A call that was interrupted
    /// leaves a journal that no bridge opens; calling again finishes it.
    ///
    /// - Parameters:
    ///   - journal: The journal's path; its folder exists.
    ///   - now: The present time, for the name of the replaced file.
    /// - Returns: What was put there.
    /// - Throws: `lockedByAnotherProcess` while a bridge runs, `damaged` when this file is,
    ///   `otherJournal` when the one there is another node's, `diskFull` or `pathUnusable`; the
    ///   journal is as it was.
    package func restore(
        to journal: String,
        now: UnixTime
    ) throws(JournalError) -> Restored {
        let journal = try JournalFiles.resolve(journal)
        guard journal != path else {
            throw JournalError(
                .pathUnusable,
                "\(path) is the journal itself",
                advice: "Name the backup first, then the journal"
            )
        }
        let lock = try FileLock(besides: journal)
        defer { withExtendedLifetime(lock) {} }
        if let finding = try check(.full).first {
            throw JournalError(.damaged, "\(path): \(finding)", advice: "Restore another backup")
        }
        try checkOwner(of: journal)
        let since = try backedUpAt()
        let copy = try Backup(replacing: journal)
        do {
            let target = try DatabaseQueue(path: copy.partial)
            try target.writeWithoutTransaction {
                try Backup.copy(from: database, to: $0, now: since)
            }
            try target.close()
        } catch {
            throw copy.abandon(error)
        }
        JournalFiles.giveToOwner(of: journal, copy.partial, journal + ".lock")
        try JournalFiles.mark(JournalFiles.restoring(journal))
        let replaced = try JournalFiles.setAside(journal, now: now)
        try copy.finish()
        try JournalFiles.unmark(JournalFiles.restoring(journal))
        return Restored(replaced: replaced, backedUpAt: since)
    }

    /// When what this file holds was the present.
    ///
    /// For a plain copy, when its last job changed: that is too early if anything, and what is
    /// compared with lnd twice is in the books once.
    private func backedUpAt() throws(JournalError) -> UnixTime {
        let summary = try summary()
        return summary.backedUpAt ?? summary.changedAt ?? UnixTime(seconds: 0)
    }

    /// Refuses when the journal that is there is another node's.
    private func checkOwner(of journal: String) throws(JournalError) {
        // A damaged journal is what restores are for; the bridge compares its node with lnd's.
        guard access(journal, F_OK) == 0, let present = try? JournalFile(path: journal),
            let theirs = try? present.owner(), let ours = try owner()
        else { return }
        guard theirs == ours else {
            throw JournalError(.otherJournal, "\(path) and \(journal) are of two nodes")
        }
    }

    /// Whose journal it is, as the bridge keeps it; nil before lnd was ever reached.
    private func owner() throws(JournalError) -> [UInt8]? {
        try read { database in
            try database.first(
                "SELECT value FROM setting WHERE name = ?",
                .text(Journal.ownerSetting)
            ) { try $0.bytes(0) }
        }
    }
}

extension Journal {
    /// The setting that says whose node the journal is; compared before a backup replaces it.
    package static let ownerSetting = "bridge.node"
}

extension JournalFiles {
    /// Stands beside a journal while a backup takes its place; what is there meanwhile is no journal
    /// or half of one.
    static func restoring(_ journal: String) -> String { journal + ".restoring" }

    /// Refuses a journal whose restore was interrupted.
    static func checkRestored(_ journal: String) throws(JournalError) {
        guard access(restoring(journal), F_OK) == 0 else { return }
        throw JournalError(
            .damaged,
            "a restore of \(journal) was interrupted",
            advice: "Run lcp journal restore again"
        )
    }

    fileprivate static func mark(_ file: String) throws(JournalError) {
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("open", file, errno) }
        Glibc.close(descriptor)
        try flushFolder(of: file)
    }

    fileprivate static func unmark(_ file: String) throws(JournalError) {
        guard unlink(file) == 0 else { throw .system("unlink", file, errno) }
        try flushFolder(of: file)
    }

    /// Gives a journal's files another name, log and all.
    ///
    /// - Returns: The new name; nil when there was no journal.
    fileprivate static func setAside(
        _ journal: String,
        now: UnixTime
    ) throws(JournalError) -> String? {
        var (name, number) = ("\(journal).replaced-\(now)", 1)
        while ["", "-wal"].contains(where: { access(name + $0, F_OK) == 0 }) {
            number += 1
            name = "\(journal).replaced-\(now)-\(number)"
        }
        let isThere = access(journal, F_OK) == 0
        for suffix in ["", "-wal", "-shm"] where rename(journal + suffix, name + suffix) != 0 {
            guard errno == ENOENT else { throw .system("rename", journal + suffix, errno) }
        }
        return isThere ? name : nil
    }

    /// Lets the bridge's user keep what root restores: the folder's owner gets the files.
    fileprivate static func giveToOwner(of journal: String, _ files: String...) {
        let folder = URL(filePath: journal).deletingLastPathComponent().path(percentEncoded: false)
        var status = stat()
        guard geteuid() == 0, stat(folder, &status) == 0 else { return }
        // Without the right to do it, the bridge will say that it can't open the file.
        for file in files { _ = lchown(file, status.st_uid, status.st_gid) }
    }
}
