import BusClient
import Foundation
import GRDB
import Glibc
import LightningTypes
import Synchronization

/// What keys have spent and reserved, on disk: an SQLite file beside that of the keys.
///
/// The bridge knows the gateway as one client: its jobs and its ledger have no key of ours, and it
/// must not learn of them, since budgets within the gateway are the gateway's own affair and never
/// more than the bridge's. So what a job may cost is on disk here before the bridge is told to pay,
/// and the bridge says afterwards what it did cost (``Reservation/outcome(_:at:)``). A gateway that
/// dies in between leaves a reservation, which counts in full until the bridge was asked.
///
/// Changes that come while the disk flushes share the next transaction and its flush. What nobody
/// waits for is written a moment later, many at once: mostly it is the bridge's disk too, and each
/// flush holds its jobs up.
final class SpendingStore: Sendable {
    /// What is kept.
    enum Change: Sendable {
        /// A reservation, new or larger than before.
        case reserve(Reservation)
        /// What one came to.
        case settle(Settlement)
    }

    private struct Waiting {
        var change: Change
        var done: @Sendable (Result<Void, KeyRingError>) -> Void
    }

    private struct Queue {
        var waiting: [Waiting] = []
        var isDraining = false
        /// Whether a time is set for what nobody waits for.
        var isPlanned = false
    }

    /// How long a change that nobody waits for waits for others.
    private static let moment = DispatchTimeInterval.milliseconds(100)

    private let path: String
    private let database: DatabaseQueue
    private let lock: Lock
    private let queue = Mutex(Queue())

    /// Opens the file, or makes one.
    ///
    /// - Parameter keys: The file of the keys.
    /// - Throws: ``KeyRingError`` `lockedByAnotherProcess` or `unreadable`.
    init(besides keys: KeyFile) throws(KeyRingError) {
        path = Self.path(besides: keys)
        lock = try Lock(path + ".lock")
        // SQLite gives the files beside it the same mode.
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            throw KeyRingError(.unreadable, "open \(path): \(String(cString: strerror(errno)))")
        }
        Glibc.close(file)
        do {
            database = try DatabaseQueue(path: path)
            try database.writeWithoutTransaction { try Self.begin($0) }
        } catch {
            throw .from(error, .unreadable, path)
        }
    }

    /// Reads what is on disk.
    ///
    /// - Returns: The book of the process before.
    /// - Throws: ``KeyRingError`` `unreadable`.
    func book() throws(KeyRingError) -> SpendingBook { try Self.book(database, path) }

    static func book(besides keys: KeyFile) throws(KeyRingError) -> SpendingBook {
        let path = path(besides: keys)
        guard access(path, F_OK) == 0 else { return SpendingBook() }
        var configuration = Configuration()
        configuration.readonly = true
        do {
            return try book(try DatabaseQueue(path: path, configuration: configuration), path)
        } catch {
            throw .from(error, .unreadable, path)
        }
    }

    /// Keeps a change; it is on disk when this returns.
    ///
    /// - Parameter change: The change.
    /// - Throws: ``KeyRingError`` `notWritten`.
    func keep(_ change: Change) async throws(KeyRingError) {
        let result = await withCheckedContinuation { continuation in
            let waiting = Waiting(change: change) { continuation.resume(returning: $0) }
            queue.withLock { $0.waiting.append(waiting) }
            drain()
        }
        try result.get()
    }

    /// Keeps a change in its turn, a moment later, and does not wait for that.
    ///
    /// - Parameters:
    ///   - change: The change.
    ///   - failed: Called when it could not be kept.
    func keepLater(_ change: Change, failed: @escaping @Sendable (KeyRingError) -> Void) {
        let waiting = Waiting(change: change) { result in
            if case .failure(let error) = result { failed(error) }
        }
        let mustPlan = queue.withLock { queue in
            queue.waiting.append(waiting)
            defer { queue.isPlanned = true }
            return !queue.isPlanned
        }
        guard mustPlan else { return }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.moment) {
            self.queue.withLock { $0.isPlanned = false }
            self.drain()
        }
    }

    /// Waits until everything is on disk, and closes the file.
    func close() async {
        drain()
        await withCheckedContinuation { continuation in
            database.asyncWriteWithoutTransaction { _ in continuation.resume() }
        }
        try? database.close()
        lock.release()
    }

    // MARK: - Writing

    /// Writes what waits, unless that is being done.
    private func drain() {
        let mustBegin = queue.withLock { queue in
            guard !queue.waiting.isEmpty, !queue.isDraining else { return false }
            queue.isDraining = true
            return true
        }
        // On the database library's own queue: nothing of ours blocks.
        if mustBegin { database.asyncWriteWithoutTransaction { self.drain($0) } }
    }

    private func drain(_ database: Database) {
        while true {
            let batch = queue.withLock { queue in
                defer { queue.waiting = [] }
                queue.isDraining = !queue.waiting.isEmpty
                return queue.waiting
            }
            guard !batch.isEmpty else { return }
            let result = write(batch.map(\.change), database)
            for waiting in batch { waiting.done(result) }
        }
    }

    private func write(_ changes: [Change], _ database: Database) -> Result<Void, KeyRingError> {
        do {
            try database.inTransaction(.immediate) {
                for change in changes { try change.write(to: database) }
                return .commit
            }
            return .success(())
        } catch {
            return .failure(.from(error, .notWritten, path))
        }
    }

    // MARK: - File

    private static func path(besides keys: KeyFile) -> String { keys.path + ".spending" }

    private static let version = 1

    private static func begin(_ database: Database) throws {
        try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        switch try Int.fetchOne(database, sql: "PRAGMA user_version") {
        case version: break
        case 0: try database.execute(sql: schema)
        default: throw KeyRingError(.unreadable, "the spending was written by a newer lcp-gateway")
        }
    }

    /// The tables: times are Unix seconds and minutes, amounts msat.
    ///
    /// Minute 0 has what is older than a day.
    private static let schema = """
        BEGIN;
        CREATE TABLE reservation (
            submission BLOB NOT NULL PRIMARY KEY,
            key TEXT NOT NULL,
            msat INTEGER NOT NULL CHECK (msat >= 0),
            since INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE spent (
            key TEXT NOT NULL,
            minute INTEGER NOT NULL,
            msat INTEGER NOT NULL CHECK (msat >= 0),
            PRIMARY KEY (key, minute)
        ) STRICT, WITHOUT ROWID;
        PRAGMA user_version = \(version);
        COMMIT;
        """

    private static func book(
        _ database: DatabaseQueue,
        _ path: String
    ) throws(KeyRingError) -> SpendingBook {
        do {
            return try database.read { database in
                var book = SpendingBook()
                let spent = try Row.fetchCursor(
                    database,
                    sql: "SELECT key, minute, msat FROM spent"
                )
                while let row = try spent.next() {
                    guard let key = KeyID(row[0] as String) else { throw damage(path) }
                    let amount = MilliSatoshi(msat: UInt64(bitPattern: row[2] as Int64))
                    book.restore(amount, of: key, in: UInt64(bitPattern: row[1] as Int64))
                }
                let reserved = try Row.fetchCursor(
                    database,
                    sql: "SELECT submission, key, msat, since FROM reservation"
                )
                while let row = try reserved.next() {
                    guard let submission = SubmissionKey([UInt8](row[0] as Data)),
                        let key = KeyID(row[1] as String)
                    else { throw damage(path) }
                    book.restore(
                        Reservation(
                            key: key,
                            submission: submission,
                            amount: MilliSatoshi(msat: UInt64(bitPattern: row[2] as Int64)),
                            since: UnixTime(seconds: UInt64(bitPattern: row[3] as Int64))
                        )
                    )
                }
                return book
            }
        } catch {
            throw .from(error, .unreadable, path)
        }
    }

    private static func damage(_ path: String) -> KeyRingError {
        KeyRingError(.unreadable, "\(path) has a row that is not a key's")
    }
}

