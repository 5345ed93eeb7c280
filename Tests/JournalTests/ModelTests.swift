import Journal
import LCPTesting
import LightningTypes
import Testing

/// Random sequences of steps and facts, against the rules on plain values.
@Suite struct ModelTests {
    /// Outcomes that every set of seeds must have met, or the sequences prove little.
    private static let mustOccur: Set<JournalError.Code?> = [
        nil, .staleVersion, .unknown, .invalidStep, .quotaExceeded, .notFinished,
        .paymentHashTaken, .alreadyPaying, .paymentRefused, .contradictsRecord,
    ]

    @Test func `any sequence of steps, facts and restarts leaves what the rules say`() async throws
    {
        var occurred: Set<JournalError.Code?> = []
        for seed in UInt64(0)..<12 {
            try await run(seed, &occurred)
        }
        #expect(occurred.isSuperset(of: Self.mustOccur), "\(Self.mustOccur.subtracting(occurred))")
    }

    private func run(_ seed: UInt64, _ occurred: inout Set<JournalError.Code?>) async throws {
        let folder = try TemporaryFolder()
        // Without flushes: what is tested here does not depend on them.
        let options = Journal.Options(network: "regtest", durability: .normal)
        var journal = try Journal(path: folder.journalPath, options: options)
        var random = SeededGenerator(seed: seed)
        var model = Model()
        for number in UInt64(1)...250 {
            let time = Sample.time(number)
            let job = Self.job(&random)
            let facts = (0..<Int.random(in: 0...2, using: &random)).map { _ in
                Self.fact(&random)
            }
            let expected: JournalError.Code?
            let actual: JournalError.Code?
            if Int.random(in: 0..<25, using: &random) == 0 {
                try await journal.close()
                journal = try Journal(path: folder.journalPath, options: options)
                model.restart()
                (expected, actual) = (nil, nil)
            } else if Bool.random(using: &random) {
                let step = Self.step(job, at: time, facts, model, &random)
                expected = Self.code { try model.commit(step) }
                actual = await Self.outcome { () throws(JournalError) in
                    try await journal.commit(step)
                }
            } else {
                expected = Self.code { try model.record(facts, for: job, at: time) }
                actual = await Self.outcome { () throws(JournalError) in
                    try await journal.record(facts, for: job, at: time)
                }
            }
            #expect(actual == expected, "seed \(seed), operation \(number)")
            occurred.insert(expected)
            if number % 25 == 0 { try await compare(journal, model, seed) }
        }
        #expect(try await journal.check().isEmpty)
    }

