package import BridgeProtocol
import CrashPoints
package import Journal
package import LightningTypes
package import Logging
package import LndRPC

/// Makes and cancels invoices, and finds out what became of them.
///
/// Settlement is a fact to be established, not an event to be caught (design 4): the subscription is
/// the fast path, and looking up every open invoice is the truth. Writes nothing; recording
/// outcomes is the caller's. Calls return at once and need ``run()`` to be running to have an
/// effect.
package actor InvoiceDesk {
    /// How much the desk asks of lnd at a time.
    package struct Settings: Equatable, Sendable {
        /// How many calls that make or cancel an invoice may be under way: 16.
        package var concurrentCalls = 16
        /// How many lookups may begin in a second, however many invoices are open: 100.
        ///
        /// One is under way at a time, so a slow lnd is asked less.
        package var lookupsPerSecond = 100
        /// How often every open invoice is looked up without a reason: every five minutes.
        package var interval = Duration.seconds(300)
        /// How long after an invoice's expiry lnd's NotFound means "never paid": 600 s.
        package var expiryMarginSeconds: UInt64 = 600
        /// Whether invoices name the node's private channels.
        package var namesPrivateChannels = false
        /// How long to pause after failures.
        package var backoff = RetryBackoff()

        /// The settings for a real lnd.
        package init() {}
    }

    /// News of invoices, in order for each of them; ends with ``run()``.
    ///
    /// Not bounded by itself, but by the open invoices: a pass has at most one news of each.
    package nonisolated let outcomes: AsyncStream<InvoiceOutcome>

    /// An effect of a job's, which names an order for ever.
    private struct OrderID: Hashable, Sendable {
        var job: JobKey
        var effect: UInt64
    }

    private struct Order: Sendable {
        enum Kind: Sendable {
            case create(InvoiceOrder)
            case cancel(PaymentHash)
        }

        var kind: Kind
        var failures = 0
        /// How often lnd made the invoice end too late.
        var lateInvoices = 0
    }

    /// Something that takes time.
    private enum Deed: Sendable {
        case carryOut(OrderID, Order)
        case pause(OrderID, Duration)
    }

    let lnd: Lnd
    let journal: Journal
    let settings: Settings
    let now: @Sendable () -> UnixTime
    let logger: Logger

    /// Orders that were taken and have no outcome yet.
    private var known: Set<OrderID> = []
    /// Orders that may go out now; those before `head` are gone.
    private var queue: [(OrderID, Order)] = []
    private var head = 0
    private var paused: [OrderID: Order] = [:]
    private var running = 0
    /// How many seconds later than ours lnd's clock was when it last made an invoice.
    ///
    /// At least one, because both clocks are read in whole seconds.
    private var lead: UInt64 = 1

    /// The jobs of invoices made lately, to spare the journal a question; it knows all of them.
    private var recent: [PaymentHash: JobKey] = [:]
    /// Beyond this many they are forgotten.
    private static let rememberedInvoices = 4_096

    var pacer: CallPacer
    /// The last invoice a broken pass has looked up; nil after a whole one.
    var position: PaymentHash?
    var failedPasses = 0
    /// How often what happened, by a short stable name, for status.
    package private(set) var counters: [String: UInt64] = [:]

    private let news: AsyncStream<InvoiceOutcome>.Continuation
    private let deeds: AsyncStream<Deed>
    private let todo: AsyncStream<Deed>.Continuation
    let wishes: AsyncStream<Void>
    let wish: AsyncStream<Void>.Continuation

    /// Sets up a desk; there is one per journal.
    ///
    /// - Parameters:
    ///   - lnd: The node that is paid.
    ///   - journal: Where open invoices are known.
    ///   - settings: How much to ask of lnd.
    ///   - now: The bridge's clock.
    ///   - logger: Where to tell about it.
    package init(
        lnd: Lnd,
        journal: Journal,
        settings: Settings = Settings(),
        now: @escaping @Sendable () -> UnixTime,
        logger: Logger
    ) {
        self.lnd = lnd
        self.journal = journal
        self.settings = settings
        self.now = now
        self.logger = logger
        pacer = CallPacer(perSecond: settings.lookupsPerSecond)
        (outcomes, news) = AsyncStream.makeStream()
        (deeds, todo) = AsyncStream.makeStream()
        (wishes, wish) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Carries out what the other calls ask for, until it is cancelled; to be called once.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.makePasses() }
            group.addTask {
                while (try? await Task.sleep(for: self.settings.interval)) != nil {
                    self.wish.yield()
                }
            }
            for await deed in deeds {
                group.addTask {
                    switch deed {
                    case .carryOut(let id, let order): await self.carryOut(id, order)
                    case .pause(let id, let duration):
                        if (try? await Task.sleep(for: duration)) != nil { await self.wake(id) }
                    }
                }
            }
            group.cancelAll()
        }
        news.finish()
    }

    /// Asks lnd for an invoice, again while lnd is away, and until the invoice would be over.
    ///
    /// Outcome: `created` or `refused`. Repeating it while the effect has no outcome changes
    /// nothing; repeating it after a restart makes a second invoice, which does no harm, since the
    /// first was shown to nobody.
    ///
    /// - Parameters:
    ///   - order: What to ask for.
    ///   - job: The provider's job.
    ///   - effect: The effect's id.
    package func create(_ order: BusCreateInvoice, job: JobKey, effect: UInt64) {
        do throws(BusFailure) {
            let checked = try InvoiceOrder(order, job: job, now: now())
            take(OrderID(job: job, effect: effect), Order(kind: .create(checked)))
        } catch {
            count("invoices.refused")
            report(job, effect, .refused(error))
        }
    }

    /// Makes sure that an invoice can't be paid any more, however often it takes to reach lnd.
    ///
    /// Outcome: `cancelled`, or `settled` when it was paid; `notOurs` when the journal knows no
    /// such invoice of this job.
    ///
    /// - Parameters:
    ///   - hash: The invoice.
    ///   - job: The provider's job.
    ///   - effect: The effect's id.
    package func cancel(_ hash: PaymentHash, job: JobKey, effect: UInt64) {
        take(OrderID(job: job, effect: effect), Order(kind: .cancel(hash)))
    }

    /// Looks up every open invoice of the journal; to be called whenever news may have been missed.
    ///
    /// A pass that is under way is finished and followed by another.
    package func reconcile() {
        failedPasses = 0
        wish.yield()
        // lnd may be back: what waits for it need not wait longer.
        for (id, order) in paused { enqueue(id, order) }
        paused.removeAll()
        pump()
    }

    /// Says what an invoice from the subscription means, as far as it is a job's.
    ///
    /// Outcome: `settled`; nothing for invoices that are not settled or not of the journal.
    ///
    /// - Parameter invoice: As lnd sent it.
    package func observe(_ invoice: Invoice) async {
        guard invoice.state == .settled else { return }
        if let job = recent.removeValue(forKey: invoice.paymentHash) {
            return report(job, nil, .settled(invoice.paymentHash, invoice.amountPaid))
        }
        do {
            guard let record = try await journal.invoice(invoice.paymentHash) else { return }
            report(record.job, nil, .settled(invoice.paymentHash, invoice.amountPaid))
        } catch {
            // The next pass finds it.
            logger.error("an invoice can't be read", metadata: ["error": "\(error)"])
            wish.yield()
        }
    }

    /// How many orders have no outcome yet.
    package var outstanding: Int { known.count }

    func report(_ job: JobKey, _ effect: UInt64?, _ result: InvoiceOutcome.Result) {
        news.yield(InvoiceOutcome(job: job, effect: effect, result: result))
    }

    func count(_ name: String) { counters[name, default: 0] += 1 }
}

