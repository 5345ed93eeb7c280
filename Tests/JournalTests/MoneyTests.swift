import GRDB
import LightningTypes
import Testing

@testable import Journal

@Suite struct MoneyTests {
    let folder: TemporaryFolder
    let journal: Journal
    let buying = Sample.job(1)
    let selling = Sample.job(2, role: .provider)

    init() throws {
        folder = try TemporaryFolder()
        journal = try folder.open()
    }

    private func record(_ facts: Fact..., for job: JobKey, at time: UInt64 = 150) async throws {
        try await journal.record(facts, for: job, at: Sample.time(time))
    }

    private func intend(
        _ number: Int,
        for job: JobKey,
        check: @escaping PaymentCheck = Sample.noLimit
    ) async throws {
        try await record(.paymentIntended(Sample.intent(number), check: check), for: job)
    }

    private func succeed(_ number: Int, for job: JobKey, at time: UInt64 = 150) async throws {
        try await record(
            .paymentSucceeded(
                Sample.hash(number),
                preimage: Sample.preimage(number),
                fee: MilliSatoshi(msat: 3)
            ),
            for: job,
            at: time
        )
    }

    private func status(_ number: Int) async throws -> PaymentRecord.Status? {
        try await journal.payment(Sample.hash(number))?.status
    }

    // MARK: Payments

    @Test func `an intent reserves its money until it is resolved`() async throws {
        try await journal.add(buying)
        try await intend(1, for: buying)
        let first = try await journal.spending(since: Sample.time(0))
        #expect(first.reserved.msat == 1010 && first.committed.msat == 1010)
        try await succeed(1, for: buying)
        let second = try await journal.spending(since: Sample.time(0))
        #expect(second.reserved.msat == 0 && second.committed.msat == 1003)
    }

    @Test func `a failed payment gives its reservation back`() async throws {
        try await journal.add(buying)
        try await intend(1, for: buying)
        try await record(.paymentFailed(Sample.hash(1)), for: buying)
        #expect(try await journal.spending(since: Sample.time(0)).committed == .zero)
        #expect(try await journal.totals(since: Sample.time(0)).spent == .zero)
    }

    @Test func `a payment hash belongs to one job for ever`() async throws {
        try await journal.add(buying)
        try await journal.add(Sample.job(3))
        try await intend(1, for: buying)
        #expect(await code { try await intend(1, for: Sample.job(3)) } == .paymentHashTaken)
        try await record(.paymentFailed(Sample.hash(1)), for: buying)
        #expect(await code { try await intend(1, for: Sample.job(3)) } == .paymentHashTaken)
    }

    @Test func `a job has one payment that is unresolved or succeeded`() async throws {
        try await journal.add(buying)
        try await intend(1, for: buying)
        #expect(await code { try await intend(1, for: buying) } == .alreadyPaying)
        #expect(await code { try await intend(2, for: buying) } == .alreadyPaying)
        try await record(.paymentFailed(Sample.hash(1)), for: buying)
        try await intend(2, for: buying)
        try await succeed(2, for: buying)
        #expect(await code { try await intend(3, for: buying) } == .alreadyPaying)
        #expect(await code { try await intend(1, for: buying) } == .alreadyPaying)
    }

    @Test func `a hash that failed may be tried again by its own job`() async throws {
        try await journal.add(buying)
        try await intend(1, for: buying)
        try await record(.paymentAttempted(Sample.hash(1)), for: buying)
        try await record(.paymentFailed(Sample.hash(1)), for: buying)
        try await intend(1, for: buying)
        let payment = try #require(try await journal.payment(Sample.hash(1)))
        #expect(payment.status == .unresolved && !payment.attempted)
        #expect(payment.intent.instruction == Sample.intent(1).instruction)
    }

    @Test func `a refused intent takes the whole step with it and says why`() async throws {
        try await journal.add(buying)
        let refuse: PaymentCheck = { _ throws(JournalError) in
            PaymentRefusal(
                code: "daily-budget",
                reason: "daily budget spent",
                advice: "Raise the daily budget"
            )
        }
        var step = Step(job: buying, version: 1, at: Sample.time(150), state: [5])
        step.facts = [.paymentIntended(Sample.intent(1), check: refuse)]
        let refused = step
        let error = await #expect(throws: JournalError.self) { try await journal.commit(refused) }
        #expect(error?.code == .paymentRefused)
        #expect(error?.detail.contains("daily budget spent") == true)
        #expect(error?.advice == "Raise the daily budget")
        #expect(error?.refusal?.code == "daily-budget")
        #expect(try await journal.job(buying)?.summary.version == 1)
        #expect(try await journal.payment(Sample.hash(1)) == nil)
    }

