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
    struct OrderID: Hashable, Sendable {
        var job: JobKey
        var effect: UInt64
    }

    struct Order: Sendable {
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
    enum Deed: Sendable {
        case carryOut(OrderID, Order)
        case pause(OrderID, Duration)
    }

    let lnd: Lnd
    let journal: Journal
    let settings: Settings
    let now: @Sendable () -> UnixTime
    let logger: Logger

    /// Orders that were taken and have no outcome yet.
    var known: Set<OrderID> = []
    /// Orders that may go out now; those before `head` are gone.
    var queue: [(OrderID, Order)] = []
    var head = 0
    var paused: [OrderID: Order] = [:]
    var running = 0
    /// How many seconds later than ours lnd's clock was when it last made an invoice.
    ///
    /// At least one, because both clocks are read in whole seconds.
    var lead: UInt64 = 1

    /// The jobs of invoices made lately, to spare the journal a question; it knows all of them.
    var recent: [PaymentHash: JobKey] = [:]
    /// Beyond this many they are forgotten.
    static let rememberedInvoices = 4_096

    var pacer: CallPacer
    /// The last invoice a broken pass has looked up; nil after a whole one.
    var position: PaymentHash?
    var failedPasses = 0
    /// How often what happened, by a short stable name, for status.
    package private(set) var counters: [String: UInt64] = [:]

    let news: AsyncStream<InvoiceOutcome>.Continuation
    let deeds: AsyncStream<Deed>
    let todo: AsyncStream<Deed>.Continuation
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
