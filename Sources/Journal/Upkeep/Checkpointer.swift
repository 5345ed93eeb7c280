import GRDB
import Synchronization

/// Copies the log into the database beside the writer, so that no commit has to.
///
/// SQLite's own checkpoint runs inside the commit that finds the log long, and that commit and all
/// behind it wait for the copy and its flushes. This one holds nobody up, but can't begin the log
/// anew while commits follow without a pause; the writer's own, at a much longer log, then finds
/// little left to copy.
final class Checkpointer: Sendable {
    private struct State {
        var writes = 0
        var isRunning = false
    }

    /// Writes after which the log is worth copying: some megabytes.
    private static let interval = 1_024

    private let queue: DatabaseQueue
    private let state = Mutex(State())

    /// Opens a connection of its own.
    init(path: String) throws {
        var configuration = Configuration()
        configuration.label = "journal.checkpoint"
        configuration.prepareDatabase { database in
            // The database itself must survive a power failure before the log is written over.
            try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0")
        }
        queue = try DatabaseQueue(path: path, configuration: configuration)
    }

    /// Counts writes that were committed, and copies when there are enough.
    func wrote(_ count: Int) {
        let isDue = state.withLock { state in
            state.writes += count
            guard state.writes >= Self.interval, !state.isRunning else { return false }
            state.writes = 0
            state.isRunning = true
            return true
        }
        guard isDue else { return }
        queue.asyncWriteWithoutTransaction { database in
            // One that fails is tried again; the commits' own errors tell what is wrong.
            try? database.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)")
            self.state.withLock { $0.isRunning = false }
        }
    }

    /// Closes the connection, behind a copy that is under way.
    func close() throws { try queue.close() }
}