// MARK: - Orders

extension InvoiceDesk {
    private func take(_ id: OrderID, _ order: Order) {
        guard known.insert(id).inserted else { return }
        enqueue(id, order)
        pump()
    }

    private func enqueue(_ id: OrderID, _ order: Order) {
        queue.append((id, order))
    }

    /// Begins as many calls as may be under way.
    private func pump() {
        while running < settings.concurrentCalls, head < queue.count {
            let (id, order) = queue[head]
            head += 1
            running += 1
            todo.yield(.carryOut(id, order))
        }
        // Now and then, so that taking from the front costs nothing.
        guard head * 2 > queue.count else { return }
        queue.removeFirst(head)
        head = 0
    }

    private func wake(_ id: OrderID) {
        guard let order = paused.removeValue(forKey: id) else { return }
        enqueue(id, order)
        pump()
    }

    private func carryOut(_ id: OrderID, _ order: Order) async {
        switch order.kind {
        case .create(let invoice): await create(invoice, id, order)
        case .cancel(let hash): await cancel(hash, id, order)
        }
        running -= 1
        pump()
    }

    private func finish(_ id: OrderID, _ result: InvoiceOutcome.Result) {
        known.remove(id)
        report(id.job, id.effect, result)
    }

    private func again(_ id: OrderID, _ order: Order, _ error: LndError) {
        var order = order
        order.failures += 1
        count("invoices.calls_failed")
        logger.log(
            level: error.meansAway ? .debug : .notice,
            "call about an invoice failed",
            metadata: ["lcp.job": "\(id.job)", "error": "\(error)"]
        )
        let pause = settings.backoff.pause(after: order.failures, jitter: .random(in: 0..<1))
        paused[id] = order
        todo.yield(.pause(id, pause))
    }