    private func compare(_ journal: Journal, _ model: Model, _ seed: UInt64) async throws {
        for (key, expected) in model.jobs {
            let record = try #require(try await journal.job(key), "seed \(seed)")
            var actual = Model.Job()
            actual.version = record.summary.version
            actual.state = record.state
            actual.wakeAt = record.summary.wakeAt
            for effect in record.outstanding { actual.effects[effect.effect.id] = effect }
            actual.events = record.events
            actual.isFinished = record.summary.finishedAt != nil
            actual.isParked = record.summary.isParked
            // Not to be seen from outside.
            actual.done = expected.done
            actual.nextEvent = expected.nextEvent
            #expect(actual == expected, "seed \(seed), \(key)")
        }
        let open = try await journal.openJobs()
        #expect(Set(open.map(\.summary.key)) == Set(model.jobs.filter { !$1.isFinished }.keys))
        for job in open {
            let expected = try #require(model.jobs[job.summary.key])
            #expect(Set(job.outstanding) == Set(expected.effects.values))
            #expect(job.events == expected.events.count)
        }
        let unresolved = model.payments.filter { $1.status == .unresolved }
        let payments = try await journal.unresolvedPayments()
        #expect(Set(payments.map(\.intent.hash)) == Set(unresolved.keys))
        for payment in payments {
            #expect(payment.attempted == unresolved[payment.intent.hash]?.attempted)
        }
        #expect(
            Set(try await journal.openInvoices().map(\.terms.hash))
                == Set(model.invoices.filter { $1.state == .open }.keys)
        )
        let totals = try await journal.totals(since: Sample.time(0))
        #expect(totals.earned.msat == model.earned)
        #expect(totals.spent.msat == model.spent)
        #expect(totals.fees.msat == model.fees)
        let spending = try await journal.spending(since: Sample.time(0))
        #expect(spending.reserved.msat == model.reserved)
        #expect(spending.committed.msat == model.reserved + model.spent + model.fees)
    }

    // MARK: Random input

    private static func job(_ random: inout SeededGenerator) -> JobKey {
        let number = Int.random(in: 0..<8, using: &random)
        return Sample.job(number, role: number < 5 ? .requester : .provider)
    }

    private static func step(
        _ job: JobKey,
        at time: UnixTime,
        _ facts: [Fact],
        _ model: Model,
        _ random: inout SeededGenerator
    ) -> Step {
        let present = model.jobs[job]
        // Mostly all events there are, sometimes one more, which makes the step stale.
        let next = present?.nextEvent ?? 1
        // Mostly the right version, sometimes the one before or after.
        let version =
            (present?.version ?? 0)
            &+ [0, 0, 0, 0, 0, 1, .max][Int.random(in: 0..<7, using: &random)]
        var ids = Set((0..<3).map { _ in UInt64.random(in: 0..<6, using: &random) })
        if Int.random(in: 0..<3, using: &random) == 0 { ids = [] }
        var effects = ids.sorted().map { Sample.effect($0) }
        if Int.random(in: 0..<20, using: &random) == 0, let first = effects.first {
            effects.append(first)
        }
        if Int.random(in: 0..<20, using: &random) == 0, !effects.isEmpty { effects[0].kind = 9 }
        return Step(
            job: job,
            version: version,
            at: time,
            state: random.bytes(Int.random(in: 0..<40, using: &random)),
            effects: effects,
            wakeAt: Bool.random(using: &random) ? Sample.time(7) : nil,
            answeredEvents: UInt64.random(in: 0..<8, using: &random) == 0 ? next : next - 1,
            facts: facts
        )
    }

    private static let check: PaymentCheck = { spending throws(JournalError) in
        let committed = try spending.committed(since: Sample.time(0)).msat
        return committed + 1000 + Model.maxFee <= Model.budget
            ? nil : PaymentRefusal(code: "budget", reason: "spent", advice: "wait")
    }

    private static func fact(_ random: inout SeededGenerator) -> Fact {
        let number = Int.random(in: 0..<10, using: &random)
        let hash = Sample.hash(number)
        let id = UInt64.random(in: 0..<6, using: &random)
        switch Int.random(in: 0..<14, using: &random) {
        case 0: return .event(kind: UInt8(number), body: random.bytes(5), limit: 2)
        case 1: return .event(kind: UInt8(number), body: random.bytes(5), limit: nil)
        case 2: return .effectDone(id)
        case 3: return .effectAttempted(id, nextAttempt: Sample.time(UInt64(number)))
        case 4: return .parked(Bool.random(using: &random))
        case 5: return .invoiceOpened(Sample.invoice(number))
        case 6: return .invoiceSettled(hash, paid: MilliSatoshi(msat: 1000))
        case 7: return .invoiceCancelled(hash)
        case 8, 9: return .paymentIntended(Sample.intent(number), check: check)
        case 10:
            return .paymentSucceeded(
                hash,
                preimage: Sample.preimage(number),
                fee: MilliSatoshi(msat: Model.fee)
            )
        case 11: return .paymentFailed(hash)
        case 12:
            return Bool.random(using: &random) ? .paymentWithdrawn(hash) : .paymentAttempted(hash)
        default: return .finished
        }
    }

    // MARK: Outcomes

    private static func code(_ call: () throws -> Void) -> JournalError.Code? {
        do {
            try call()
            return nil
        } catch {
            return (error as? Model.Refusal)?.code ?? .damaged
        }
    }

    private static func outcome(
        _ call: () async throws(JournalError) -> some Sendable
    ) async -> JournalError.Code? {
        do {
            _ = try await call()
            return nil
        } catch {
            return error.code
        }
    }
}
