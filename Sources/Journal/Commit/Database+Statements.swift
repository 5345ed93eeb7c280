import Foundation
import GRDB
import LightningTypes

// Statements are prepared once a connection and found again by their text.
extension Database {
    /// Runs a statement.
    ///
    /// - Returns: How many rows it changed.
    @discardableResult
    func execute(cached sql: String, _ arguments: DatabaseValue...) throws -> Int {
        let statement = try cachedStatement(sql: sql)
        try statement.execute(arguments: StatementArguments(arguments))
        return changesCount
    }

    /// The rows of a query, one at a time; a row is good until the next.
    func each(
        _ sql: String,
        _ arguments: DatabaseValue...,
        body: (Row) throws -> Void
    ) throws {
        let statement = try cachedStatement(sql: sql)
        let rows = try Row.fetchCursor(statement, arguments: StatementArguments(arguments))
        while let row = try rows.next() { try body(row) }
    }

    /// What `read` makes of the first row of a query; nil without one.
    func first<Value>(
        _ sql: String,
        _ arguments: DatabaseValue...,
        read: (Row) throws -> Value
    ) throws -> Value? {
        let statement = try cachedStatement(sql: sql)
        let rows = try Row.fetchCursor(statement, arguments: StatementArguments(arguments))
        return try rows.next().map(read)
    }

    /// Whether a query has a row.
    func exists(_ sql: String, _ arguments: DatabaseValue...) throws -> Bool {
        let statement = try cachedStatement(sql: sql)
        let rows = try Row.fetchCursor(statement, arguments: StatementArguments(arguments))
        return try rows.next() != nil
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
    static func amount(_ amount: MilliSatoshi) -> Self { Int64(clamping: amount.msat).databaseValue }
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

extension Row {
    func bytes(_ column: Int) -> [UInt8] { (self[column] as Data?).map([UInt8].init) ?? [] }
    func number(_ column: Int) -> Int64 { self[column] }
    func count(_ column: Int) -> UInt64 { UInt64(clamping: number(column)) }
    func id(_ column: Int) -> UInt64 { UInt64(bitPattern: number(column)) }
    func flag(_ column: Int) -> Bool { number(column) != 0 }
    func text(_ column: Int) -> String { self[column] }
    func small(_ column: Int) -> UInt8 { UInt8(clamping: number(column)) }
    func time(_ column: Int) -> UnixTime { UnixTime(seconds: count(column)) }
    func optionalTime(_ column: Int) -> UnixTime? {
        (self[column] as Int64?).map { UnixTime(seconds: UInt64(clamping: $0)) }
    }
    func amount(_ column: Int) -> MilliSatoshi { MilliSatoshi(msat: count(column)) }
    func optionalAmount(_ column: Int) -> MilliSatoshi? {
        (self[column] as Int64?).map { MilliSatoshi(msat: UInt64(clamping: $0)) }
    }

    func bytes32(_ column: Int) throws(JournalError) -> Bytes32 {
        guard let bytes = Bytes32(bytes(column)) else { throw .unreadable("identifier") }
        return bytes
    }

    func hash(_ column: Int) throws(JournalError) -> PaymentHash {
        PaymentHash(try bytes32(column))
    }

    func peer(_ column: Int) throws(JournalError) -> NodeID {
        guard let peer = NodeID(bytes(column)) else { throw .unreadable("node ID") }
        return peer
    }

    /// A job's role, peer and job_id, in three columns.
    func jobKey(_ column: Int) throws(JournalError) -> JobKey {
        guard let role = JobKey.Role(rawValue: small(column)) else { throw .unreadable("role") }
        return JobKey(role: role, peer: try peer(column + 1), id: try bytes32(column + 2))
    }
}
