import GRDB
import Synchronization

/// Copies the write-ahead log into the database beside the commits, and lets it begin anew.
///
/// SQLite would do it inside a commit, and everybody would wait for it. So a connection of its own
/// copies while commits go on. It does so in small pieces: a flush of many scattered pages holds up the
/// disk, and with it every commit. Only a log of which everything is copied begins anew, so from time
/// to time the writer copies the last bit itself, between two commits.
final class LogCopier: Sendable {
    /// When to copy, in pages.
    enum Bounds {
        /// How much is copied at once.
        static let piece = 256
        /// From which length on the log begins anew as soon as little is left to copy.
        static let log = 4_096
        /// From which on in any case: commits may come faster than they are copied.
        static let longLog = 16_384
    }

    private struct State {
        var isCopying = false
        /// How many pages were handed to the copier since the log began.
        var length = 0
    }

    private enum Action {
        case nothing
        case copy
        case finish
    }

    private let database: DatabaseQueue
    private let state = Mutex(State())

    /// Opens a connection of its own.
    ///
    /// - Parameter path: The journal's file, which is ready.
    /// - Throws: GRDB's errors.
    init(path: String) throws {
        var configuration = Configuration()
        configuration.label = "journal's log"
        database = try DatabaseQueue(path: path, configuration: configuration)
    }

    /// Does what is due; called between two commits.
    ///
    /// - Parameter writer: The connection that commits; its count of written pages is used up.
    func advance(_ writer: Database) {
        let pages = writer.pagesWritten
        let action: Action = state.withLock { state in
            if state.isCopying { return .nothing }
            let isLittle = pages <= Bounds.piece
            if state.length >= (isLittle ? Bounds.log : Bounds.longLog) {
                state.length = 0
                return .finish
            }
            guard pages >= Bounds.piece else { return .nothing }
            state.isCopying = true
            state.length += pages
            return .copy
        }
        switch action {
        case .nothing: return
        case .copy:
            database.asyncWriteWithoutTransaction { database in
                Self.copy(database)
                self.state.withLock { $0.isCopying = false }
            }
        case .finish: Self.copy(writer)
        }
        writer.forgetPagesWritten()
    }

    /// What a reader still needs, or a failing disk leaves, is copied the next time.
    private static func copy(_ database: Database) {
        _ = try? database.execute(cached: "PRAGMA wal_checkpoint(PASSIVE)")
    }

    /// Waits for what is being copied, and closes the connection.
    func close() async {
        await withCheckedContinuation { continuation in
            database.asyncWriteWithoutTransaction { _ in continuation.resume() }
        }
        try? database.close()
    }
}
