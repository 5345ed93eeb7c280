import BOLT11
import LCPCore
import LCPTesting
import LCPWire
import LightningCrypto
import LightningTypes

/// One requester and one provider, each with a bridge that crashes, joined by a network that loses,
/// repeats and reorders, and by one lnd that never lies.
///
/// A bridge here does what the journal's one durable step promises and no more: a step is committed
/// or not; effects run at once or after the commit; outcomes that lnd knows are found again after a
/// crash, messages are not.
struct SimulatedMarket {
    // MARK: - lnd

    enum InvoiceState { case open, settled, cancelled }

    struct Invoice {
        var state = InvoiceState.open
        var expiresAt: UnixTime
        var jobID: JobID
    }

    enum Payment: Equatable {
        case inFlight
        case succeeded
        case failed
        /// Was never tried and never will be.
        case withdrawn
    }

    // MARK: - What travels

    enum Payload {
        case quoteRequest
        case quote(V01.QuoteResponse)
        case result(ProviderJob.Output)
        case error(V01.Failure)
        case cancel
    }

    struct Message {
        var toProvider: Bool
        var jobID: JobID
        var id: MessageID
        var payload: Payload
    }

    // MARK: - One side

    /// A job as a bridge keeps it: committed state, news to be handled, effects that have run.
    struct Row<Job, Event, Effect: Equatable> {
        var job: Job
        var news: [Event] = []
        var ran: [Effect] = []
        var isFinished = false
    }

    typealias ProviderRow = Row<ProviderJob, ProviderJob.Event, ProviderJob.Effect>
    typealias RequesterRow = Row<RequesterJob, RequesterJob.Event, RequesterJob.Effect>

    /// How often what was wanted to happen did.
    struct Counts {
        var lost = 0
        var repeated = 0
        var crashes = 0
        var settled = 0
        var answeredByResult = 0
        var answeredByError = 0
        var unpaid = 0
        var askedAgain = 0
        var overtaken = 0
        var cancelledAndPaid = 0
        var paymentsAfterWithdrawal = 0
    }

    var random: SeededGenerator
    var now = Sample.now
    var isStormy = true
    let request: V01.QuoteRequest
    let providerNode: NodeID
    let requesterNode: NodeID