extension SpendingBook {
    /// Reads what is on disk, also while a gateway writes there.
    ///
    /// - Parameter keys: The file of the keys.
    /// - Throws: ``KeyRingError`` `unreadable`; before the first gateway the book is empty.
    package init(besides keys: KeyFile) throws(KeyRingError) {
        self = try SpendingStore.book(besides: keys)
    }
}

extension SpendingStore.Change {
    fileprivate func write(to database: Database) throws {
        switch self {
        case .reserve(let reservation):
            try database.execute(
                cached: """
                    INSERT INTO reservation (submission, key, msat, since) VALUES (?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET msat = max(msat, excluded.msat)
                    """,
                arguments: [
                    Data(reservation.submission.bytes), reservation.key.description,
                    Int64(clamping: reservation.amount.msat),
                    Int64(clamping: reservation.since.seconds),
                ]
            )
        case .settle(let settlement):
            try database.execute(
                cached: "DELETE FROM reservation WHERE submission = ?",
                arguments: [Data(settlement.submission.bytes)]
            )
            guard settlement.spent > .zero else { return }
            let key = settlement.key.description
            let minute = Int64(clamping: settlement.minute)
            try Self.add(Int64(clamping: settlement.spent.msat), to: minute, of: key, database)
            let old = minute - Int64(SpendingBook.minutesPerDay)
            let sum = try Int64.fetchOne(
                database.cachedStatement(
                    sql: "SELECT sum(msat) FROM spent WHERE key = ? AND minute > 0 AND minute < ?"
                ),
                arguments: [key, old]
            )
            guard let sum else { return }
            try database.execute(
                cached: "DELETE FROM spent WHERE key = ? AND minute > 0 AND minute < ?",
                arguments: [key, old]
            )
            try Self.add(sum, to: 0, of: key, database)
        }
    }

    private static func add(
        _ msat: Int64,
        to minute: Int64,
        of key: String,
        _ database: Database
    ) throws {
        try database.execute(
            cached: """
                INSERT INTO spent (key, minute, msat) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET msat = msat + excluded.msat
                """,
            arguments: [key, minute, msat]
        )
    }
}

extension Database {
    /// Executes a statement that is prepared once.
    fileprivate func execute(cached sql: String, arguments: StatementArguments) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }
}

/// The right to be the only gateway that counts, for as long as the process lives.
private final class Lock: Sendable {
    private let descriptor: CInt

    init(_ path: String) throws(KeyRingError) {
        descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw KeyRingError(.unreadable, "open \(path): \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            Glibc.close(descriptor)
            throw KeyRingError(.lockedByAnotherProcess, "\(path) is held by another lcp-gateway")
        }
    }

    func release() { flock(descriptor, LOCK_UN) }

    deinit { Glibc.close(descriptor) }
}

extension KeyRingError {
    /// What an error of SQLite's means here.
    fileprivate static func from(_ error: any Error, _ code: Code, _ path: String) -> Self {
        if let error = error as? KeyRingError { return error }
        // Messages of SQLite's name tables and columns, never values.
        let text = (error as? DatabaseError)?.message ?? "\(type(of: error))"
        return KeyRingError(code, "\(path): SQLite says \(text)")
    }
}
