import BridgeProtocol
import BusClient
import LCPTesting
import LightningTypes
import SwiftProtobuf
import Testing

@testable import Gateway

/// Budgets, in any order of events.
@Suite struct SpendingBookTests {
    private static let alice = KeyID(of: .zero)

    private func submission(_ number: Int) throws -> SubmissionKey {
        try #require(SubmissionKey(Array("\(number)".utf8)))
    }

    private func msat(_ msat: UInt64) -> MilliSatoshi { MilliSatoshi(msat: msat) }

    private func time(_ seconds: UInt64) -> UnixTime { UnixTime(seconds: seconds) }

    @Test func `what is reserved is not left, and what was not spent is left again`() throws {
        var book = SpendingBook()
        let budget = KeyRecord.Budget(day: nil, total: msat(100))
        func reserve(_ amount: UInt64, _ number: Int) throws {
            _ = try book.reserve(
                msat(amount),
                by: Self.alice,
                within: budget,
                for: submission(number),
                at: time(0)
            )
        }
        try reserve(60, 1)
        #expect(throws: BudgetRefusal(limit: .total, leftMsat: 40)) { try reserve(41, 2) }
        try reserve(60, 1)
        #expect(book.accounts[Self.alice]?.reserved == msat(60), "the same job is paid once")
        _ = try book.settle(submission(1), spent: msat(50), at: time(0))
        #expect(try book.settle(submission(1), spent: msat(50), at: time(0)) == nil)
        #expect(book.accounts[Self.alice]?.total == msat(50))
        try reserve(50, 3)
        #expect(throws: BudgetRefusal(limit: .total, leftMsat: 0)) { try reserve(1, 4) }
    }

    @Test func `what is known to cost less leaves more, and never less`() throws {
        var book = SpendingBook()
        let budget = KeyRecord.Budget(day: msat(1_000), total: msat(100))
        #expect(book.left(of: budget, to: Self.alice, at: time(0)) == msat(100))
        #expect(book.left(of: .init(), to: Self.alice, at: time(0)) == nil)
        _ = try book.reserve(
            msat(80),
            by: Self.alice,
            within: budget,
            for: submission(1),
            at: time(0)
        )
        try book.lower(submission(1), to: msat(30))
        #expect(book.left(of: budget, to: Self.alice, at: time(0)) == msat(70))
        try book.lower(submission(1), to: msat(50))
        try book.lower(submission(2), to: .zero)
        #expect(book.left(of: budget, to: Self.alice, at: time(0)) == msat(70))
        _ = try book.settle(submission(1), spent: msat(30), at: time(0))
        #expect(book.left(of: budget, to: Self.alice, at: time(0)) == msat(70))
        #expect(book.accounts[Self.alice]?.reserved == .zero)
    }

    @Test func `a day's spending is free again a day later and not before`() throws {
        var book = SpendingBook()
        let budget = KeyRecord.Budget(day: msat(10), total: nil)
        func reserve(_ number: Int, at seconds: UInt64) throws {
            _ = try book.reserve(
                msat(10),
                by: Self.alice,
                within: budget,
                for: submission(number),
                at: time(seconds)
            )
        }
        let start: UInt64 = 1_790_000_000
        try reserve(1, at: start)
        _ = try book.settle(submission(1), spent: msat(10), at: time(start + 30))
        #expect(throws: BudgetRefusal(limit: .day, leftMsat: 0)) {
            try reserve(2, at: start + 86_400 + 29)
        }
        try reserve(2, at: start + 86_400 + 120)
    }

    @Test func `no order of events lets a key spend more than its budgets`() throws {
        var refusals: [BudgetRefusal.Limit: Int] = [:]
        for seed in UInt64(0)..<300 {
            var random = SeededGenerator(seed: seed)
            let budget = KeyRecord.Budget(
                day: Bool.random(using: &random) ? msat(1_000) : nil,
                total: Bool.random(using: &random) ? msat(4_000) : nil
            )
            var book = SpendingBook()
            var open: [(SubmissionKey, MilliSatoshi)] = []
            var spent: [(seconds: UInt64, msat: UInt64)] = []
            var now: UInt64 = 1_790_000_000
            for number in 0..<120 {
                now += UInt64.random(in: 0...9_000, using: &random)
                if Bool.random(using: &random) || open.isEmpty {
                    let amount = msat(.random(in: 0...400, using: &random))
                    let submission = try self.submission(number)
                    do throws(BudgetRefusal) {
                        _ = try book.reserve(
                            amount,
                            by: Self.alice,
                            within: budget,
                            for: submission,
                            at: time(now)
                        )
                        open.append((submission, amount))
                    } catch {
                        refusals[error.limit, default: 0] += 1
                    }
                } else {
                    let place = Int.random(in: open.indices, using: &random)
                    let (submission, amount) = open.remove(at: place)
                    let cost = UInt64.random(in: 0...amount.msat, using: &random)
                    _ = book.settle(submission, spent: msat(cost), at: time(now))
                    spent.append((now, cost))
                }
                let reserved = open.reduce(0) { $0 + $1.1.msat }
                let total = spent.reduce(0) { $0 + $1.msat }
                let day = spent.reduce(0) { $0 + ($1.seconds + 86_400 > now ? $1.msat : 0) }
                let account = book.accounts[Self.alice]
                #expect(account?.total.msat ?? 0 == total)
                #expect(account?.reserved.msat ?? 0 == reserved)
                #expect(day + reserved <= budget.day?.msat ?? .max, "seed \(seed)")
                #expect(total + reserved <= budget.total?.msat ?? .max, "seed \(seed)")
            }
        }
        #expect(refusals[.day, default: 0] > 100 && refusals[.total, default: 0] > 100)
    }

    // MARK: - What the bridge says

    @Test func `a reservation is settled by what the bridge knows of its job`() throws {
        let reservation = Reservation(
            key: Self.alice,
            submission: try submission(1),
            amount: msat(500),
            since: time(10_000)
        )
        func job(paid: UInt64, finished: UInt64) -> Reservation.Finding {
            .job(
                .with {
                    $0.view.priceMsat = 300
                    $0.view.feeMsat = 7
                    $0.view.paidUnix = paid
                    $0.finishedUnix = finished
                }
            )
        }
        let now = time(10_001)
        #expect(reservation.outcome(job(paid: 0, finished: 0), at: now) == nil)
        #expect(reservation.outcome(job(paid: 5, finished: 0), at: now) == msat(307))
        #expect(reservation.outcome(job(paid: 5, finished: 9), at: now) == msat(307))
        #expect(reservation.outcome(job(paid: 0, finished: 9), at: now) == .zero)
        #expect(reservation.outcome(.pruned, at: now) == msat(500))
        #expect(reservation.outcome(.nothing, at: now) == nil, "it may be on its way")
        #expect(reservation.outcome(.nothing, at: time(10_600)) == .zero)
        #expect(reservation.outcome(.nothing, at: time(96_400)) == msat(500), "long forgotten")
    }
}