    var invoices: [PaymentHash: Invoice] = [:]
    var payments: [PaymentHash: Payment] = [:]
    var network: [Message] = []
    var provider: [JobID: ProviderRow] = [:]
    var providerOrder: [JobID] = []
    var requester: RequesterRow
    var running: Set<JobID> = []
    var nextID: UInt64 = 0
    var counts = Counts()
    var violations: [String] = []

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        request = try Sample.request()
        providerNode = try Sample.providerKey().publicKey
        requesterNode = try Sample.peer()
        let job = RequesterJob(peer: providerNode, jobID: Sample.id(9))
        requester = RequesterRow(job: job)
        let agreed: MilliSatoshi? = Bool.random(using: &random) ? MilliSatoshi(msat: 60_000) : nil
        requester.news = [.submitted(request, ceiling: agreed)]
    }

    mutating func fresh<ID: Identifier32>() -> ID {
        nextID += 1
        return ID(SHA256.hash([UInt8](String(nextID).utf8)))
    }

    mutating func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }

    // MARK: - Steps

    mutating func stepProvider(_ id: JobID, with event: ProviderJob.Event) throws {
        guard let row = provider[id] else { return }
        let context = ProviderContext(
            now: now,
            freshMessageID: fresh(),
            peer: Sample.stranger,
            rules: ProviderRules(prices: Sample.prices)
        )
        var job = row.job
        job.handle(event, in: context)
        let isCommitted = !(isStormy && chance(4))
        for effect in job.outstanding where effect.timing == .atOnce {
            if !row.ran.contains(effect) { try run(effect, of: id, isCommitted: isCommitted) }
        }
        guard isCommitted else { return crashProvider(losing: event, of: id) }
        provider[id]?.job = job
    }

    mutating func stepRequester(with event: RequesterJob.Event) throws {
        let context = RequesterContext(
            now: now,
            freshMessageID: fresh(),
            freshJobID: fresh(),
            rules: RequesterRules(network: .regtest)
        )
        var job = requester.job
        job.handle(event, in: context)
        note(event, job)
        let isCommitted = !(isStormy && chance(4))
        for effect in job.outstanding where effect.timing == .atOnce {
            if !requester.ran.contains(effect) { run(effect, isCommitted: isCommitted) }
        }
        guard isCommitted else { return crashRequester(losing: event) }
        requester.job = job
    }

    private mutating func note(_ event: RequesterJob.Event, _ job: RequesterJob) {
        if case .paymentSucceeded = event {
            if requester.job.phase == .withdrawing { counts.paymentsAfterWithdrawal += 1 }
            if requester.job.phase == .paying, job.phase == .ended { counts.overtaken += 1 }
        }
    }

    // MARK: - Crashes

    /// Forgets the step; what lnd or the journal knows comes again, a message does not.
    private mutating func crashProvider(losing event: ProviderJob.Event, of id: JobID) {
        counts.crashes += 1
        switch event {
        case .quoteRequested, .cancelRequested, .woken, .resumed: break
        case .invoiceCreated, .invoiceNotCreated: provider[id]?.ran.removeAll()
        case .invoiceSettled, .invoiceCancelled, .computed, .computeFailed, .computeCancelled,
            .sent, .tooLargeToSend,
            .answeredByBridge:
            provider[id]?.news.append(event)
        }
        for id in providerOrder {
            // Everything outstanding runs again.
            provider[id]?.ran.removeAll()
            provider[id]?.news.append(.resumed(downtimeSeconds: 1))
        }
        lookUpInvoices()
    }

    private mutating func crashRequester(losing event: RequesterJob.Event) {
        counts.crashes += 1
        switch event {
        case .quoteReceived, .woken, .resumed, .peerReturned, .paymentInFlight: break
        case .resultReceived, .errorReceived:
            // Committed on arrival while the job is being paid or is paid.
            if [.paying, .withdrawing, .awaitingAnswer].contains(requester.job.phase) {
                requester.news.append(event)
            }
        // The client submits again under the same key; the rest is known to lnd or the journal.
        case .submitted, .accepted, .cancelledByClient, .paymentSucceeded, .paymentFailed, .sent,
            .tooLargeToSend,
            .notified:
            requester.news.append(event)
        }
        requester.ran.removeAll()
        requester.news.append(.resumed(downtimeSeconds: 1))
    }

    mutating func lookUpInvoices() {
        for id in providerOrder {
            guard [.quoted, .withdrawing].contains(provider[id]?.job.phase),
                let hash = quote(of: id)?.paymentHash, let invoice = invoices[hash]
            else { continue }
            switch invoice.state {
            case .open: break
            case .settled: provider[id]?.news.append(.invoiceSettled(hash))
            case .cancelled: provider[id]?.news.append(.invoiceCancelled(hash))
            }
        }
    }

    func quote(of id: JobID) -> ProviderJob.Quote? {
        switch provider[id]?.job.state {
        case .quoted(let quote), .withdrawing(let quote, _), .closed(let quote, _, _),
            .executing(let quote, _), .answered(let quote, _, _):
            quote
        case .unquoted, .awaitingInvoice, .droppingInvoice, .finished, nil: nil
        }
    }

    // MARK: - Effects

    mutating func run(_ effect: ProviderJob.Effect, of id: JobID, isCommitted: Bool) throws {
        // A bridge that dies on the way has not noted that the effect ran, nor its outcome.
        if isCommitted { provider[id]?.ran.append(effect) }
        var outcome: ProviderJob.Event?
        switch effect {
        case .createInvoice(let order):
            let preimage: PaymentHash = fresh()
            let hash = PaymentHash(SHA256.hash(preimage.bytes.bytes))
            let expiry = order.expirySeconds(at: now)
            let text = try Sample.invoice(
                amount: order.amount,
                description: .hash(order.descriptionHash.bytes),
                paymentHash: hash,
                timestamp: now,
                expirySeconds: expiry
            )
            invoices[hash] = Invoice(expiresAt: now.advanced(bySeconds: expiry), jobID: id)
            outcome = .invoiceCreated(hash, Redacted(text))
        case .cancelInvoice(let hash):
            if invoices[hash]?.state == .settled {
                outcome = .invoiceSettled(hash)
            } else {
                invoices[hash]?.state = .cancelled
                outcome = .invoiceCancelled(hash)
            }
        case .sendQuote(let quote, let message, _):
            send(.quote(quote.response), message, id, toProvider: false)
            outcome = .sent(message)
        case .sendResult(let output, let message, let sending):
            if sending == .again { counts.askedAgain += 1 }
            send(.result(output), message, id, toProvider: false)
            outcome = .sent(message)
        case .sendError(let failure, let message, _):
            send(.error(failure), message, id, toProvider: false)
            outcome = .sent(message)
        case .startCompute:
            let isPaid = invoices.values.contains { $0.jobID == id && $0.state == .settled }
            if !isPaid { violations.append("executed before settlement") }
            running.insert(id)
        case .cancelCompute:
            running.remove(id)
            outcome = .computeCancelled
        case .finish:
            let isOpen = quote(of: id).map { invoices[$0.paymentHash]?.state == .open } ?? false
            if isOpen { violations.append("forgot an open invoice") }
            provider[id]?.isFinished = true
        }
        if let outcome, isCommitted { provider[id]?.news.append(outcome) }
    }

    mutating func run(_ effect: RequesterJob.Effect, isCommitted: Bool) {
        if isCommitted { requester.ran.append(effect) }
        var outcome: RequesterJob.Event?
        switch effect {
        case .sendQuoteRequest(let id, let message):
            send(.quoteRequest, message, id, toProvider: true)
            outcome = .sent(message)
        case .sendCancel(let id, let message):
            send(.cancel, message, id, toProvider: true)
            outcome = .sent(message)
        case .pay(let intent):
            let hash = intent.offer.paymentHash
            // By hash: a second call changes nothing.
            if payments[hash] == nil {
                payments[hash] = now <= intent.offer.notAfter ? .inFlight : .failed
            }
        case .withdrawPayment(let hash):
            if payments[hash] == nil { payments[hash] = .withdrawn }
        case .notifyClient(let notice):
            if case .quoted = notice {
                requester.news.append(.accepted(ceiling: MilliSatoshi(msat: 60_000)))
            }
            outcome = .notified(notice)
        case .finish: requester.isFinished = true
        }
        if let outcome, isCommitted { requester.news.append(outcome) }
    }

    private mutating func send(
        _ payload: Payload,
        _ id: MessageID,
        _ jobID: JobID,
        toProvider: Bool
    ) {
        // lnd says "sent" even when nobody receives.
        guard !(isStormy && chance(25)) else {
            counts.lost += 1
            return
        }
        let message = Message(toProvider: toProvider, jobID: jobID, id: id, payload: payload)
        network.append(message)
        while isStormy && chance(20) {
            counts.repeated += 1
            network.append(message)
        }
    }
}