    @Test func `a rolling sum forgets what was spent before its window`() async throws {
        for (number, time) in [(1, UInt64(600)), (2, 7200), (3, 7900)] {
            let job = Sample.job(100 + number)
            try await journal.add(job)
            try await intend(number, for: job)
            try await succeed(number, for: job, at: time)
        }
        func spent(since time: UInt64) async throws -> UInt64 {
            try await journal.spending(since: Sample.time(time)).committed.msat
        }
        #expect(try await spent(since: 0) == 3 * 1003)
        #expect(try await spent(since: 7200) == 2 * 1003)
        // Never looser than it says: the span of the window's begin counts whole.
        #expect(try await spent(since: 7700) == 2 * 1003)
        #expect(try await spent(since: 7800) == 1003)
        #expect(try await spent(since: 8400) == 0)
    }

    @Test func `success recorded twice is booked once`() async throws {
        try await journal.add(buying)
        try await intend(1, for: buying)
        for _ in 0..<2 { try await succeed(1, for: buying) }
        let entries = try await journal.ledger(since: Sample.time(0))
        #expect(entries.map(\.amount.msat) == [1000])
        #expect(entries.map(\.fee.msat) == [3])
        #expect(entries.map(\.job) == [buying])
        #expect(entries.map(\.profile) == ["gpt-5.2"])
        #expect(try await journal.spending(since: Sample.time(0)).committed.msat == 1003)
        #expect(try await journal.payment(Sample.hash(1))?.preimage == Sample.preimage(1))
    }

    @Test func `what a job has bought is its answer and the proof of what it paid`() async throws {
        #expect(try await journal.bought(by: buying) == nil)
        try await journal.add(buying)
        try await intend(1, for: buying)
        try await record(.paymentFailed(Sample.hash(1)), for: buying)
        try await intend(2, for: buying)
        let before = try #require(try await journal.bought(by: buying))
        #expect(before.answer == nil && before.preimage == nil)
        try await succeed(2, for: buying)
        var step = Step(job: buying, version: 1, at: Sample.time(160), state: [1])
        step.answer = .store(Redacted([4, 5]))
        try await journal.commit(step)
        let after = try #require(try await journal.bought(by: buying))
        #expect(after.summary == (try await journal.job(buying)?.summary))
        #expect(after.answer == Redacted([4, 5]) && after.preimage == Sample.preimage(2))
    }

    @Test func `money that left is never recorded as kept`() async throws {
        try await journal.add(buying)
        try await intend(1, for: buying)
        try await succeed(1, for: buying)
        let hash = Sample.hash(1)
        for fact in [Fact.paymentFailed(hash), .paymentWithdrawn(hash), .paymentAttempted(hash)] {
            #expect(await code { try await record(fact, for: buying) } == .contradictsRecord)
        }
        #expect(try await status(1) == .succeeded)
    }

    @Test func `a payment thought failed that succeeded after all is booked`() async throws {
        try await journal.add(buying)
        try await intend(1, for: buying)
        try await record(.paymentFailed(Sample.hash(1)), for: buying)
        try await succeed(1, for: buying)
        #expect(try await status(1) == .succeeded)
        #expect(try await journal.totals(since: Sample.time(0)).spent.msat == 1000)
    }

    @Test func `only a payment that was not attempted can be withdrawn`() async throws {
        try await journal.add(buying)
        try await intend(1, for: buying)
        try await record(.paymentWithdrawn(Sample.hash(1)), for: buying)
        #expect(try await status(1) == .failed)
        try await intend(2, for: buying)
        try await record(.paymentAttempted(Sample.hash(2)), for: buying)
        let late = await code { try await record(.paymentWithdrawn(Sample.hash(2)), for: buying) }
        #expect(late == .contradictsRecord)
        #expect(try await status(2) == .unresolved)
    }

