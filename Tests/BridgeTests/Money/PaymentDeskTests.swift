import BOLT11
import BridgeProtocol
import Foundation
import Journal
import LightningCrypto
import LightningTypes
import LndRPC
import LndSim
import Testing

@testable import Bridge

/// Payments against a simulated lnd and its faults.
@Suite(.timeLimit(.minutes(10))) struct PaymentDeskTests {
    private func code(_ outcome: PaymentOutcome) -> String? {
        if case .failed(_, let failure) = outcome.result { failure?.code } else { nil }
    }

    private func cause(_ outcome: PaymentOutcome) -> BusPaymentFailed.Cause? {
        if case .failed(let cause, _) = outcome.result { cause } else { nil }
    }

    private func isPaid(_ outcome: PaymentOutcome) -> Bool {
        guard case .succeeded(let preimage, _) = outcome.result else { return false }
        return SHA256.hash(preimage.secret.reveal("to check it").bytes) == outcome.hash.bytes
    }

    @Test func `an intent becomes a payment with proof, and the books say so`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let (job, hash, _) = try await bench.intend(1, journal)
            try await bench.withDesk(journal) { desk, news in
                await desk.begin(hash, job: job)
                await desk.begin(hash, job: job)
                let outcome = try await news.ending()
                #expect(outcome.job == job && outcome.hash == hash && isPaid(outcome))
                #expect(outcome.event.paymentSucceeded.preimage.count == 32)
                #expect(try await journal.payment(hash)?.attempted == true)
                let fact = try #require(outcome.fact)
                try await journal.record([fact], for: job, at: bench.clock.now)
                #expect(try await journal.payment(hash)?.status == .succeeded)
                // What is over is told again to whoever asks.
                await desk.withdraw(hash, job: job)
                let told1 = try await news.ending()
                #expect(isPaid(told1))
                #expect(await desk.followed == 0)
            }
            #expect(await bench.sends() == 1)
        }
    }

    // MARK: Lost calls

    @Test func `a call lost before lnd registered the payment is made again after asking`()
        async throws
    {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let (job, hash, _) = try await bench.intend(1, journal)
            try await bench.fail(.loseCall, count: 3)
            try await bench.withDesk(journal) { desk, news in
                await desk.begin(hash, job: job)
                let told2 = try await news.ending()
                #expect(isPaid(told2))
                #expect(await desk.counters["payments.asked", default: 0] >= 3)
            }
            #expect(await bench.sends() == 4)
        }
    }

    @Test func `what lnd never had is given up only after the invoice's end and a margin`()
        async throws
    {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let (job, hash, _) = try await bench.intend(1, journal)
            try await bench.fail(.loseCall)
            try await bench.withDesk(journal) { desk, news in
                await desk.begin(hash, job: job)
                try await until { await bench.sends() == 1 }
                // From here on no call may be made; the invoice ends at 600, the margin at 1200.
                var asked: UInt64 = 0
                for seconds in [300, 300, 600] as [UInt64] {
                    bench.clock.advance(bySeconds: seconds)
                    asked = await desk.counters["payments.asked", default: 0]
                    try await until {
                        await desk.counters["payments.asked", default: 0] > asked + 2
                    }
                    #expect(await desk.followed == 1)
                }
                bench.clock.advance(bySeconds: 1)
                let outcome = try await news.ending()
                #expect(cause(outcome) == .tooLate)
            }
        }
    }

    @Test(arguments: [0, 1])
    func `a success that only tracking sees is a success`(_ updates: Int) async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let (job, hash, _) = try await bench.intend(1, journal)
            try await bench.fail(.breakStream(afterUpdates: updates))
            try await bench.withDesk(journal) { desk, news in
                await desk.begin(hash, job: job)
                let told3 = try await news.ending()
                #expect(isPaid(told3))
                #expect(await desk.counters["payments.asked", default: 0] >= 1)
            }
            #expect(await bench.sends() == 1)
        }
    }

    @Test func `a payment may be in flight for longer than the quote, and over an lnd restart`()
        async throws
    {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let (job, hash, _) = try await bench.intend(1, journal)
            try await bench.fail(.hang)
            try await bench.withDesk(journal) { desk, news in
                await desk.begin(hash, job: job)
                let told4 = try await news.next()
                #expect(told4.result == .inFlight)
                try await bench.untilInFlight()
                try await bench.change("bob") {
                    $0.delayExpiryWatcher(byMilliseconds: 3_600_000, of: $1)
                }
                try await bench.change {
                    $0.restartNode($1, downMilliseconds: 0, millisecondsPerState: 0)
                }
                try await bench.alice.waitUntilReady { _ in }
                await desk.resume()
                bench.clock.advance(bySeconds: 2000)
                try await bench.release(succeed: true)
                let told5 = try await news.ending()
                #expect(isPaid(told5))
            }
            #expect(await bench.sends() == 1)
        }
    }

    @Test func `while lnd's wallet is locked nothing is lost`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let (paying, hash, _) = try await bench.intend(1, journal)
            let (leaving, other, _) = try await bench.intend(2, journal)
            try await bench.change { $0.setWalletState(.locked, of: $1) }
            try await bench.withDesk(journal) { desk, news in
                await desk.begin(hash, job: paying)
                await desk.begin(other, job: leaving)
                try await until { await bench.sends() >= 4 }
                // lnd has certainly begun nothing, so a withdrawal needs no waiting.
                await desk.withdraw(other, job: leaving)
                let withdrawn = try await news.ending()
                #expect(withdrawn.hash == other && cause(withdrawn) == .withdrawn)
                try await bench.change { $0.setWalletState(.serverActive, of: $1) }
                await desk.resume()
                let paid = try await news.ending()
                #expect(paid.hash == hash && isPaid(paid))
            }
        }
    }

    // MARK: Failures

    @Test func `lnd's reasons reach the worker`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let reasons: [(PaymentFailureReason, String)] = [
                (.timeout, "lnd-timeout"), (.noRoute, "lnd-no-route"), (.error, "lnd-error"),
                (.incorrectPaymentDetails, "lnd-incorrect-payment-details"),
                (.insufficientBalance, "lnd-insufficient-balance"), (.canceled, "lnd-canceled"),
            ]
            try await bench.withDesk(journal) { desk, news in
                for (number, (reason, expected)) in reasons.enumerated() {
                    let (job, hash, _) = try await bench.intend(number, journal)
                    try await bench.fail(.fail(reason))
                    await desk.begin(hash, job: job)
                    let outcome = try await news.ending()
                    #expect(cause(outcome) == .lnd && code(outcome) == expected)
                    #expect(outcome.event.paymentFailed.failure.code == expected)
                    let fact = try #require(outcome.fact)
                    try await journal.record([fact], for: job, at: bench.clock.now)
                    #expect(try await journal.payment(hash)?.status == .failed)
                }
            }
        }
    }

    @Test func `a macaroon that can't pay fails the payment at once`() async throws {
        try await MoneyBench.run { bench in
            let macaroon = try await bench.alice.bakeMacaroon([
                MacaroonPermission(entity: "info", action: "read")
            ])
            let path = bench.journalPath + ".macaroon"
            try Data(macaroon.reveal("to use it")).write(to: URL(filePath: path))
            let weak = try MoneyBench.client(of: bench.aliceNode, macaroon: path)
            let journal = try bench.openJournal()
            let (job, hash, _) = try await bench.intend(1, journal)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await weak.run() }
                try await weak.waitUntilReady { _ in }
                try await bench.withDesk(journal, lnd: weak) { desk, news in
                    await desk.begin(hash, job: job)
                    let outcome = try await news.ending()
                    #expect(cause(outcome) == .lnd && code(outcome) == "lnd-permission-denied")
                }
                weak.beginGracefulShutdown()
            }
        }
    }

    @Test func `an invoice that somebody else pays with this node is paid once`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let (job, hash, pay) = try await bench.intend(1, journal)
            let order = PaymentOrder(
                paymentRequest: Redacted(pay.paymentRequest),
                feeLimit: .zero,
                timeoutSeconds: 10
            )
            _ = try await bench.alice.sendPaymentV2(order) { try await $0.finalState() }
            try await bench.withDesk(journal) { desk, news in
                await desk.begin(hash, job: job)
                let told6 = try await news.ending()
                #expect(isPaid(told6))
            }
            #expect(try await bench.alice.channelBalance().local.msat == 10_000_000_000 - 5000)
        }
    }

    // MARK: Orders

    @Test func `what is withdrawn before the call is never called for`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let (first, hash, _) = try await bench.intend(1, journal)
            let (second, other, _) = try await bench.intend(2, journal)
            try await bench.withDesk(journal) { desk, news in
                await desk.withdraw(hash, job: first)
                await desk.begin(hash, job: first)
                let told7 = try await news.ending()
                #expect(cause(told7) == .withdrawn)
                // Both wait for the journal then, and the withdrawal is in time.
                await desk.begin(other, job: second)
                await desk.withdraw(other, job: second)
                var outcomes: [PaymentOutcome] = []
                while outcomes.last?.hash != other { outcomes.append(try await news.ending()) }
                #expect(outcomes.last.flatMap(cause) == .withdrawn)
            }
        }
    }

    @Test(arguments: [true, false])
    func `what is withdrawn after the call is followed to its end`(_ succeeds: Bool) async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let (job, hash, _) = try await bench.intend(1, journal)
            try await bench.fail(.hang)
            try await bench.withDesk(journal) { desk, news in
                await desk.begin(hash, job: job)
                let told8 = try await news.next()
                #expect(told8.result == .inFlight)
                try await bench.untilInFlight()
                await desk.withdraw(hash, job: job)
                // What fails on its way would be tried again; in lnd its time is over.
                bench.clock.advance(bySeconds: 400)
                try await bench.release(succeed: succeeds)
                let outcome = try await news.ending()
                #expect(isPaid(outcome) == succeeds)
                if !succeeds { #expect(cause(outcome) == .lnd) }
            }
            #expect(await bench.sends() == 1)
        }
    }

    @Test func `a job can't reach into another job's payment`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let (job, hash, _) = try await bench.intend(1, journal)
            let stranger = MoneyBench.job(9, peer: bench.bobID)
            try await bench.add(stranger, to: journal)
            try await bench.withDesk(journal) { desk, news in
                await desk.withdraw(hash, job: stranger)
                await desk.begin(hash, job: stranger)
                for _ in 0..<2 {
                    let outcome = try await news.next()
                    #expect(outcome.job == stranger && outcome.result == .notIntended)
                    #expect(outcome.fact == nil)
                    #expect(outcome.event.paymentFailed.cause == .withdrawn)
                }
                #expect(await bench.sends() == 0)
                await desk.withdraw(PaymentHash(.zero), job: stranger)
                let told9 = try await news.next()
                #expect(told9.result == .notIntended)
                await desk.begin(hash, job: job)
                let told10 = try await news.ending()
                #expect(isPaid(told10))
                #expect(await desk.counters["payments.foreign"] == 3)
            }
        }
    }

    @Test func `after not_after no call is made`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            let (job, hash, _) = try await bench.intend(1, journal)
            bench.clock.advance(bySeconds: 300)
            try await bench.withDesk(journal) { desk, news in
                await desk.begin(hash, job: job)
                let told11 = try await news.ending()
                #expect(cause(told11) == .tooLate)
            }
            #expect(await bench.sends() == 0)
        }
    }

    @Test func `a rule that was tightened since the commit stops the call`() async throws {
        try await MoneyBench.run { bench in
            let journal = try bench.openJournal()
            var dry = bench.rules
            dry.isDryRun = true
            var poor = bench.rules
            poor.perPayment = .zero
            var lonely = bench.rules
            lonely.allowedPayees = []
            let cases = [
                (dry, "dry-run"), (poor, "per-payment-limit"), (lonely, "payee-not-allowed"),
            ]
            for (number, (rules, expected)) in cases.enumerated() {
                let (job, hash, _) = try await bench.intend(number, journal)
                try await bench.withDesk(journal, rules: rules) { desk, news in
                    await desk.begin(hash, job: job)
                    let outcome = try await news.ending()
                    #expect(cause(outcome) == .refused && code(outcome) == expected)
                }
            }
            #expect(await bench.sends() == 0)
        }
    }

    // MARK: Restarts

    @Test func `a payment in flight outlives the process and is not made again`() async throws {
        try await MoneyBench.run { bench in
            var journal = try bench.openJournal()
            let (job, hash, _) = try await bench.intend(1, journal)
            try await bench.fail(.hang)
            try await bench.withDesk(journal) { desk, news in
                await desk.begin(hash, job: job)
                let told12 = try await news.next()
                #expect(told12.result == .inFlight)
                try await bench.untilInFlight()
            }
            try await journal.close()
            journal = try bench.openJournal()
            try await bench.withDesk(journal) { desk, news in
                await desk.begin(hash, job: job)
                await desk.resume()
                let told13 = try await news.next()
                #expect(told13.result == .inFlight)
                try await bench.untilInFlight()
                try await bench.release(succeed: true)
                let told14 = try await news.ending()
                #expect(isPaid(told14))
            }
            #expect(await bench.sends() == 1)
        }
    }

    @Test func `after a restart a payment is called for only when its order still stands`()
        async throws
    {
        try await MoneyBench.run { bench in
            var journal = try bench.openJournal()
            let (standing, hash, _) = try await bench.intend(1, journal)
            let (withdrawn, other, _) = try await bench.intend(2, journal)
            // The process dies between the commit and the call.
            try await journal.close()
            journal = try bench.openJournal()
            try await bench.withDesk(journal) { desk, news in
                await desk.resume()
                try await until { await desk.counters["payments.asked", default: 0] >= 6 }
                #expect(await bench.sends() == 0)
                await desk.withdraw(other, job: withdrawn)
                await desk.begin(hash, job: standing)
                let paid = try await news.ending()
                #expect(paid.hash == hash && isPaid(paid))
                #expect(await bench.sends() == 1)
                // Whether the last process called, nobody knows; in the end it does not matter.
                bench.clock.advance(bySeconds: 1201)
                let outcome = try await news.ending()
                #expect(outcome.hash == other && cause(outcome) == .withdrawn)
            }
            #expect(await bench.sends() == 1)
        }
    }

    @Test func `a failure while the process was away is found and told`() async throws {
        try await MoneyBench.run { bench in
            var journal = try bench.openJournal()
            let (job, hash, _) = try await bench.intend(1, journal)
            try await bench.fail(.hang)
            try await bench.withDesk(journal) { desk, news in
                await desk.begin(hash, job: job)
                let told15 = try await news.next()
                #expect(told15.result == .inFlight)
                try await bench.untilInFlight()
            }
            try await journal.close()
            bench.clock.advance(bySeconds: 400)
            try await bench.release(succeed: false)
            journal = try bench.openJournal()
            try await bench.withDesk(journal) { desk, news in
                await desk.resume()
                try await until { await desk.counters["payments.asked", default: 0] >= 2 }
                // Nothing that the last process sent can linger any more.
                bench.clock.advance(bySeconds: 61)
                let outcome = try await news.ending()
                #expect(outcome.job == job && cause(outcome) == .lnd)
            }
        }
    }

    @Test func `every unresolved payment is found again, page by page`() async throws {
        try await MoneyBench.run { bench in
            var journal = try bench.openJournal()
            for number in 0..<30 { _ = try await bench.intend(number, journal) }
            let hashes = Set(try await journal.unresolvedPayments().map(\.intent.hash))
            try await journal.close()
            journal = try bench.openJournal()
            try await bench.withDesk(journal) { desk, news in
                await desk.resume()
                await desk.resume()
                #expect(await desk.followed == 30)
                bench.clock.advance(bySeconds: 1201)
                var found: Set<PaymentHash> = []
                while found.count < 30 {
                    let outcome = try await news.ending()
                    #expect(cause(outcome) == .tooLate)
                    found.insert(outcome.hash)
                }
                #expect(found == hashes && hashes.count == 30)
            }
            #expect(await bench.sends() == 0)
        }
    }
}
