import Foundation
import GRDB
import LightningTypes
import Synchronization

/// The bridge's memory: jobs with their outstanding effects, money, and what must outlive a crash.
///
/// One process writes (a lock sees to that), through one queue that gathers concurrent writes into
/// one transaction and one flush. Readers run beside it on connections of their own and see whole
/// transactions. States, effects, events and notices are opaque bytes. It reads no clock: times
/// come with the calls.
package final class Journal: Sendable {
    /// How far a commit goes before it is acknowledged.
    package enum Durability: String, Sendable, CaseIterable {
        /// Flushed to the disk.
        case full
        /// Handed to the system: a power failure may undo acknowledged steps. For benchmarks.
        case normal
    }

    /// How to open a journal.
    package struct Options: Sendable {
        /// How far a commit goes before it is acknowledged.
        package var durability: Durability
        /// The Lightning network's name as lnd says it: `mainnet`, `regtest`.
        package var network: String
        /// How many queries may run at once beside the writer.
        package var readers: Int

        /// Takes all options; the defaults are those for real money.
        package init(
            network: String = "mainnet",
            durability: Durability = .full,
            readers: Int = 4
        ) {
            self.network = network
            self.durability = durability
            self.readers = readers
        }
    }

    /// The journal's file, without symbolic links.
    package let path: String
    /// Whether this file was restored from a backup and ``reconciled()`` was not called since.
    ///
    /// Until then no payment may be intended: what was paid after the backup is known to lnd alone.
    package var isRestored: Bool { restored.isRestored }

    let pool: any DatabaseWriter
    let writer: BatchWriter
    let restored: RestoredFlag
    /// The jobs that may be there, those about to be committed among them; nil when any may.
    let knownJobs: Mutex<KnownKeys<JobKey>?>
    /// The same for clients' keys.
    let knownClientKeys: Mutex<KnownKeys<ClientKey.Name>?>
    private let copier: LogCopier?
    private let lock: Mutex<FileLock?>

    /// Opens a journal, or makes one, and brings it to the present schema.
    ///
    /// Every unresolved payment counts as attempted from here on: whether the call was made before
    /// the last process ended, nobody knows. Blocks while SQLite replays its log.
    ///
    /// - Parameters:
    ///   - path: The file; its folder exists. `-wal`, `-shm` and `.lock` stand beside it.
    ///   - options: Durability and network.
    /// - Throws: `lockedByAnotherProcess`, `newerSchema`, `notAJournal`, `durabilityRefused`,
    ///   `pathUnusable`, `diskFull`, `damaged` or `ioFailed`; the file is as it was.
    package convenience init(
        path: String,
        options: Options = Options()
    ) throws(JournalError) {
        try Self.check(options)
        let path = try JournalFiles.resolve(path)
        let lock = try FileLock(besides: path)
        try JournalFiles.checkRestored(path)
        try JournalFiles.prepare(path)
        let pool: DatabasePool
        let copier: LogCopier
        do {
            pool = try DatabasePool(
                path: path,
                configuration: Self.configuration(options, path: path)
            )
            try pool.writeWithoutTransaction { try Self.begin($0, options: options) }
            copier = try LogCopier(path: path)
            // The file's name too must survive a power failure.
            try JournalFiles.flushFolder(of: path)
        } catch {
            throw .from(error, path: path)
        }
        try self.init(path: path, pool: pool, lock: lock, copier: copier)
    }

    /// Takes up a database that is ready: of the present schema, and nobody else's.
    ///
    /// - Parameters:
    ///   - path: The file, for errors.
    ///   - pool: The database.
    ///   - lock: The right to write; nil for a database that others can't reach.
    ///   - copier: What copies the database's log; nil for a database without one.
    /// - Throws: `damaged` or `ioFailed`.
    init(
        path: String,
        pool: any DatabaseWriter,
        lock: consuming FileLock?,
        copier: LogCopier? = nil
    ) throws(JournalError) {
        do {
            try pool.writeWithoutTransaction { database in
                try database.execute(sql: "UPDATE payment SET attempted = 1 WHERE status = 0")
            }
            restored = RestoredFlag(try pool.read { try JournalFiles.isBackup($0) })
            // A damaged page among the names keeps nobody from starting; it is met when it is needed.
            knownJobs = Mutex(try? pool.read { try Self.knownJobs($0) })
            knownClientKeys = Mutex(try? pool.read { try Self.knownClientKeys($0) })
        } catch {
            throw .from(error, path: path)
        }
        self.path = path
        self.pool = pool
        self.lock = Mutex(lock)
        self.copier = copier
        writer = BatchWriter(pool: pool, path: path, copier: copier)
    }

    /// Commits what waits, takes nothing more, closes the file and lets go of the lock.
    ///
    /// Waits for queries under way. Not cancellable.
    ///
    /// - Throws: ``JournalError`` when the last checkpoint failed; nothing committed is lost.
    package func close() async throws(JournalError) {
        writer.close()
        // Behind every write that was accepted: none is left that begins a copy.
        await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { _ in continuation.resume() }
        }
        await copier?.close()
        await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { database in
                // The pool closes its readers last, and those can't empty the log.
                try? database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
                continuation.resume()
            }
        }
        do {
            try pool.close()
        } catch {
            throw .from(error, path: path)
        }
        lock.withLock { $0 = nil }
    }

    private static func check(_ options: Options) throws(JournalError) {
        let testNetworks = ["regtest", "simnet", "signet", "testnet", "testnet4"]
        guard options.durability == .full || testNetworks.contains(options.network) else {
            throw JournalError(
                .durabilityRefused,
                "durability \(options.durability.rawValue) on \(options.network)"
            )
        }
    }

    private static func configuration(_ options: Options, path: String) -> Configuration {
        var configuration = Configuration()
        configuration.label = "journal"
        configuration.foreignKeysEnabled = true
        configuration.maximumReaderCount = options.readers
        // The lock keeps other writers out; a backup tool may still hold the file for a moment.
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            // Before anything is changed, even the journal mode.
            try Schema.check(database, path: path)
            try database.execute(
                sql: """
                    PRAGMA trusted_schema = OFF;
                    PRAGMA cell_size_check = ON;
                    PRAGMA secure_delete = ON;
                    PRAGMA cache_size = -4096;
                    """
            )
        }
        return configuration
    }

    /// Sets what must hold for the writer and reads it back.
    private static func begin(_ database: Database, options: Options) throws {
        // Not in `prepareDatabase`: DatabasePool sets NORMAL after that has run.
        let level = options.durability == .full ? 2 : 1
        try database.execute(sql: "PRAGMA synchronous = \(level)")
        // The log is copied beside commits, not in them.
        try database.execute(
            sql: "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 33554432"
        )
        let expected = ["synchronous": "\(level)", "foreign_keys": "1", "journal_mode": "wal"]
        for (name, value) in expected {
            let present = try String.fetchOne(database, sql: "PRAGMA \(name)") ?? ""
            guard present == value else {
                throw JournalError(.ioFailed, "SQLite keeps \(name) at \(present), not \(value)")
            }
        }
        try Schema.migrate(database)
    }
}
