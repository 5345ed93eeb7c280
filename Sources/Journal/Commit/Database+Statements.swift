import Foundation
import GRDB
import GRDBSQLite
import LightningTypes

// Statements are prepared once a connection and found again by their text.
extension Database {
    /// Runs a statement.
    ///
    /// - Returns: How many rows it changed.
    @discardableResult
    func execute(cached sql: String, _ arguments: DatabaseValue...) throws -> Int {
        let statement = try cachedStatement(sql: sql)
        try statement.execute(arguments: Self.bindings(arguments))
        return changesCount
    }

    /// The rows of a query, one at a time; a row is good until the next.
    func each(
        _ sql: String,
        _ arguments: DatabaseValue...,
        body: (Row) throws -> Void
    ) throws {
        let statement = try cachedStatement(sql: sql)
        let rows = try Row.fetchCursor(statement, arguments: Self.bindings(arguments))
        while let row = try rows.next() { try body(row) }
    }

    /// What `read` makes of the first row of a query; nil without one.
    func first<Value>(
        _ sql: String,
        _ arguments: DatabaseValue...,
        read: (Row) throws -> Value
    ) throws -> Value? {
        let statement = try cachedStatement(sql: sql)
        let rows = try Row.fetchCursor(statement, arguments: Self.bindings(arguments))
        return try rows.next().map(read)
    }

    /// Whether a query has a row.
    func exists(_ sql: String, _ arguments: DatabaseValue...) throws -> Bool {
        let statement = try cachedStatement(sql: sql)
        let rows = try Row.fetchCursor(statement, arguments: Self.bindings(arguments))
        return try rows.next() != nil
    }

    /// What a statement takes.
    ///
    /// GRDB converts a sequence of one type through a key path, which is looked up anew each time: a
    /// twentieth of a busy bridge's CPU.
    static func bindings(_ values: [DatabaseValue]) -> StatementArguments {
        StatementArguments(values.map { $0 as (any DatabaseValueConvertible)? })
    }
}

extension Database {
    /// How many pages were written to the log since ``forgetPagesWritten()``.
    var pagesWritten: Int { written(reset: false) }

    /// Counts pages from 0 again.
    func forgetPagesWritten() { _ = written(reset: true) }

    private func written(reset: Bool) -> Int {
        var (count, peak): (CInt, CInt) = (0, 0)
        // Fails for unknown counters only, and then the log is never copied by us but at the end.
        _ = sqlite3_db_status(
            sqliteConnection,
            SQLITE_DBSTATUS_CACHE_WRITE,
            &count,
            &peak,
            reset ? 1 : 0
        )
        return Int(count)
    }
}

// How our values stand in the tables.

extension DatabaseValue {
    static func bytes(_ bytes: [UInt8]) -> Self { Data(bytes).databaseValue }
    static func bytes(_ bytes: Bytes32) -> Self { Data(bytes.bytes).databaseValue }
    static func hash(_ hash: PaymentHash) -> Self { .bytes(hash.bytes) }
    static func peer(_ peer: NodeID) -> Self { Data(peer.bytes).databaseValue }
    static func role(_ role: JobKey.Role) -> Self { Int64(role.rawValue).databaseValue }
    static func text(_ text: String) -> Self { text.databaseValue }
    static func number(_ number: Int64) -> Self { number.databaseValue }
    static func number(_ number: Int) -> Self { number.databaseValue }
    static func small(_ number: UInt8) -> Self { Int64(number).databaseValue }
    /// Ids use all 64 bits; only equality matters.
    static func id(_ id: UInt64) -> Self { Int64(bitPattern: id).databaseValue }
    /// Counters, which never come near the sign bit: what is above stops there.
    static func counter(_ count: UInt64) -> Self { Int64(clamping: count).databaseValue }
    /// Times beyond the year 292 billion stop there.
    static func time(_ time: UnixTime) -> Self { Int64(clamping: time.seconds).databaseValue }
    static func time(_ time: UnixTime?) -> Self { time.map { .time($0) } ?? .null }
    /// Amounts are at most the total supply, which callers check with ``checked(_:)``.
    static func amount(_ amount: MilliSatoshi) -> Self {
        Int64(clamping: amount.msat).databaseValue
    }
}

extension MilliSatoshi {
    /// An amount that can exist.
    func checked() throws(JournalError) -> Self {
        guard self <= .totalSupply else {
            throw JournalError(.invalidStep, "\(self) is more than all bitcoin")
        }
        return self
    }
}

// GRDB's own typed subscripts end the process when a column holds another type, as a damaged file's
// may; these throw.
extension Row {
    func bytes(_ column: Int) throws(JournalError) -> [UInt8] {
        guard case .blob(let data) = value(column) else { throw .unreadable("blob") }
        return [UInt8](data)
    }

    func optionalBytes(_ column: Int) throws(JournalError) -> [UInt8]? {
        if case .null = value(column) { return nil }
        return try bytes(column)
    }

    func optionalNumber(_ column: Int) throws(JournalError) -> Int64? {
        switch value(column) {
        case .null: nil
        case .int64(let number): number
        default: throw .unreadable("number")
        }
    }

    func number(_ column: Int) throws(JournalError) -> Int64 {
        guard let number = try optionalNumber(column) else { throw .unreadable("number") }
        return number
    }

    func text(_ column: Int) throws(JournalError) -> String {
        guard case .string(let text) = value(column) else { throw .unreadable("text") }
        return text
    }

    func count(_ column: Int) throws(JournalError) -> UInt64 {
        UInt64(clamping: try number(column))
    }

    func id(_ column: Int) throws(JournalError) -> UInt64 {
        UInt64(bitPattern: try number(column))
    }

    func flag(_ column: Int) throws(JournalError) -> Bool { try number(column) != 0 }

    func small(_ column: Int) throws(JournalError) -> UInt8 {
        UInt8(clamping: try number(column))
    }

    func time(_ column: Int) throws(JournalError) -> UnixTime {
        UnixTime(seconds: try count(column))
    }

    func optionalTime(_ column: Int) throws(JournalError) -> UnixTime? {
        try optionalNumber(column).map { UnixTime(seconds: UInt64(clamping: $0)) }
    }

    func amount(_ column: Int) throws(JournalError) -> MilliSatoshi {
        MilliSatoshi(msat: try count(column))
    }

    func optionalAmount(_ column: Int) throws(JournalError) -> MilliSatoshi? {
        try optionalNumber(column).map { MilliSatoshi(msat: UInt64(clamping: $0)) }
    }

    func bytes32(_ column: Int) throws(JournalError) -> Bytes32 {
        guard let bytes = Bytes32(try bytes(column)) else { throw .unreadable("identifier") }
        return bytes
    }

    func hash(_ column: Int) throws(JournalError) -> PaymentHash {
        PaymentHash(try bytes32(column))
    }

    func peer(_ column: Int) throws(JournalError) -> NodeID {
        guard let peer = NodeID(try bytes(column)) else { throw .unreadable("node ID") }
        return peer
    }

    /// A job's role, peer and job_id, in three columns.
    func jobKey(_ column: Int) throws(JournalError) -> JobKey {
        guard let role = JobKey.Role(rawValue: try small(column)) else {
            throw .unreadable("role")
        }
        return JobKey(role: role, peer: try peer(column + 1), id: try bytes32(column + 2))
    }

    private func value(_ column: Int) -> DatabaseValue.Storage {
        (self[column] as DatabaseValue).storage
    }
}
