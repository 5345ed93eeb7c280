import Dispatch
import Foundation
import GRDB
import LightningTypes
import Testing

@testable import Journal

@Suite struct GroupCommitTests {
    let folder: TemporaryFolder
    let journal: Journal

    init() throws {
        folder = try TemporaryFolder()
        journal = try folder.open()
    }

    /// Runs writes that all wait at the same moment, as if the disk were flushing meanwhile.
    private func together(
        _ writes: [@Sendable (Journal) async throws -> Void]
    ) async -> [Result<Void, any Error>] {
        let gate = DispatchSemaphore(value: 0)
        journal.pool.asyncWriteWithoutTransaction { _ in gate.wait() }
        return await withTaskGroup(of: (Int, Result<Void, any Error>).self) { group in
            for (index, write) in writes.enumerated() {
                group.addTask { [journal] in
                    do {
                        return (index, .success(try await write(journal)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            while journal.writeCounts.waiting < writes.count { await Task.yield() }
            gate.signal()
            var results = writes.map { _ in Result<Void, any Error>.success(()) }
            for await (index, result) in group { results[index] = result }
            return results
        }
    }

    @Test func `steps that wait together share one transaction`() async throws {
        let results = await together(
            (0..<50).map { number in { try await $0.add(Sample.job(number)) } }
        )
        for result in results { try result.get() }
        #expect(journal.writeCounts.transactions == 1)
        #expect(journal.writeCounts.committed == 50)
        #expect(try await journal.jobCounts().open == 50)
    }

    @Test func `a refused step fails alone`() async throws {
        try await journal.add(Sample.job(0))
        let results = await together(
            (0..<20).map { number in { try await $0.add(Sample.job(number / 2)) } }
        )
        let failures = results.compactMap { result -> JournalError? in
            guard case .failure(let error) = result else { return nil }
            return error as? JournalError
        }
        // Of each pair the second comes late, and the first pair's job was there before.
        #expect(failures.map(\.code) == Array(repeating: .staleVersion, count: 11))
        #expect(try await journal.jobCounts().open == 10)
        #expect(journal.writeCounts.transactions == 2)
        #expect(journal.writeCounts.refused == 11)
    }

    @Test func `of two steps from one version exactly one stands`() async throws {
        let job = Sample.job(1)
        try await journal.add(job)
        let results = await together(
            (0..<10).map { number in
                {
                    try await $0.commit(
                        Step(job: job, version: 1, at: Sample.time(1), state: [UInt8(number)])
                    )
                }
            }
        )
        let winners = results.indices.filter {
            if case .success = results[$0] { true } else { false }
        }
        #expect(winners.count == 1)
        #expect(try await journal.job(job)?.state == winners.map(UInt8.init))
        #expect(try await journal.job(job)?.summary.version == 2)
    }

    @Test func `concurrent payments can't take the last of a budget twice`() async throws {
        let budget = MilliSatoshi(msat: 3500)
        let check: PaymentCheck = { spending throws(JournalError) in
            let committed = try spending.committed(since: Sample.time(0))
            guard committed.msat + 1010 <= budget.msat else {
                return PaymentRefusal(code: "budget", reason: "spent", advice: "wait")
            }
            return nil
        }
        let results = await together(
            (0..<10).map { number in
                {
                    try await $0.add(
                        Sample.job(number),
                        facts: [.paymentIntended(Sample.intent(number), check: check)]
                    )
                }
            }
        )
        let accepted = results.count { if case .success = $0 { true } else { false } }
        #expect(accepted == 3)
        #expect(journal.writeCounts.transactions == 1)
        // What a refused step had written by then went with it, though its batch was committed.
        #expect(try await journal.jobCounts().open == 3)
        #expect(try await journal.spending(since: Sample.time(0)).reserved.msat == 3 * 1010)
    }

    @Test func `more than fits in memory is refused, not kept`() async throws {
        let gate = DispatchSemaphore(value: 0)
        journal.pool.asyncWriteWithoutTransaction { _ in gate.wait() }
        let large = [UInt8](repeating: 0, count: 1 << 20)
        let outcomes = await withTaskGroup(of: JournalError.Code?.self) { group in
            for number in 0..<80 {
                group.addTask { [journal] in
                    do throws(JournalError) {
                        try await journal.keep(large, asSetting: "large-\(number)")
                        return nil
                    } catch {
                        return error.code
                    }
                }
            }
            // What does not fit is refused at once; only then may the rest go on.
            var outcomes: [JournalError.Code?] = []
            while let outcome = await group.next() {
                outcomes.append(outcome)
                if outcomes.count == 80 - 63 { gate.signal() }
            }
            return outcomes
        }
        #expect(outcomes.prefix(17).allSatisfy { $0 == .overloaded })
        #expect(outcomes.dropFirst(17).allSatisfy { $0 == nil })
        #expect(journal.writeCounts.failedTransactions == 0)
    }

    @Test func `readers see whole transactions and never wait for the writer`() async throws {
        try await journal.add(Sample.job(1))
        let gate = DispatchSemaphore(value: 0)
        journal.pool.asyncWriteWithoutTransaction { database in
            try? database.execute(sql: "BEGIN IMMEDIATE; UPDATE job SET state = x'63'")
            gate.wait()
            try? database.execute(sql: "ROLLBACK")
        }
        #expect(try await journal.job(Sample.job(1))?.state == [1])
        gate.signal()
        try await journal.add(Sample.job(2))
        #expect(try await journal.job(Sample.job(2)) != nil)
    }

    @Test func `the log is copied between commits and begins anew`() async throws {
        func size(_ suffix: String) throws -> Int {
            try FileManager.default.attributesOfItem(atPath: journal.path + suffix)[.size] as? Int
                ?? 0
        }
        let before = try size("")
        // One commit each, of several pages: three times the bound.
        for number in 0..<2_000 { try await journal.add(Sample.job(number)) }
        #expect(try size("") > before)
        // The bound, and what was added while it was copied; all of them would be longer.
        #expect(try size("-wal") < LogCopier.Bounds.log * 2 * 4_120)
    }
}
