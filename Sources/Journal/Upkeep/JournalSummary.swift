import Foundation
import GRDB
package import LightningTypes

/// A journal in numbers: no job, peer or content is named.
package struct JournalSummary: Hashable, Sendable {
    /// The schema's version; the present program writes ``Schema/version``.
    package var schemaVersion: UInt64
    /// The file's size in bytes.
    package var fileBytes: UInt64
    /// The size of the log beside it in bytes; 0 without one.
    package var logBytes: UInt64
    /// When it was copied, if it is a backup whose payments are not reconciled yet.
    package var backedUpAt: UnixTime?
    /// Jobs that are not at their end, parked ones included.
    package var openJobs: UInt64
    /// Jobs set aside after too many failed attempts.
    package var parkedJobs: UInt64
    /// Jobs at their end whose retention is not over.
    package var finishedJobs: UInt64
    /// When a job changed last; nil without jobs.
    package var changedAt: UnixTime?
    /// Invoices that may still be paid.
    package var openInvoices: UInt64
    /// Payments that may still succeed.
    package var unresolvedPayments: UInt64
    /// What those reserve, fees included.
    package var reserved: MilliSatoshi
    /// Lines of the ledger.
    package var ledgerEntries: UInt64

    init(_ database: Database, path: String) throws {
        func number(_ sql: String) throws -> UInt64 {
            try database.first(sql) { try $0.count(0) } ?? 0
        }
        schemaVersion = try number("PRAGMA user_version")
        fileBytes = Self.size(path)
        logBytes = Self.size(path + "-wal")
        let backedUp = try database.first(
            "SELECT value FROM setting WHERE name = ?",
            .text(JournalFiles.backupSetting)
        ) { String(decoding: try $0.bytes(0), as: UTF8.self) }
        backedUpAt = backedUp.flatMap(UInt64.init).map(UnixTime.init(seconds:))
        openJobs = try number("SELECT count(*) FROM job WHERE finished_at IS NULL")
        parkedJobs = try number("SELECT count(*) FROM job WHERE parked")
        finishedJobs = try number("SELECT count(*) FROM job WHERE finished_at IS NOT NULL")
        changedAt =
            try database.first("SELECT max(changed_at) FROM job") {
                try $0.optionalTime(0)
            } ?? nil
        openInvoices = try number("SELECT count(*) FROM invoice WHERE state = 0")
        unresolvedPayments = try number("SELECT count(*) FROM payment WHERE status = 0")
        reserved = MilliSatoshi(
            msat: try number(
                "SELECT coalesce(sum(amount + max_fee), 0) FROM payment WHERE status = 0"
            )
        )
        ledgerEntries = try number("SELECT count(*) FROM ledger")
    }

    private static func size(_ path: String) -> UInt64 {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return attributes?[.size] as? UInt64 ?? 0
    }
}
