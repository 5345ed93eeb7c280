import BridgeProtocol
import BOLT11
package import Journal
package import LightningTypes
package import Logging
import LndRPC

/// Makes payments and follows them to certainty; nothing else calls SendPaymentV2.
///
/// Decides nothing: ``MoneyRules`` has allowed the payment, ``PaymentCourse`` says what to do. Writes
/// one fact, `paymentAttempted`, before the first call; recording outcomes is the caller's. Calls
/// return at once and need ``run()`` to be running to have an effect.
///
/// There is at most one call per payment hash under way, so an order to pay and one to withdraw
/// can't cross. Payments are bounded by the jobs that asked for them; the calls that only ask are
/// spread evenly, however many payments there are.
package actor PaymentDesk {
    /// How patient the desk is.
    package struct Settings: Equatable, Sendable {
        /// How long after an invoice's expiry lnd's NotFound means "never", in seconds: 600.
        ///
        /// Covers clocks that differ, and calls that linger on their way to lnd.
        package var expiryMarginSeconds: UInt64 = 600
        /// How long a lost call may linger on its way to an lnd that answers others: a minute.
        package var lingerSeconds: UInt64 = 60
        /// How many TrackPaymentV2 calls may begin in a second: 50.
        package var asksPerSecond = 50
        /// How long to pause after failures.
        package var backoff = RetryBackoff()
        /// When a payment that still runs is worth a word to its job: after ten seconds.
        package var noticeAfter = Duration.seconds(10)

        /// The settings for a real lnd.
        package init() {}
    }

    /// News of payments, in order for each of them; ends with ``run()``.
    ///
    /// Not bounded by itself, but by the payments under way: each has at most two news.
    package nonisolated let outcomes: AsyncStream<PaymentOutcome>

    struct Entry {
        var course: PaymentCourse
        let record: PaymentRecord
        /// Tells what is being done from what was overtaken.
        var ticket: UInt64 = 0
    }

    /// An order of a job's.
    private struct Call {
        enum Kind { case begin, withdraw }
        var kind: Kind
        var job: JobKey
    }

    /// Something that takes time.
    enum Deed: Sendable {
        case load(PaymentHash)
        case step(PaymentHash, ticket: UInt64, PaymentCourse.Next)
        case remind(PaymentHash)
    }

    let lnd: Lnd
    let journal: Journal
    let rules: MoneyRules
    let settings: Settings
    let now: @Sendable () -> UnixTime
    let logger: Logger

    var entries: [PaymentHash: Entry] = [:]
    /// Orders that wait for their payment to be read from the journal.
    private var arrivals: [PaymentHash: [Call]] = [:]
    var pacer: CallPacer
    /// How often what happened, by a short stable name, for status.
    package private(set) var counters: [String: UInt64] = [:]

    private let news: AsyncStream<PaymentOutcome>.Continuation
    private let deeds: AsyncStream<Deed>
    private let todo: AsyncStream<Deed>.Continuation

    /// Sets up a desk; there is one per journal.
    ///
    /// - Parameters:
    ///   - lnd: The node that pays.
    ///   - journal: Where intents are committed.
    ///   - rules: What may still be paid when a call is made.
    ///   - settings: How patient to be.
    ///   - now: The bridge's clock.
    ///   - logger: Where to tell about it.
    package init(
        lnd: Lnd,
        journal: Journal,
        rules: MoneyRules,
        settings: Settings = Settings(),
        now: @escaping @Sendable () -> UnixTime,
        logger: Logger
    ) {
        self.lnd = lnd
        self.journal = journal
        self.rules = rules
        self.settings = settings
        self.now = now
        self.logger = logger
        pacer = CallPacer(perSecond: settings.asksPerSecond)
        (outcomes, news) = AsyncStream.makeStream()
        (deeds, todo) = AsyncStream.makeStream()
    }

    /// Carries out what the other calls ask for, until it is cancelled; to be called once.
    ///
    /// Cancellation ends the calls to lnd and not the payments: the next start follows them.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for await deed in deeds {
                group.addTask { await self.carryOut(deed) }
            }
            group.cancelAll()
        }
        news.finish()
    }

    /// Pays: the intent is committed, and the job's effect stands.
    ///
    /// Repeating it changes nothing. After a restart lnd is asked first, and is called only if it
    /// has no such payment and `not_after` has not passed.
    ///
    /// - Parameters:
    ///   - hash: What to pay for.
    ///   - job: The job whose intent it is; another job's is left alone.
    package func begin(_ hash: PaymentHash, job: JobKey) {
        take(Call(kind: .begin, job: job), hash)
    }

    /// Makes sure that a payment never begins, or is followed to its end if it may have begun.
    ///
    /// There is always an outcome, also for a payment the journal knows the end of, or does not
    /// know.
    ///
    /// - Parameters:
    ///   - hash: What is not to be paid for.
    ///   - job: The job whose intent it is; another job's is left alone.
    package func withdraw(_ hash: PaymentHash, job: JobKey) {
        take(Call(kind: .withdraw, job: job), hash)
    }

    /// Asks lnd about every unresolved payment of the journal; to be called whenever lnd is ready.
    ///
    /// Makes no payment by itself: that needs ``begin(_:job:)``, so a withdrawal that is
    /// outstanding can't be overtaken. Returns when all are known, not when all are resolved.
    package func resume() async {
        for hash in Array(entries.keys) { advance(hash, by: .lndReady) }
        var last: PaymentHash?
        while !Task.isCancelled {
            let page: [PaymentRecord]
            do {
                page = try await journal.unresolvedPayments(after: last, limit: Self.pageLength)
            } catch {
                // The next time lnd is ready they are read again; status shows the reservation.
                logger.error("payments can't be read", metadata: ["error": "\(error)"])
                return
            }
            for record in page where entries[record.intent.hash] == nil {
                open(record)
                advance(record.intent.hash, by: .lndReady)
            }
            guard page.count == Self.pageLength else { return }
            last = page.last?.intent.hash
        }
    }

    /// How many payments are being followed.
    package var followed: Int { entries.count }

    private static let pageLength = 500

    // MARK: - Orders

    private func take(_ call: Call, _ hash: PaymentHash) {
        if let entry = entries[hash] { return deliver(call, hash, entry.record) }
        arrivals[hash, default: []].append(call)
        // The first one brings the payment in for all of them, in order.
        if arrivals[hash]?.count == 1 { todo.yield(.load(hash)) }
    }

    func load(_ hash: PaymentHash) async {
        var failures = 0
        while !Task.isCancelled {
            do {
                let record = try await journal.payment(hash)
                if let record, record.status == .unresolved, entries[hash] == nil { open(record) }
                for call in arrivals.removeValue(forKey: hash) ?? [] {
                    deliver(call, hash, entries[hash]?.record ?? record)
                }
                return
            } catch {
                failures += 1
                logger.error("a payment can't be read", metadata: ["error": "\(error)"])
                let pause = settings.backoff.pause(after: failures, jitter: .random(in: 0..<1))
                try? await Task.sleep(for: pause)
            }
        }
    }

    private func deliver(_ call: Call, _ hash: PaymentHash, _ record: PaymentRecord?) {
        func report(_ result: PaymentOutcome.Result, _ amount: MilliSatoshi) {
            news.yield(
                PaymentOutcome(job: call.job, hash: hash, amount: amount, result: result)
            )
        }
        guard let record, record.job == call.job else {
            // A job may name any hash; only its own intents count.
            count("payments.foreign")
            return report(.notIntended, .zero)
        }
        let amount = record.intent.amount
        switch (record.status, record.preimage, call.kind) {
        case (.unresolved, _, .begin):
            if let objection = rules.objection(to: record) {
                advance(hash, by: .stop(.refused, objection))
            } else {
                advance(hash, by: .begin)
            }
        case (.unresolved, _, .withdraw): advance(hash, by: .stop(.withdrawn, nil))
        case (.succeeded, let preimage?, _):
            report(.succeeded(preimage, fee: record.fee ?? .zero), amount)
        case (.failed, _, _), (.succeeded, nil, _): report(.failed(.withdrawn, nil), amount)
        }
    }

    private func open(_ record: PaymentRecord) {
        let invoice = try? BOLT11Invoice(decoding: Self.invoice(of: record.intent))
        let terms = PaymentCourse.Terms(
            intendedAt: record.intendedAt,
            notAfter: record.intent.notAfter,
            hopelessAfter: invoice?.expiresAt
                .advanced(bySeconds: settings.expiryMarginSeconds),
            attemptSeconds: rules.attemptSeconds,
            lingerSeconds: settings.lingerSeconds,
            backoff: settings.backoff
        )
        entries[record.intent.hash] = Entry(
            course: PaymentCourse(terms, attempted: record.attempted, now: now()),
            record: record
        )
    }

    static func invoice(of intent: PaymentIntent) -> String {
        String(decoding: intent.instruction.reveal("lnd pays the invoice"), as: UTF8.self)
    }

    // MARK: - Moves

    /// Tells a payment's course what happened and does what follows.
    func advance(
        _ hash: PaymentHash,
        by event: PaymentCourse.Event,
        ticket: UInt64? = nil
    ) {
        guard var entry = entries[hash], ticket == nil || ticket == entry.ticket else { return }
        let reaction = entry.course.handle(event, now: now(), jitter: .random(in: 0..<1))
        if let next = reaction.next {
            entry.ticket += 1
            todo.yield(.step(hash, ticket: entry.ticket, next))
            if case .send = next { todo.yield(.remind(hash)) }
        }
        entries[hash] = entry.course.state == .ended ? nil : entry
        if let result = reaction.report { report(result, of: entry.record) }
    }

    private func report(_ result: PaymentOutcome.Result, of record: PaymentRecord) {
        let metadata: Logger.Metadata = [
            "lcp.job": "\(record.job)", "lnd.payment_hash": "\(record.intent.hash)",
        ]
        switch result {
        case .inFlight:
            count("payments.slow")
            logger.info("payment takes its time", metadata: metadata)
        case .succeeded(_, let fee):
            count("payments.succeeded")
            logger.info("payment succeeded", metadata: metadata)
            if fee > record.intent.maxFee {
                count("payments.fee_above_limit")
                logger.error("lnd paid more fees than it was allowed to", metadata: metadata)
            }
        case .failed(_, let failure):
            count("payments.failed")
            var metadata = metadata
            metadata["error"] = failure.map { "\($0.code): \($0.detail)" }
            logger.notice("payment failed", metadata: metadata)
        case .notIntended: break
        }
        news.yield(
            PaymentOutcome(
                job: record.job,
                hash: record.intent.hash,
                amount: record.intent.amount,
                result: result
            )
        )
    }

    func count(_ name: String) { counters[name, default: 0] += 1 }
}
