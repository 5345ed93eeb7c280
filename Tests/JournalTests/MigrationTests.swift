import Foundation
import GRDB
import LightningTypes
import Testing

@testable import Journal

/// Files that older versions of the program have written.
@Suite struct MigrationTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A file as the program of a version left it, with a job, a sale and a purchase.
    private func write(version: Int) throws {
        let file = try DatabaseQueue(path: folder.journalPath)
        try file.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            for sql in Schema.migrations.prefix(version) { try database.execute(sql: sql) }
            try database.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
            try database.execute(sql: "PRAGMA user_version = \(version)")
            let job = Sample.job(1)
            try database.execute(
                sql: """
                    INSERT INTO job (id, role, peer, job_id, version, created_at, changed_at, state)
                    VALUES (7, 2, ?, ?, 3, 100, 120, x'0102')
                    """,
                arguments: [DatabaseValue.peer(job.peer), DatabaseValue.bytes(job.id)]
            )
            try database.execute(
                sql: """
                    INSERT INTO payment (hash, job, peer, job_id, status, attempted, amount, max_fee,
                        fee, not_after, intended_at, resolved_at, preimage, profile, instruction)
                    VALUES (?, 7, ?, ?, 1, 1, 1000, 10, 3, 900, 110, 115, ?, 'small', x'')
                    """,
                arguments: [
                    DatabaseValue.hash(Sample.hash(1)), DatabaseValue.peer(job.peer),
                    DatabaseValue.bytes(job.id), DatabaseValue.bytes(Sample.bytes32(9)),
                ]
            )
            for (role, number) in [(2, 1), (1, 2)] {
                try database.execute(
                    sql: """
                        INSERT INTO ledger (at, role, peer, job_id, profile, amount, fee, hash)
                        VALUES (115, \(role), ?, ?, 'small', 1000, 3, ?)
                        """,
                    arguments: [
                        DatabaseValue.peer(job.peer), DatabaseValue.bytes(Sample.bytes32(number)),
                        DatabaseValue.hash(Sample.hash(number)),
                    ]
                )
            }
        }
        try file.close()
    }

    @Test(arguments: 1..<Schema.version)
    func `a file of an older version is brought up to date and keeps its rows`(
        version: Int
    ) async throws {
        try write(version: version)
        let journal = try folder.open()
        #expect(try await journal.check().isEmpty)
        let job = try #require(try await journal.job(Sample.job(1)))
        #expect(job.summary.version == 3)
        #expect(job.state == [1, 2])
        #expect(job.payments == [Sample.hash(1): .succeeded])
        let ledger = try await journal.ledger(since: Sample.time(0))
        #expect(ledger.map(\.amount.msat) == [1000, 1000])
        #expect(ledger.map(\.fee.msat) == [3, 3])
        #expect(ledger.map(\.job.role) == [.requester, .provider])
        // What the older version sold was never cut.
        #expect(ledger.map(\.isCut) == [false, false])
        #expect(ledger.map(\.tokens) == [.none, .none])
        // And it takes what only the present version knows.
        let sale = Sample.job(3, role: .provider)
        try await journal.add(sale, facts: [.invoiceOpened(Sample.invoice(3))])
        try await journal.record(
            [
                .invoiceSettled(Sample.hash(3), paid: MilliSatoshi(msat: 1000)), .resultCut,
                .tokensCounted(TokenCount(input: 12, output: 34)),
            ],
            for: sale,
            at: Sample.time(200)
        )
        let sold = try await journal.ledger(since: Sample.time(200))
        #expect(sold.map(\.isCut) == [true])
        #expect(sold.map(\.tokens) == [TokenCount(input: 12, output: 34)])
        try await journal.close()
        let summary = try JournalFile(path: folder.journalPath).summary()
        #expect(summary.schemaVersion == UInt64(Schema.version))
    }

    @Test func `a new file has the same tables as one that was migrated`() async throws {
        try write(version: 1)
        try await folder.open().close()
        let fresh = folder.path + "/fresh"
        try await Journal(path: fresh, options: .init(network: "regtest")).close()
        func schema(_ path: String) throws -> [String] {
            try DatabaseQueue(path: path).read {
                try String.fetchAll($0, sql: "SELECT sql FROM sqlite_schema WHERE sql <> ''")
            }
        }
        #expect(try schema(folder.journalPath).sorted() == schema(fresh).sorted())
    }
}
