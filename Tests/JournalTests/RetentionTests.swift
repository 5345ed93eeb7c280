import Foundation
import GRDB
import LightningTypes
import Testing

@testable import Journal

@Suite struct RetentionTests {
    let folder: TemporaryFolder
    let journal: Journal
    let retention = Retention(
        contentSeconds: 100,
        jobSeconds: 1000,
        clientKeySeconds: 2000,
        recordSeconds: 3000
    )

    init() throws {
        folder = try TemporaryFolder()
        journal = try folder.open()
    }

    private func finish(_ number: Int, input: [UInt8] = [1]) async throws {
        try await journal.commit(
            Step(
                job: Sample.job(number),
                version: 0,
                at: Sample.time(1000),
                state: [],
                input: .store(Redacted(input)),
                client: ClientKey(
                    identity: [1],
                    key: [UInt8(number)],
                    contentHash: Sample.bytes32(1)
                ),
                facts: [.finished]
            )
        )
    }

    /// Everything there is to prune at a time, in as many batches as it takes.
    private func prune(at time: UInt64, batch: Int = 100) async throws -> (Pruned, batches: Int) {
        var sum = Pruned()
        var batches = 0
        while true {
            let pruned = try await journal.prune(retention, now: Sample.time(time), batch: batch)
            if pruned.isEmpty { return (sum, batches) }
            batches += 1
            sum.contents += pruned.contents
            sum.jobs += pruned.jobs
            sum.records += pruned.records
        }
    }

    @Test func `contents go first, then the job, then its client's key`() async throws {
        try await finish(1)
        #expect(try await prune(at: 1100).0.isEmpty)
        #expect(try await prune(at: 1101).0 == Pruned(contents: 1))
        #expect(try await journal.input(of: Sample.job(1)) == nil)
        #expect(try await journal.job(Sample.job(1))?.summary.inputBytes == 1)
        #expect(try await prune(at: 2001).0 == Pruned(jobs: 1))
        #expect(try await journal.job(Sample.job(1)) == nil)
        let submission = try await journal.submission(identity: [1], key: [1])
        #expect(submission?.job == Sample.job(1), "a key outlives its job")
        #expect(try await prune(at: 3001).0 == Pruned(records: 1))
        #expect(try await journal.submission(identity: [1], key: [1]) == nil)
    }

    @Test func `open jobs stay however old they are`() async throws {
        try await journal.commit(
            Step(
                job: Sample.job(1),
                version: 0,
                at: Sample.time(1),
                state: [],
                input: .store(Redacted([1]))
            )
        )
        #expect(try await prune(at: 1_000_000).0.isEmpty)
        #expect(try await journal.input(of: Sample.job(1)) == Redacted([1]))
    }

    @Test func `a job whose money is open is never pruned, whatever its row says`() async throws {
        let buying = Sample.job(1)
        let selling = Sample.job(2, role: .provider)
        try await journal.add(
            buying,
            facts: [.paymentIntended(Sample.intent(1), check: Sample.noLimit)]
        )
        try await journal.add(selling, facts: [.invoiceOpened(Sample.invoice(2))])
        // No call can bring this about; an error of ours might.
        try await journal.pool.write { try $0.execute(sql: "UPDATE job SET finished_at = 1") }
        #expect(try await prune(at: 1_000_000).0.jobs == 0)
        #expect(try await journal.unresolvedPayments().count == 1)
        #expect(try await journal.openInvoices().count == 1)
    }

    @Test func `the books outlive the jobs`() async throws {
        try await journal.add(
            Sample.job(1),
            facts: [
                .paymentIntended(Sample.intent(1), check: Sample.noLimit),
                .paymentSucceeded(
                    Sample.hash(1),
                    preimage: Sample.preimage(1),
                    fee: MilliSatoshi(msat: 3)
                ),
                .finished,
            ]
        )
        #expect(try await prune(at: 1_000_000).0.jobs == 1)
        #expect(try await journal.ledger(since: Sample.time(0)).map(\.job) == [Sample.job(1)])
        #expect(try await journal.payment(Sample.hash(1))?.preimage == Sample.preimage(1))
        // And the hash still belongs to that job.
        let reused = await code {
            try await journal.add(
                Sample.job(2),
                facts: [.paymentIntended(Sample.intent(1), check: Sample.noLimit)]
            )
        }
        #expect(reused == .paymentHashTaken)
    }

    @Test func `what came to nothing leaves the books in the end`() async throws {
        try await journal.add(
            Sample.job(1),
            facts: [
                .paymentIntended(Sample.intent(1), check: Sample.noLimit),
                .paymentFailed(Sample.hash(1)), .finished,
            ]
        )
        try await journal.add(
            Sample.job(2, role: .provider),
            facts: [
                .invoiceOpened(Sample.invoice(2)), .invoiceCancelled(Sample.hash(2)), .finished,
            ]
        )
        _ = try await prune(at: 3100)
        #expect(try await journal.payment(Sample.hash(1))?.status == .failed)
        #expect(try await journal.invoice(Sample.hash(2))?.state == .cancelled)
        #expect(try await prune(at: 3101).0 == Pruned(records: 2))
        #expect(try await journal.payment(Sample.hash(1)) == nil)
        #expect(try await journal.invoice(Sample.hash(2)) == nil)
    }

    @Test func `pruning goes in small batches`() async throws {
        for number in 0..<25 { try await finish(number) }
        let (pruned, batches) = try await prune(at: 2001, batch: 10)
        #expect(pruned.jobs == 25)
        #expect(batches == 3)
    }

    @Test func `a pruned prompt is in none of the files`() async throws {
        let prompt = Array("a prompt that nobody else may read ".utf8)
        let copies = (0..<400).flatMap { _ in prompt }
        func isOnDisk() throws -> Bool {
            try ["", "-wal"].contains { suffix in
                try Data(contentsOf: URL(filePath: folder.journalPath + suffix))
                    .range(of: Data(prompt)) != nil
            }
        }
        try await finish(1, input: copies)
        #expect(try isOnDisk())
        _ = try await prune(at: 1101)
        #expect(try await journal.emptyLog())
        #expect(try !isOnDisk())
    }
}
