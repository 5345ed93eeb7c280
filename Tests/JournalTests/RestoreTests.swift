import Foundation
import GRDB
import LightningTypes
import Testing

@testable import Journal

/// A backup in a journal's place, and what lnd knows and the backup does not.
@Suite struct RestoreTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var backup: String { folder.path + "/backup" }

    /// A journal with one job, a backup of it, and a second job since.
    private func prepare(owner: [UInt8] = [1, 2, 3]) async throws {
        let journal = try folder.open()
        try await journal.keep(owner, asSetting: Journal.ownerSetting)
        try await journal.add(Sample.job(1))
        try await journal.backUp(to: backup, now: Sample.time(500))
        try await journal.add(Sample.job(2))
        try await journal.close()
    }

    @Test func `a restored backup is in place and what was there is kept`() async throws {
        try await prepare()
        let restored = try JournalFile(path: backup)
            .restore(to: folder.journalPath, now: Sample.time(900))
        #expect(restored.backedUpAt == Sample.time(500))
        let replaced = try #require(restored.replaced)
        #expect(try JournalFile(path: replaced).summary().openJobs == 2)
        let journal = try folder.open()
        #expect(journal.isRestored)
        #expect(try await journal.restoredFrom() == Sample.time(500))
        #expect(try await journal.job(Sample.job(1)) != nil)
        #expect(try await journal.job(Sample.job(2)) == nil)
        let mode = try FileManager.default
            .attributesOfItem(atPath: folder.journalPath)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        // The backup can be restored again.
        try await journal.close()
        #expect(try JournalFile(path: backup).summary().backedUpAt == Sample.time(500))
    }

    @Test func `a log that was left beside the journal goes with it`() async throws {
        try await prepare()
        // A bridge that was killed leaves its log; played onto a backup it would destroy it.
        let log = Data(repeating: 7, count: 4_152)
        try log.write(to: URL(filePath: folder.journalPath + "-wal"))
        let restored = try JournalFile(path: backup)
            .restore(to: folder.journalPath, now: Sample.time(900))
        let replaced = try #require(restored.replaced)
        #expect(try Data(contentsOf: URL(filePath: replaced + "-wal")) == log)
        let journal = try folder.open()
        #expect(try await journal.check().isEmpty)
        #expect(try await journal.jobCounts().open == 1)
    }

    @Test func `nothing is restored while a bridge has the journal`() async throws {
        try await prepare()
        let journal = try folder.open()
        let refused = await code {
            try JournalFile(path: backup).restore(to: folder.journalPath, now: Sample.time(900))
        }
        #expect(refused == .lockedByAnotherProcess)
        #expect(try await journal.jobCounts().open == 2)
        #expect(!journal.isRestored)
    }

    @Test func `a backup of another node's journal is refused`() async throws {
        try await prepare()
        let other = try Journal(path: folder.path + "/other", options: .init(network: "regtest"))
        try await other.keep([9], asSetting: Journal.ownerSetting)
        try await other.backUp(to: folder.path + "/others", now: Sample.time(500))
        let refused = await code {
            try JournalFile(path: folder.path + "/others")
                .restore(to: folder.journalPath, now: Sample.time(900))
        }
        #expect(refused == .otherJournal)
        let journal = try folder.open()
        #expect(try await journal.jobCounts().open == 2)
    }

    @Test func `a damaged journal is replaced, and a damaged backup is not restored`() async throws
    {
        try await prepare()
        let good = try Data(contentsOf: URL(filePath: folder.journalPath))
        try Data(repeating: 0x61, count: 8_192).write(to: URL(filePath: folder.journalPath))
        let refused = await code {
            try JournalFile(path: folder.journalPath)
                .restore(to: folder.path + "/elsewhere", now: Sample.time(900))
        }
        #expect(refused == .damaged)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/elsewhere"))
        _ = try JournalFile(path: backup).restore(to: folder.journalPath, now: Sample.time(900))
        let journal = try folder.open()
        #expect(try await journal.jobCounts().open == 1)
        #expect(!good.isEmpty)
    }

    @Test func `no bridge opens what an interrupted restore left, and a second one finishes it`()
        async throws
    {
        try await prepare()
        let marker = JournalFiles.restoring(try JournalFiles.resolve(folder.journalPath))
        try Data().write(to: URL(filePath: marker))
        // At the worst moment: the old files have other names, the new one is not there.
        try FileManager.default.removeItem(atPath: folder.journalPath)
        let error = #expect(throws: JournalError.self) { try folder.open() }
        #expect(error?.code == .damaged)
        #expect(error?.advice.contains("restore again") == true)
        #expect(!FileManager.default.fileExists(atPath: folder.journalPath))
        _ = try JournalFile(path: backup).restore(to: folder.journalPath, now: Sample.time(900))
        let journal = try folder.open()
        #expect(journal.isRestored)
    }

    @Test func `a plain copy is restored as a backup of when its last job changed`() async throws {
        try await prepare()
        let copy = folder.path + "/copy"
        try FileManager.default.copyItem(atPath: folder.journalPath, toPath: copy)
        let restored = try JournalFile(path: copy)
            .restore(to: folder.journalPath, now: Sample.time(900))
        #expect(restored.backedUpAt == Sample.time(100))
        #expect(try folder.open().isRestored)
    }

    @Test func `a backup of a journal that is not reconciled keeps the older time`() async throws {
        try await prepare()
        let restored = try Journal(path: backup, options: .init(network: "regtest"))
        let second = folder.path + "/second"
        try await restored.backUp(to: second, now: Sample.time(800))
        #expect(try JournalFile(path: second).summary().backedUpAt == Sample.time(500))
    }

    // MARK: - What lnd knows

    private func movement(_ number: Int, at: UInt64, peer: Int = 1) -> UnattributedMovement {
        UnattributedMovement(
            role: .requester,
            hash: Sample.hash(number),
            peer: Sample.peer(peer),
            amount: MilliSatoshi(msat: 1_000),
            fee: MilliSatoshi(msat: 5),
            at: Sample.time(at),
            preimage: Sample.preimage(number)
        )
    }

    private func intend(_ number: Int, for job: JobKey, in journal: Journal) async throws {
        try await journal.record(
            [.paymentIntended(Sample.intent(number), check: Sample.noLimit)],
            for: job,
            at: Sample.time(700)
        )
    }

    @Test func `what lnd paid since the backup is booked once and counts in the budgets`()
        async throws
    {
        let journal = try folder.open()
        let movements = [movement(1, at: 600), movement(2, at: 601)]
        #expect(try await journal.book(movements) == 2)
        #expect(try await journal.book(movements) == 0)
        let received = UnattributedMovement(
            role: .provider,
            hash: Sample.hash(3),
            peer: Sample.peer(9),
            amount: MilliSatoshi(msat: 400),
            fee: .zero,
            at: Sample.time(602),
            preimage: nil
        )
        #expect(try await journal.book([received]) == 1)
        #expect(try await journal.spending(since: Sample.time(0)).committed.msat == 2_010)
        let totals = try await journal.totals(since: Sample.time(0))
        #expect(totals.spent.msat == 2_000)
        #expect(totals.fees.msat == 10)
        #expect(totals.earned.msat == 400)
        let entries = try await journal.ledger(since: Sample.time(0))
        #expect(entries.allSatisfy { $0.job.id == Journal.unattributed })
        #expect(try await journal.unresolvedPayments().isEmpty)
        #expect(try await journal.openInvoices().isEmpty)
        #expect(try await journal.check().isEmpty)
    }

    @Test func `a job is not paid again when its payee was paid since for nobody knows what`()
        async throws
    {
        let journal = try folder.open()
        try await journal.add(Sample.job(1))
        try await journal.book([movement(5, at: 600)])
        #expect(
            await code { try await intend(1, for: Sample.job(1), in: journal) } == .alreadyPaying
        )
        // One of another peer's, and one that is younger than the payment, are paid.
        try await journal.add(Sample.job(2, peer: 2))
        try await intend(2, for: Sample.job(2, peer: 2), in: journal)
        let young = Step(job: Sample.job(3), version: 0, at: Sample.time(650), state: [1])
        try await journal.commit(young)
        try await intend(3, for: Sample.job(3), in: journal)
    }

    @Test func `a payment for the invoice that a job wants to pay is that job's`() async throws {
        let journal = try folder.open()
        try await journal.add(Sample.job(1))
        try await journal.book([movement(1, at: 600)])
        try await intend(1, for: Sample.job(1), in: journal)
        let payment = try #require(try await journal.payment(Sample.hash(1)))
        #expect(payment.status == .succeeded)
        #expect(payment.job == Sample.job(1))
        #expect(payment.preimage == Sample.preimage(1))
        let ledger = try await journal.ledger(since: Sample.time(0))
        #expect(ledger.map(\.job) == [Sample.job(1)])
        #expect(ledger.map(\.profile) == ["gpt-5.2"])
        // Booked before; told again it changes nothing.
        try await journal.record(
            [
                .paymentSucceeded(
                    Sample.hash(1),
                    preimage: Sample.preimage(1),
                    fee: MilliSatoshi(msat: 5)
                )
            ],
            for: Sample.job(1),
            at: Sample.time(710)
        )
        #expect(try await journal.totals(since: Sample.time(0)).spent.msat == 1_000)
        // And no other job has it.
        try await journal.add(Sample.job(2))
        #expect(
            await code { try await intend(1, for: Sample.job(2), in: journal) } == .paymentHashTaken
        )
    }
}
