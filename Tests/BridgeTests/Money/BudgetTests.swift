import BOLT11
import BridgeProtocol
import Foundation
import Journal
import LCPTesting
import LightningCrypto
import LightningTypes
import Testing

@testable import Bridge

/// Budgets as the transactions see them that commit an intent.
@Suite(.timeLimit(.minutes(10))) struct BudgetTests {
    private let folder: String
    private let journal: Journal

    init() throws {
        folder = "\(FileManager.default.temporaryDirectory.path)/budget-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // Without flushes: what is tested here does not depend on them.
        let options = Journal.Options(network: "regtest", durability: .normal)
        journal = try Journal(path: folder + "/journal", options: options)
    }

    private static func sat(_ amount: UInt64) -> MilliSatoshi { MilliSatoshi(msat: amount * 1000) }

    private func order(_ number: UInt64, sat: UInt64, _ rules: MoneyRules) -> SampleOrder {
        var order = SampleOrder()
        order.hash = PaymentHash(SampleOrder.seed(1000 + number))
        order.job = SampleOrder.seed(number)
        order.amount = Self.sat(sat)
        order.ceiling = Self.sat(sat)
        order.rules = rules
        return order
    }

    /// Commits the intent at a time; gives the refusal.
    ///
    /// `consent` is what the client agreed to on disk, if not what memory says.
    private func intend(
        _ order: SampleOrder,
        at time: UInt64 = 10_010,
        consent: MilliSatoshi? = nil
    ) async throws -> BusFailure? {
        var order = order
        order.now = time
        order.timestamp = time - 10
        order.edit = {
            $0.expiryUnix = time + 595
            $0.notAfterUnix = time + 400
        }
        let decision = try order.decide().get()
        let job = try self.job(order)
        let at = UnixTime(seconds: time)
        let consent = consent ?? order.ceiling
        if try await journal.job(job) == nil {
            try await journal.commit(
                Step(job: job, version: 0, at: at, state: [1], facts: [.authorised(consent)])
            )
        }
        do throws(JournalError) {
            try await journal.record([decision.fact], for: job, at: at)
            return nil
        } catch {
            guard let refusal = BusFailure(refusing: error) else { throw error }
            return refusal
        }
    }

    private func job(_ order: SampleOrder) throws -> JobKey {
        JobKey(role: .requester, peer: try #require(order.key).publicKey, id: order.job)
    }

    private func end(_ order: SampleOrder, paid: Bool, at time: UInt64 = 10_020) async throws {
        let fact: Fact =
            paid
            ? .paymentSucceeded(order.hash, preimage: Preimage(.zero), fee: .zero)
            : .paymentFailed(order.hash)
        try await journal.record([fact], for: job(order), at: UnixTime(seconds: time))
    }

    @Test func `a budget counts what is reserved, then what was spent, and no more`() async throws {
        var rules = MoneyRules(network: .regtest)
        rules.dailyBudget = Self.sat(300)
        let orders = (UInt64(1)...4).map { order($0, sat: 140, rules) }
        // 150 with the highest fee.
        #expect(try await intend(orders[0]) == nil)
        #expect(try await intend(orders[1]) == nil)
        let refusal = try #require(try await intend(orders[2]))
        #expect(refusal.code == "daily-budget")
        #expect(refusal.advice.contains("--daily-budget-sat"))
        // Without a fee, 140 were spent; then 10 are missing.
        try await end(orders[0], paid: true)
        #expect(try await intend(orders[2])?.code == "daily-budget")
        try await end(orders[1], paid: false)
        #expect(try await intend(orders[2]) == nil)
        #expect(try await intend(orders[3])?.code == "daily-budget")
    }

    @Test func `the month holds when every day does`() async throws {
        var rules = MoneyRules(network: .regtest)
        rules.dailyBudget = Self.sat(300)
        rules.monthlyBudget = Self.sat(500)
        let day: UInt64 = 86_400 + 600
        for number in UInt64(1)...3 {
            let order = order(number, sat: 150, rules)
            #expect(try await intend(order, at: number * day) == nil)
            try await end(order, paid: true, at: number * day)
        }
        let last = order(4, sat: 150, rules)
        #expect(try await intend(last, at: 4 * day)?.code == "monthly-budget")
        #expect(try await intend(last, at: 31 * day) == nil)
    }

    @Test func `a dry run decides everything and pays nothing`() async throws {
        var rules = MoneyRules(network: .regtest)
        rules.isDryRun = true
        #expect(try await intend(order(1, sat: 100, rules))?.code == "dry-run")
        rules.dailyBudget = Self.sat(50)
        #expect(try await intend(order(2, sat: 100, rules))?.code == "daily-budget")
        #expect(try await journal.unresolvedPayments().isEmpty)
    }

    @Test func `a client's word counts as the transaction finds it, not as it was before`()
        async throws
    {
        let rules = MoneyRules(network: .regtest)
        let lowered = order(1, sat: 100, rules)
        let refusal = try await intend(lowered, consent: Self.sat(99))
        #expect(refusal?.code == "above-ceiling")
        // Taken back after the decision and before its commit.
        let job = try self.job(lowered)
        try await journal.record([.authorised(nil)], for: job, at: UnixTime(seconds: 10_010))
        #expect(try await intend(lowered)?.code == "no-ceiling")
        #expect(try await journal.unresolvedPayments().isEmpty)
        try await journal.record(
            [.authorised(Self.sat(100))],
            for: job,
            at: UnixTime(seconds: 10_010)
        )
        #expect(try await intend(lowered) == nil)
    }

    @Test func `what the journal itself forbids has a code of its own`() async throws {
        let rules = MoneyRules(network: .regtest)
        let first = order(1, sat: 10, rules)
        #expect(try await intend(first) == nil)
        #expect(try await intend(first)?.code == "already-paying")
        var other = order(2, sat: 10, rules)
        other.hash = first.hash
        #expect(try await intend(other)?.code == "payment-hash-taken")
        #expect(BusFailure(refusing: JournalError(.staleVersion, "")) == nil)
        #expect(BusFailure(refusing: JournalError(.diskFull, "")) == nil)
    }

    @Test func `payments intended at the same time never overshoot a budget`() async throws {
        var (taken, refused) = (0, 0)
        var rules = MoneyRules(network: .regtest)
        rules.dailyBudget = Self.sat(2000)
        for seed in UInt64(0)..<6 {
            var random = SeededGenerator(seed: seed)
            let orders = (0..<40).map { number in
                order(seed * 100 + number, sat: UInt64.random(in: 1...200, using: &random), rules)
            }
            let paid = orders.map { _ in Bool.random(using: &random) }
            let outcomes = try await withThrowingTaskGroup(of: BusFailure?.self) { group in
                for (order, isPaid) in zip(orders, paid) {
                    group.addTask {
                        let refusal = try await intend(order)
                        // Some end while others begin.
                        if refusal == nil, isPaid { try await end(order, paid: true) }
                        return refusal
                    }
                }
                return try await group.reduce(into: [BusFailure?]()) { $0.append($1) }
            }
            let spending = try await journal.spending(since: UnixTime(seconds: 0))
            #expect(spending.committed <= rules.dailyBudget, "seed \(seed)")
            for refusal in outcomes.compactMap(\.self) { #expect(refusal.code == "daily-budget") }
            taken += outcomes.count { $0 == nil }
            refused += outcomes.count { $0 != nil }
            for payment in try await journal.unresolvedPayments() {
                try await journal.record(
                    [.paymentFailed(payment.intent.hash)],
                    for: payment.job,
                    at: UnixTime(seconds: 10_030)
                )
            }
        }
        #expect(taken > 20 && refused > 60, "\(taken) taken, \(refused) refused")
    }
}
