import BOLT11
import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import LndRPC
import LndSim
import Synchronization
import Testing

@testable import Bridge

/// Invoices of a simulated lnd, and what becomes of them.
@Suite(.timeLimit(.minutes(10))) struct InvoiceDeskTests {
    private func order(_ bench: MoneyBench, seconds: UInt64 = 600) -> BusCreateInvoice {
        var order = BusCreateInvoice()
        order.amountMsat = 5000
        order.descriptionHash = Data(repeating: 7, count: 32)
        order.expiryUnix = bench.clock.now.seconds + seconds
        order.profile = "test"
        return order
    }

    /// Makes an invoice and commits that it is open.
    private func open(
        _ number: Int = 1,
        _ bench: MoneyBench,
        _ journal: Journal,
        _ desk: InvoiceDesk,
        _ news: inout News<InvoiceOutcome>
    ) async throws -> (JobKey, LndRPC.AddedInvoice) {
        let job = MoneyBench.job(number, peer: MoneyBench.samplePeer, role: .provider)
        try await bench.add(job, to: journal)
        await desk.create(order(bench), job: job, effect: 1)
        let outcome = try await news.next()
        guard case .created(let added, _) = outcome.result, let fact = outcome.fact else {
            throw Unexpected(outcome: outcome)
        }
        try await journal.record([fact], for: job, at: bench.clock.now)
        return (job, added)
    }

    private struct Unexpected: Error {
        let outcome: InvoiceOutcome
    }

    private func pay(_ added: LndRPC.AddedInvoice, _ bench: MoneyBench) async throws {
        let order = PaymentOrder(
            paymentRequest: added.paymentRequest,
            feeLimit: .zero,
            timeoutSeconds: 10
        )
        _ = try await bench.alice.sendPaymentV2(order) { try await $0.finalState() }
    }

    private func settled(_ outcome: InvoiceOutcome) -> UInt64? {
        if case .settled(_, let amount) = outcome.result { amount.msat } else { nil }
    }

    private func cancelled(_ outcome: InvoiceOutcome) -> PaymentHash? {
        if case .cancelled(let hash) = outcome.result { hash } else { nil }
    }

    // MARK: Making

    @Test func `an order becomes an invoice bound to the terms that ends in time`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let job = MoneyBench.job(1, peer: MoneyBench.samplePeer, role: .provider)
            try await bench.withInvoiceDesk(journal) { desk, news in
                let order = order(bench)
                await desk.create(order, job: job, effect: 3)
                await desk.create(order, job: job, effect: 3)
                let outcome = try await news.next()
                guard case .created(let added, let terms) = outcome.result else {
                    throw Unexpected(outcome: outcome)
                }
                #expect(outcome.job == job && outcome.effect == 3)
                let invoice = try BOLT11Invoice(
                    decoding: added.paymentRequest.reveal("to read it")
                )
                #expect(invoice.payee == bench.bobID)
                #expect(invoice.description == .hash(try #require(Bytes32(order.descriptionHash))))
                #expect(invoice.expiresAt == terms.expiresAt)
                #expect(terms.expiresAt.seconds <= order.expiryUnix)
                #expect(terms.expiresAt.seconds >= order.expiryUnix - 1)
                #expect(outcome.event?.invoiceCreated.paymentRequest.hasPrefix("lnbcrt") == true)
                // The repeated order was the same one.
                #expect(await desk.outstanding == 0)
                #expect(try await bench.bob.listInvoices().elements.count == 1)
            }
        }
    }

    @Test func `many orders at once all have their outcome`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            try await bench.withInvoiceDesk(journal) { desk, news in
                for number in UInt64(1)...100 {
                    let job = MoneyBench.job(1, peer: MoneyBench.samplePeer, role: .provider)
                    await desk.create(order(bench), job: job, effect: number)
                }
                var effects: Set<UInt64> = []
                for _ in 0..<100 { effects.insert(try await news.next().effect ?? 0) }
                #expect(effects == Set(1...100))
            }
        }
    }

    @Test func `an lnd whose clock is ahead makes invoices that end in time all the same`()
        async throws
    {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let behind: @Sendable () -> UnixTime = {
                UnixTime(seconds: bench.clock.now.seconds - 40)
            }
            try await bench.withInvoiceDesk(journal, now: behind) { desk, news in
                for effect in UInt64(1)...2 {
                    let job = MoneyBench.job(1, peer: MoneyBench.samplePeer, role: .provider)
                    var order = order(bench)
                    order.expiryUnix -= 40
                    await desk.create(order, job: job, effect: effect)
                    guard case .created(_, let terms) = try await news.next().result else {
                        Issue.record("no invoice")
                        return
                    }
                    #expect(terms.expiresAt.seconds <= order.expiryUnix)
                }
                // The first one taught us; it was cancelled, and the second needed no second try.
                let states = try await bench.bob.listInvoices().elements.map(\.state)
                #expect(states == [.canceled, .open, .open])
            }
        }
    }

    @Test func `while lnd is away orders wait, and end when it would be too late`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let job = MoneyBench.job(1, peer: MoneyBench.samplePeer, role: .provider)
            try await bench.change("bob") { $0.setWalletState(.locked, of: $1) }
            try await bench.withInvoiceDesk(journal) { desk, news in
                await desk.create(order(bench, seconds: 600), job: job, effect: 1)
                await desk.create(order(bench, seconds: 100), job: job, effect: 2)
                try await until {
                    await desk.counters["invoices.calls_failed", default: 0] >= 4
                }
                bench.clock.advance(bySeconds: 100)
                let late = try await news.next()
                guard case .refused(let failure) = late.result else {
                    throw Unexpected(outcome: late)
                }
                #expect(late.effect == 2 && failure.code == "too-late")
                #expect(late.event?.invoiceFailed.failure.code == "too-late")
                try await bench.change("bob") { $0.setWalletState(.serverActive, of: $1) }
                await desk.reconcile()
                let told1 = try await news.next()
                #expect(told1.effect == 1)
            }
        }
    }

    // MARK: Cancelling

    @Test func `cancelling ends an invoice, or finds out that it was paid`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            try await bench.withInvoiceDesk(journal) { desk, news in
                let (job, invoice) = try await open(1, bench, journal, desk, &news)
                for effect in UInt64(2)...3 {
                    await desk.cancel(invoice.paymentHash, job: job, effect: effect)
                    let outcome = try await news.next()
                    #expect(outcome.effect == effect)
                    #expect(cancelled(outcome) == invoice.paymentHash)
                }
                #expect(try await bench.bob.lookupInvoice(invoice.paymentHash).state == .canceled)

                let (paidJob, paid) = try await open(2, bench, journal, desk, &news)
                try await pay(paid, bench)
                await desk.cancel(paid.paymentHash, job: paidJob, effect: 2)
                let outcome = try await news.next()
                #expect(settled(outcome) == 5000 && outcome.effect == 2)
                let fact = try #require(outcome.fact)
                try await journal.record([fact], for: paidJob, at: bench.clock.now)
                // From the books this time.
                await desk.cancel(paid.paymentHash, job: paidJob, effect: 3)
                let told2 = try await news.next()
                #expect(settled(told2) == 5000)
            }
        }
    }

    @Test func `a job can't cancel what is not its own`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let stranger = MoneyBench.job(9, peer: MoneyBench.samplePeer, role: .provider)
            try await bench.withInvoiceDesk(journal) { desk, news in
                let (_, invoice) = try await open(1, bench, journal, desk, &news)
                let own = try await bench.bob.addInvoice(
                    NewInvoice(
                        amount: MilliSatoshi(msat: 1000),
                        description: .hash(.zero),
                        expirySeconds: 600
                    )
                )
                for (effect, hash) in [(1, invoice.paymentHash), (2, own.paymentHash)] {
                    await desk.cancel(hash, job: stranger, effect: UInt64(effect))
                    let outcome = try await news.next()
                    guard case .notOurs(hash) = outcome.result else {
                        throw Unexpected(outcome: outcome)
                    }
                    #expect(outcome.fact == nil && outcome.event == nil)
                    #expect(try await bench.bob.lookupInvoice(hash).state == .open)
                }
            }
        }
    }

    // MARK: Finding out

    @Test func `a settlement while the bridge was away is found`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let made = Mutex<(JobKey, LndRPC.AddedInvoice)?>(nil)
            try await bench.withInvoiceDesk(journal) { desk, news in
                let opened = try await open(1, bench, journal, desk, &news)
                made.withLock { $0 = opened }
            }
            try await journal.close()
            let (job, invoice) = try #require(made.withLock { $0 })
            try await pay(invoice, bench)
            try await bench.withInvoiceDesk(try bench.openJournal()) { desk, news in
                await desk.reconcile()
                let outcome = try await news.next()
                #expect(outcome.job == job && outcome.effect == nil)
                #expect(settled(outcome) == 5000)
            }
        }
    }

    @Test func `every open invoice is looked up, and only those that changed are told`()
        async throws
    {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            try await bench.withInvoiceDesk(journal) { desk, news in
                var invoices: [LndRPC.AddedInvoice] = []
                for number in 1...6 {
                    invoices.append(try await open(number, bench, journal, desk, &news).1)
                }
                try await pay(invoices[2], bench)
                try await bench.bob.cancelInvoice(invoices[4].paymentHash)
                await desk.reconcile()
                let outcomes = [try await news.next(), try await news.next()]
                #expect(outcomes.compactMap(settled) == [5000])
                #expect(outcomes.compactMap(cancelled) == [invoices[4].paymentHash])
                try await until { await desk.counters["invoices.passes", default: 0] >= 1 }
                #expect(await desk.counters["invoices.lookups"] == 6)
            }
        }
    }

    @Test func `a pass that lnd broke off is made again until it comes round`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            try await bench.withInvoiceDesk(journal) { desk, news in
                let (_, invoice) = try await open(1, bench, journal, desk, &news)
                _ = try await open(2, bench, journal, desk, &news)
                try await pay(invoice, bench)
                try await bench.change("bob") { $0.setWalletState(.locked, of: $1) }
                await desk.reconcile()
                try await until {
                    await desk.counters["invoices.passes_broken", default: 0] >= 3
                }
                try await bench.change("bob") { $0.setWalletState(.serverActive, of: $1) }
                let told3 = try await news.next()
                #expect(settled(told3) == 5000)
            }
        }
    }

    @Test func `an invoice that is settled after its nominal expiry is settled`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            try await bench.withInvoiceDesk(journal) { desk, news in
                let (_, invoice) = try await open(1, bench, journal, desk, &news)
                try await bench.change("bob") {
                    $0.delayExpiryWatcher(byMilliseconds: 3_600_000, of: $1)
                }
                try await bench.fail(.hang)
                async let payment: Void = pay(invoice, bench)
                try await bench.untilInFlight()
                bench.clock.advance(bySeconds: 700)
                await desk.reconcile()
                try await until { await desk.counters["invoices.passes", default: 0] >= 1 }
                try await bench.release(succeed: true)
                try await payment
                await desk.reconcile()
                let told4 = try await news.next()
                #expect(settled(told4) == 5000)
            }
        }
    }

    @Test func `an invoice that lnd has lost is over only after its expiry and a margin`()
        async throws
    {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let job = MoneyBench.job(1, peer: MoneyBench.samplePeer, role: .provider)
            try await bench.add(job, to: journal)
            let terms = InvoiceTerms(
                hash: PaymentHash(.zero),
                amount: MilliSatoshi(msat: 1000),
                expiresAt: bench.clock.now.advanced(bySeconds: 100),
                profile: "test"
            )
            try await journal.record([.invoiceOpened(terms)], for: job, at: bench.clock.now)
            try await bench.withInvoiceDesk(journal) { desk, news in
                await desk.cancel(terms.hash, job: job, effect: 5)
                await desk.reconcile()
                bench.clock.advance(bySeconds: 700)
                try await until {
                    let counters = await desk.counters
                    return counters["invoices.missing", default: 0] >= 1
                        && counters["invoices.calls_failed", default: 0] >= 2
                }
                #expect(await desk.outstanding == 1)
                bench.clock.advance(bySeconds: 1)
                let outcome = try await news.next()
                #expect(outcome.effect == 5 && cancelled(outcome) == terms.hash)
                await desk.reconcile()
                let told5 = try await news.next()
                #expect(cancelled(told5) == terms.hash)
            }
        }
    }

    @Test func `the subscription's news are told for invoices of the journal alone`()
        async throws
    {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            try await bench.withInvoiceDesk(journal) { desk, news in
                let (job, invoice) = try await open(1, bench, journal, desk, &news)
                var seen = try await bench.bob.lookupInvoice(invoice.paymentHash)
                await desk.observe(seen)
                seen.state = .settled
                seen.amountPaid = MilliSatoshi(msat: 77)
                var foreign = seen
                foreign.paymentHash = PaymentHash(.zero)
                await desk.observe(foreign)
                await desk.observe(seen)
                let outcome = try await news.next()
                #expect(outcome.job == job && settled(outcome) == 77)
            }
        }
    }
}
