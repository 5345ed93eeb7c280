import GRDB
import GRDBSQLite
import Glibc

extension JournalError {
    /// What an error of SQLite's means to the caller.
    ///
    /// - Parameters:
    ///   - error: What a closure on the database threw.
    ///   - database: The connection, for the system's own error number behind SQLite's.
    ///   - path: The journal's file, for the detail.
    /// - Returns: The error itself when it was one of ours.
    static func from(_ error: any Error, on database: Database? = nil, path: String) -> Self {
        if let error = error as? JournalError { return error }
        if error is CancellationError { return JournalError(.cancelled, "a query of \(path)") }
        guard let error = error as? DatabaseError else {
            return JournalError(.ioFailed, "\(type(of: error)) at \(path)")
        }
        // Messages of SQLite's name tables and columns, never values.
        let text = error.message ?? "no message"
        let number = error.extendedResultCode.rawValue
        let detail = "\(path): SQLite says \(text) (\(number))"
        switch error.resultCode {
        case .SQLITE_FULL: return JournalError(.diskFull, detail)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: return JournalError(.damaged, detail)
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
            return JournalError(.pathUnusable, detail)
        case .SQLITE_BUSY, .SQLITE_LOCKED: return JournalError(.lockedByAnotherProcess, detail)
        case .SQLITE_MISUSE: return JournalError(.closed, detail)
        case .SQLITE_CONSTRAINT: return JournalError(.invalidStep, detail)
        case .SQLITE_IOERR:
            // SQLite knows ENOSPC alone as a full disk; a quota or a size limit is no other thing.
            let cause = database?.lastLogErrno
            return JournalError(cause == EFBIG || cause == EDQUOT ? .diskFull : .ioFailed, detail)
        default: return JournalError(.ioFailed, detail)
        }
    }

    /// A row that does not hold what the schema says.
    static func unreadable(_ what: StaticString) -> Self {
        JournalError(.damaged, "the journal has an unreadable \(what)")
    }
}

extension Database {
    /// What the system said when the last write to the log failed; nil when SQLite can't tell.
    ///
    /// `sqlite3_system_errno` is of no use: the rollback that follows has overwritten it.
    fileprivate var lastLogErrno: CInt? {
        // Both pointers belong to SQLite's pager, which lives as long as this connection. Errors are
        // translated on the connection's own queue, so nothing else uses it meanwhile; no pointer
        // outlives this call.
        var log: UnsafeMutablePointer<sqlite3_file>?
        let found = sqlite3_file_control(
            sqliteConnection,
            "main",
            SQLITE_FCNTL_JOURNAL_POINTER,
            &log
        )
        guard found == SQLITE_OK, let log, let methods = log.pointee.pMethods else { return nil }
        var number: CInt = 0
        let asked = methods.pointee.xFileControl?(log, SQLITE_FCNTL_LAST_ERRNO, &number)
        return asked == SQLITE_OK ? number : nil
    }
}