    // MARK: Making

    private func create(_ invoice: InvoiceOrder, _ id: OrderID, _ order: Order) async {
        let asked = now()
        guard
            let request = invoice.request(
                now: asked,
                lead: lead,
                hints: settings.namesPrivateChannels
            )
        else {
            return refuse(
                id,
                BusFailure(
                    BusFailure.tooLate,
                    "the invoice would have been over before lnd could make it",
                    "See whether lnd is up; else let quotes last longer."
                )
            )
        }
        let added: AddedInvoice
        do {
            CrashPoint.beforeCreateInvoice.reach()
            added = try await lnd.addInvoice(request)
            CrashPoint.afterCreateInvoice.reach()
        } catch {
            switch InvoiceCreationVerdict(error.code) {
            case .refused: refuse(id, BusFailure(error))
            case .later: again(id, order, error)
            case .over: known.remove(id)
            }
            return
        }
        guard let made = invoice.made(added) else {
            await retract(added)
            return refuse(
                id,
                BusFailure(
                    "lnd-malformed-answer",
                    "lnd made another invoice than was ordered",
                    "Report this with lnd's version."
                )
            )
        }
        let lateness = made.timestamp.seconds - min(made.timestamp.seconds, asked.seconds)
        lead = max(lateness, 1)
        guard made.terms.expiresAt <= invoice.expiresAt else {
            await retract(added)
            return madeTooLate(id, order, lateness)
        }
        count("invoices.created")
        if recent.count >= Self.rememberedInvoices { recent.removeAll() }
        recent[added.paymentHash] = id.job
        finish(id, .created(added, made.terms))
    }

    private func refuse(_ id: OrderID, _ failure: BusFailure) {
        count("invoices.refused")
        logger.notice(
            "invoice refused",
            metadata: ["lcp.job": "\(id.job)", "error": "\(failure.code): \(failure.detail)"]
        )
        finish(id, .refused(failure))
    }

    /// Cancels an invoice that nobody will see; should that fail, it ends by itself.
    private func retract(_ added: AddedInvoice) async {
        try? await lnd.cancelInvoice(added.paymentHash)
    }

    /// The clocks differ by more than we knew; now we know.
    private func madeTooLate(_ id: OrderID, _ order: Order, _ lateness: UInt64) {
        var order = order
        order.lateInvoices += 1
        guard order.lateInvoices < 3 else {
            return refuse(
                id,
                BusFailure(
                    "clock-skew",
                    "lnd's clock is \(lateness) s ahead of the bridge's, and not steadily",
                    "Synchronise the clocks of both machines.",
                    isRetryable: true
                )
            )
        }
        enqueue(id, order)
    }

    // MARK: Cancelling

    private func cancel(_ hash: PaymentHash, _ id: OrderID, _ order: Order) async {
        let record: InvoiceRecord?
        do {
            record = try await journal.invoice(hash)
        } catch {
            return again(id, order, LndError(.notReached, "CancelInvoice: \(error)"))
        }
        guard let record, record.job == id.job else {
            // A job may name any hash; only its own invoices count.
            count("invoices.foreign")
            return finish(id, .notOurs(hash))
        }
        switch (record.state, record.paid) {
        case (.settled, let paid?): return finish(id, .settled(hash, paid))
        case (.cancelled, _): return finish(id, .cancelled(hash))
        case (.open, _), (.settled, nil): break
        }
        let (verdict, error) = await cancelInLnd(hash)
        switch verdict {
        case .settled(let paid?): finish(id, .settled(hash, paid))
        case .cancelled: finish(id, .cancelled(hash))
        case .notFound where isHopeless(record.terms): finish(id, .cancelled(hash))
        case .over: known.remove(id)
        case .settled(nil), .notFound, .open, .unknown:
            again(id, order, error ?? LndError(.other, "CancelInvoice: the invoice is open"))
        }
    }

    private func cancelInLnd(_ hash: PaymentHash) async -> (InvoiceVerdict, LndError?) {
        do {
            CrashPoint.beforeCancelInvoice.reach()
            try await lnd.cancelInvoice(hash)
            CrashPoint.afterCancelInvoice.reach()
            return (.cancelled, nil)
        } catch {
            let verdict = InvoiceVerdict(error.code)
            // lnd says that it was paid; how much, only a lookup tells.
            return verdict == .settled(nil) ? await lookUp(hash) : (verdict, error)
        }
    }
}