    @Test func `after a restart every committed intent counts as attempted`() async throws {
        try await journal.add(buying)
        try await intend(1, for: buying)
        #expect(try await journal.unresolvedPayments().map(\.attempted) == [false])
        try await journal.close()
        let again = try folder.open()
        let payments = try await again.unresolvedPayments()
        #expect(payments.map(\.attempted) == [true])
        #expect(payments.map(\.job) == [buying])
        #expect(payments.map(\.intent.instruction) == [Sample.intent(1).instruction])
        let late = await code {
            try await again.record(
                [.paymentWithdrawn(Sample.hash(1))],
                for: buying,
                at: Sample.time(1)
            )
        }
        #expect(late == .contradictsRecord)
    }

    @Test func `an invoice to be paid leaves the disk when its payment is resolved`() async throws {
        try await journal.add(buying)
        try await intend(1, for: buying)
        try await succeed(1, for: buying)
        #expect(try await journal.payment(Sample.hash(1))?.intent.instruction == Redacted([]))
    }

    @Test func `amounts beyond all bitcoin are refused`() async throws {
        try await journal.add(buying)
        let absurd = Sample.intent(1, amount: .max)
        let refused = await code {
            try await record(.paymentIntended(absurd, check: Sample.noLimit), for: buying)
        }
        #expect(refused == .invalidStep)
    }

    @Test func `a provider can't pay and a requester can't have invoices`() async throws {
        try await journal.add(buying)
        try await journal.add(selling)
        #expect(await code { try await intend(1, for: selling) } == .invalidStep)
        #expect(
            await code { try await record(.invoiceOpened(Sample.invoice(1)), for: buying) }
                == .invalidStep
        )
    }

    // MARK: Invoices

    @Test func `a settlement recorded twice is booked once`() async throws {
        try await journal.add(selling, facts: [.invoiceOpened(Sample.invoice(1))])
        #expect(try await journal.openInvoices().map(\.job) == [selling])
        for _ in 0..<2 {
            try await record(
                .invoiceSettled(Sample.hash(1), paid: MilliSatoshi(msat: 1001)),
                for: selling
            )
        }
        #expect(try await journal.openInvoices().isEmpty)
        #expect(try await journal.invoice(Sample.hash(1))?.paid?.msat == 1001)
        #expect(try await journal.totals(since: Sample.time(0)).earned.msat == 1001)
        #expect(try await journal.ledger(since: Sample.time(0)).count == 1)
    }

    @Test func `a settled invoice is never recorded as cancelled`() async throws {
        try await journal.add(selling, facts: [.invoiceOpened(Sample.invoice(1))])
        try await record(
            .invoiceSettled(Sample.hash(1), paid: MilliSatoshi(msat: 1000)),
            for: selling
        )
        let refused = await code {
            try await record(.invoiceCancelled(Sample.hash(1)), for: selling)
        }
        #expect(refused == .contradictsRecord)
        #expect(try await journal.invoice(Sample.hash(1))?.state == .settled)
    }

    @Test func `an invoice belongs to one job`() async throws {
        try await journal.add(selling, facts: [.invoiceOpened(Sample.invoice(1))])
        try await record(.invoiceOpened(Sample.invoice(1)), for: selling)
        let stolen = await code {
            try await journal.add(
                Sample.job(3, role: .provider),
                facts: [.invoiceOpened(Sample.invoice(1))]
            )
        }
        #expect(stolen == .paymentHashTaken)
        #expect(
            await code { try await record(.invoiceCancelled(Sample.hash(9)), for: selling) }
                == .unknown
        )
    }

    // MARK: Finishing

    @Test func `a job does not finish while its invoice is open`() async throws {
        try await journal.add(selling, facts: [.invoiceOpened(Sample.invoice(1))])
        #expect(await code { try await record(.finished, for: selling) } == .notFinished)
        try await record(.invoiceCancelled(Sample.hash(1)), for: selling)
        try await record(.finished, for: selling)
    }

    @Test func `a job does not finish while its payment is unresolved`() async throws {
        try await journal.add(buying)
        try await intend(1, for: buying)
        #expect(await code { try await record(.finished, for: buying) } == .notFinished)
        try await record(.paymentFailed(Sample.hash(1)), for: buying)
        try await record(.finished, for: buying)
    }
}
