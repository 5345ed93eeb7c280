import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import SwiftProtobuf

// What happens to jobs, and how it gets to their workers.
extension Engine {
    // MARK: - Messages

    /// Takes a peer's message in, for a job that may not exist yet.
    mutating func receive(
        _ message: JobMessage,
        for key: JobKey,
        _ input: EngineInput,
        _ now: UnixTime
    ) {
        withJob(key, input) { $0.receive(message, for: $1, now) }
    }

    private mutating func receive(_ message: JobMessage, for job: LiveJob, _ now: UnixTime) {
        guard job.events.count < limits.waitingEvents else {
            count("message.job_full")
            // Nothing keeps it, so it is no replay when it comes again.
            return put(.forget(message))
        }
        let event = BusJobEvent.with { $0.message = message.bus }
        // The session has counted the peer's entries.
        let fact = Fact.received(message.replayEntry, quota: nil)
        if job.isPaid {
            // A crash must not lose it: the peer has no reason to say it again.
            recordEvent(event, for: job, [fact], limit: limits.waitingEvents, ticket: nil)
        } else {
            job.events.append(
                LiveJob.QueuedEvent(event: event, facts: [fact], isRequeued: message.isRequeued)
            )
        }
        advance(job, now)
    }

    /// An input for a job that is not in the journal.
    mutating func missing(_ input: EngineInput, _ now: UnixTime) {
        switch input {
        case .message(let message, let key):
            guard key.role == .provider, message.type == 42_083 else {
                return count("message.unknown_job")
            }
            let side = PeerSide(peer: key.peer, role: key.role)
            guard openJobs < limits.openJobs, active[side] ?? 0 < limits.activeJobsPerPeer else {
                count("message.no_room")
                return put(.refuse(message))
            }
            // A second message of the same job may have come while the first waited.
            if jobs[key] == nil {
                begin(LiveJob(key: key, at: now))
                unstarted.insert(key)
            }
            handle(input, at: now)

        case .accept(let ticket, _, _), .cancel(let ticket, _), .retry(let ticket, _):
            put(.answer(ticket, .failure(.unknownJob)))
        case .submit, .stepped, .computed, .gaveUp, .loaded, .committed, .recorded, .due, .sent,
            .invoiceCreated, .invoiceRefused, .invoiceSettled, .invoiceCancelled, .invoiceForeign,
            .paymentInFlight,
            .paymentSucceeded, .paymentFailed, .restored, .peerReturned, .unblocked, .tick, .drain:
            count("input.unknown_job")
        }
    }

    // MARK: - Clients

    /// Makes a requester's job of a submission; the client hears when it is on disk.
    mutating func submit(
        _ ticket: ClientTicket,
        _ key: JobKey,
        _ client: ClientKey,
        _ submit: BusSubmit,
        _ now: UnixTime
    ) {
        let side = PeerSide(peer: key.peer, role: key.role)
        guard openJobs < limits.openJobs, active[side] ?? 0 < limits.activeJobsPerPeer else {
            return put(.answer(ticket, .failure(.tooManyJobs)))
        }
        let job = LiveJob(key: key, at: now)
        begin(job)
        job.view.stage = .quoting
        job.view.taskKind = submit.taskKind
        let input = [UInt8](submit.input)
        (job.input, job.inputBytes) = (input, UInt64(input.count))
        let event = BusJobEvent.with { event in
            event.submitted = .with {
                $0.taskKind = submit.taskKind
                $0.input = submit.input
                $0.params = submit.params
                if submit.hasMaxPriceMsat { $0.maxPriceMsat = submit.maxPriceMsat }
            }
        }
        let sequence = job.takeSequence()
        var facts: [Fact] = [.wireID(key.id), .event(event, limit: nil, sequence: sequence)]
        note(wireID: key.id, of: job)
        if submit.hasMaxPriceMsat {
            let ceiling = MilliSatoshi(msat: submit.maxPriceMsat).clamped
            job.ceiling = ceiling
            facts.append(.authorised(ceiling))
        }
        job.events.append(
            LiveJob.QueuedEvent(event: event, sequence: sequence)
        )
        var shown = job.summary
        shown.version = 1
        write(
            Step(
                job: key,
                version: 0,
                at: now,
                state: [],
                notice: job.notice,
                input: .store(Redacted(input)),
                client: client,
                facts: facts
            ),
            for: job,
            LiveJob.Writing(
                version: 1,
                events: [],
                tickets: [ticket],
                payments: [:],
                shown: shown
            )
        )
        advance(job, now)
    }

    /// A client agrees to a price; repeating it changes nothing once the job is beyond.
    mutating func accept(
        _ job: LiveJob,
        _ ticket: ClientTicket,
        _ ceiling: MilliSatoshi,
        _ now: UnixTime
    ) {
        guard job.key.role == .requester else {
            return put(.answer(ticket, .failure(.notARequesterJob)))
        }
        switch job.view.stage {
        case .unspecified, .quoting, .quoted: break
        case .paying, .running, .done, .failed, .cancelled, .unanswered, .paidFailed,
            .UNRECOGNIZED:
            return put(.answer(ticket, .job(job.shown)))
        }
        let ceiling = ceiling.clamped
        job.ceiling = ceiling
        let event = BusJobEvent.with { event in
            event.accepted = .with { $0.maxPriceMsat = ceiling.msat }
        }
        recordEvent(
            event,
            for: job,
            [.authorised(ceiling)],
            limit: limits.waitingEvents,
            ticket: ticket
        )
        advance(job, now)
    }

    /// A client gives a job up.
    mutating func cancel(_ job: LiveJob, _ ticket: ClientTicket, _ now: UnixTime) {
        guard job.key.role == .requester else {
            return put(.answer(ticket, .failure(.notARequesterJob)))
        }
        // Whatever a worker makes of it: nothing is paid from here on that was not decided before.
        job.ceiling = nil
        let event = BusJobEvent.with { $0.clientCancelled = BusClientCancelled() }
        recordEvent(
            event,
            for: job,
            [.authorised(nil)],
            limit: limits.waitingEvents,
            ticket: ticket
        )
        advance(job, now)
    }

    /// A person takes a parked job up again.
    mutating func retry(_ job: LiveJob, _ ticket: ClientTicket, _ now: UnixTime) {
        guard job.isParked else { return put(.answer(ticket, .job(job.shown))) }
        job.isParked = false
        job.faults = 0
        parkedJobs -= 1
        record([.parked(false)], for: job, .parking(false, ticket))
        if job.events.isEmpty { job.events.append(.woken) }
        advance(job, now)
    }

    // MARK: - Time, peers and starts

    /// Wakes jobs, and answers paid ones in place of workers that did not.
    mutating func due(
        wake: [JobKey],
        answer: [JobKey],
        _ now: UnixTime
    ) {
        for key in wake {
            withJob(key, .due(wake: [key], answer: [])) { engine, job in
                guard let time = job.wakeAt, time <= now, job.step == nil,
                    !job.events.contains(where: { $0.event.isWoken })
                else { return }
                job.events.append(.woken)
                engine.advance(job, now)
            }
        }
        for key in answer {
            withJob(key, .due(wake: [], answer: [key])) { engine, job in
                guard let time = job.answerBy, time <= now else { return }
                engine.answerInPlace(job, now)
            }
        }
    }

    /// The peer may have missed something, or we may have.
    mutating func peerReturned(_ job: LiveJob, _ now: UnixTime) {
        guard job.key.role == .requester, job.finishedAt == nil else { return }
        if job.isPaying { job.mayHaveMissedAnswer = true }
        guard !job.events.contains(where: { $0.event.isPeerReturned }) else { return }
        job.events.append(.peerReturned)
        advance(job, now)
    }

    /// Counts an open job in, and takes it up when something is to be done for it.
    mutating func restored(_ open: OpenJob, _ downtime: UInt64, _ now: UnixTime) {
        let summary = open.summary
        let view = (try? BusJobView(serializedBytes: summary.notice)) ?? BusJobView()
        let probe = LiveJob(key: summary.key, at: summary.createdAt)
        probe.view = view
        openJobs += 1
        if summary.isParked { parkedJobs += 1 }
        if probe.isActive {
            active[PeerSide(peer: summary.key.peer, role: summary.key.role), default: 0] += 1
        }
        let mustHear: Bool
        switch view.stage {
        case .paying, .running: mustHear = true
        case .quoting, .quoted, .unanswered: mustHear = summary.key.role == .requester
        case .unspecified, .done, .failed, .cancelled, .paidFailed, .UNRECOGNIZED: mustHear = false
        }
        guard mustHear || !open.outstanding.isEmpty || open.events > 0 else { return }
        if mustHear {
            resumedEvents[summary.key] = BusJobEvent.with { event in
                event.resumed = .with { $0.downtimeSeconds = downtime }
            }
        }
        // Only to have it read.
        let input = EngineInput.due(wake: [summary.key], answer: [])
        withJob(summary.key, input) { _, _ in }
    }

    /// Takes up what a job that was just read has outstanding.
    mutating func resume(_ job: LiveJob, _ now: UnixTime) {
        if job.isPaid { put(.paid(job.key, true)) }
        if let event = resumedEvents.removeValue(forKey: job.key) {
            job.events.append(LiveJob.QueuedEvent(event: event))
            if job.isPaying { job.mayHaveMissedAnswer = true }
        }
        for id in job.effects.keys.sorted() { run(id, of: job, now) }
        advance(job, now)
    }

    /// Tries again what waited for a peer.
    mutating func unblock(_ peer: NodeID?, _ now: UnixTime) {
        let peers = peer.map { [$0] } ?? blocked.keys.sorted()
        for peer in peers {
            for key in (blocked.removeValue(forKey: peer) ?? []).sorted() { sendBlocked(key, now) }
        }
    }

    private mutating func sendBlocked(_ key: JobKey, _ now: UnixTime) {
        guard let job = jobs[key], !job.isLost else { return }
        for (id, effect) in job.effects.sorted(by: { $0.key < $1.key })
        where effect.phase == .blocked {
            run(id, of: job, now)
        }
    }

    /// A full disk loses the same news again and again.
    private static let invoiceLookupSeconds: UInt64 = 10

    /// An lnd that is away for long is not asked for all at once.
    private static let retriesPerTick = 256

    /// Records sends that no step came for.
    mutating func recordSends() {
        for key in unrecorded.sorted() {
            guard let job = jobs[key], !job.isLost, job.step == nil, !job.doneSends.isEmpty
            else { continue }
            let done = job.doneSends.sorted()
            job.doneSends = []
            record(done.map { .effectDone($0) }, for: job, .done)
        }
        unrecorded = []
    }

    /// Records what was sent, tries what lnd could not send, and looks whether finished jobs may go.
    mutating func tick(_ now: UnixTime) {
        recordSends()
        if isInvoiceNewsLost, now >= nextInvoiceLookup {
            isInvoiceNewsLost = false
            nextInvoiceLookup = now.advanced(bySeconds: Self.invoiceLookupSeconds)
            put(.lookUpInvoices)
        }
        for key in retrying.sorted().prefix(Self.retriesPerTick) {
            retrying.remove(key)
            sendBlocked(key, now)
        }
        for key in unstarted.sorted() {
            guard let job = jobs[key], job.version == 0 else {
                unstarted.remove(key)
                continue
            }
            // No worker took it, and its request has expired.
            guard job.createdAt.advanced(bySeconds: Self.requestSeconds) < now else { continue }
            unstarted.remove(key)
            count("message.no_worker")
            drop(job)
        }
        for key in finishing.sorted() {
            guard let job = jobs[key] else { continue }
            finishIfDone(job, now)
        }
    }

    /// As long as a receiver honours an envelope (LCP v0.1 §4.2).
    private static let requestSeconds: UInt64 = 600

    /// Forgets a job that was never written.
    mutating func drop(_ job: LiveJob) {
        if let step = job.step {
            orders[step.order] = nil
            put(.withdraw(step.order, job.key.role.worker, .cancelled))
        }
        let side = PeerSide(peer: job.key.peer, role: job.key.role)
        active[side, default: 1] -= 1
        if active[side] == 0 { active[side] = nil }
        openJobs -= 1
        forget(job)
    }

    // MARK: - Outcomes of effects

    mutating func invoiceCreated(
        _ job: LiveJob,
        _ effect: UInt64,
        _ terms: InvoiceTerms,
        _ text: Redacted<String>,
        _ now: UnixTime
    ) {
        // An invoice that nobody waits for was never sent: it ends by itself.
        guard job.effects[effect] != nil, job.invoices[terms.hash] == nil else { return }
        job.invoices[terms.hash] = .open
        let event = BusJobEvent.with { event in
            event.invoiceCreated = .with {
                $0.paymentHash = Data(terms.hash.bytes.bytes)
                $0.paymentRequest = text.reveal("the worker quotes it")
            }
        }
        queue(event, for: job, facts: [.invoiceOpened(terms)], completes: [effect], now)
    }

    mutating func invoiceRefused(
        _ job: LiveJob,
        _ effect: UInt64,
        _ failure: BusFailure,
        _ now: UnixTime
    ) {
        guard job.effects[effect] != nil else { return }
        let event = BusJobEvent.with { event in
            event.invoiceFailed = .with { $0.failure = failure }
        }
        queue(event, for: job, completes: [effect], now)
    }

    mutating func invoiceSettled(
        _ job: LiveJob,
        _ hash: PaymentHash,
        _ paid: MilliSatoshi,
        _ now: UnixTime
    ) {
        guard let known = job.invoices[hash], known != .settled else { return }
        let (wasActive, wasPaid) = (job.isActive, job.isPaid)
        job.invoices[hash] = .settled
        recount(job, wasActive: wasActive, wasPaid: wasPaid)
        let event = BusJobEvent.with { event in
            event.invoiceSettled = .with {
                $0.paymentHash = Data(hash.bytes.bytes)
                $0.amountMsat = paid.msat
            }
        }
        let facts: [Fact] = [.invoiceSettled(hash, paid: paid)]
        let cancels = job.effectIDs { $0.cancelled == hash }
        recordEvent(event, for: job, facts, completes: cancels, limit: nil, ticket: nil)
        advance(job, now)
    }

    mutating func invoiceCancelled(_ job: LiveJob, _ hash: PaymentHash, _ now: UnixTime) {
        let cancels = job.effectIDs { $0.cancelled == hash }
        guard let known = job.invoices[hash], known == .open || !cancels.isEmpty else { return }
        if known == .settled { return invoiceSettled(job, hash, .zero, now) }
        job.invoices[hash] = .cancelled
        let event = BusJobEvent.with { event in
            event.invoiceCancelled = .with { $0.paymentHash = Data(hash.bytes.bytes) }
        }
        let facts: [Fact] = [.invoiceCancelled(hash)]
        recordEvent(event, for: job, facts, completes: cancels, limit: nil, ticket: nil)
        advance(job, now)
    }

    /// Nothing of the job's could be paid through it, so it counts as cancelled for the worker.
    mutating func invoiceForeign(_ job: LiveJob, _ hash: PaymentHash, _ now: UnixTime) {
        let cancels = job.effectIDs { $0.cancelled == hash }
        guard !cancels.isEmpty else { return }
        let event = BusJobEvent.with { event in
            event.invoiceCancelled = .with { $0.paymentHash = Data(hash.bytes.bytes) }
        }
        queue(event, for: job, completes: cancels, now)
    }

    mutating func paymentInFlight(_ job: LiveJob, _ hash: PaymentHash, _ now: UnixTime) {
        guard job.payments[hash] == .unresolved else { return }
        let event = BusJobEvent.with { event in
            event.paymentInFlight = .with { $0.paymentHash = Data(hash.bytes.bytes) }
        }
        queue(event, for: job, now)
    }

    mutating func paymentSucceeded(
        _ job: LiveJob,
        _ hash: PaymentHash,
        _ preimage: Preimage,
        _ fee: MilliSatoshi,
        _ now: UnixTime
    ) {
        guard let known = job.payments[hash], known != .succeeded else { return }
        let (wasActive, wasPaid) = (job.isActive, job.isPaid)
        job.payments[hash] = .succeeded
        recount(job, wasActive: wasActive, wasPaid: wasPaid)
        let event = BusJobEvent.with { event in
            event.paymentSucceeded = .with {
                $0.paymentHash = Data(hash.bytes.bytes)
                $0.preimage = Data(preimage.secret.reveal("the client's proof").bytes)
                $0.feeMsat = fee.msat
            }
        }
        let pays = job.effectIDs { $0.paid == hash }
        let facts: [Fact] = [.paymentSucceeded(hash, preimage: preimage, fee: fee)]
        recordEvent(event, for: job, facts, completes: pays, limit: nil, ticket: nil)
        if job.mayHaveMissedAnswer {
            // Only now the worker may ask for it.
            job.mayHaveMissedAnswer = false
            job.events.append(.peerReturned)
        }
        advance(job, now)
    }

    mutating func paymentFailed(
        _ job: LiveJob,
        _ hash: PaymentHash,
        _ cause: BusPaymentFailed.Cause,
        _ failure: BusFailure?,
        _ now: UnixTime
    ) {
        let pays = job.effectIDs { $0.paid == hash }
        let event = BusJobEvent.with { event in
            event.paymentFailed = .with {
                $0.paymentHash = Data(hash.bytes.bytes)
                $0.cause = cause
                if let failure { $0.failure = failure }
            }
        }
        switch job.payments[hash] {
        case .succeeded: return
        case .unresolved:
            let (wasActive, wasPaid) = (job.isActive, job.isPaid)
            job.payments[hash] = .failed
            recount(job, wasActive: wasActive, wasPaid: wasPaid)
            recordEvent(
                event,
                for: job,
                [.paymentFailed(hash)],
                completes: pays,
                limit: nil,
                ticket: nil
            )
            advance(job, now)
        case .failed, nil:
            // Refused before it was intended, or told twice.
            guard !pays.isEmpty else { return }
            queue(event, for: job, completes: pays, now)
        }
    }

    // MARK: - Queueing

    /// Queues an event that a crash may forget: its cause comes again.
    mutating func queue(
        _ event: BusJobEvent,
        for job: LiveJob,
        facts: [Fact] = [],
        completes: [UInt64] = [],
        _ now: UnixTime
    ) {
        job.events.append(
            LiveJob.QueuedEvent(event: event, facts: facts, completes: completes)
        )
        advance(job, now)
    }

    /// Records an event with what happened, and queues it at once: the step that answers it is
    /// written after it.
    mutating func recordEvent(
        _ event: BusJobEvent,
        for job: LiveJob,
        _ facts: [Fact],
        completes: [UInt64] = [],
        limit: Int?,
        ticket: ClientTicket?
    ) {
        let sequence = job.takeSequence()
        let all = facts + [.event(event, limit: limit, sequence: sequence)]
        record(all, for: job, .event(ticket))
        job.events.append(
            LiveJob.QueuedEvent(
                event: event,
                sequence: sequence,
                completes: completes
            )
        )
    }

    mutating func record(_ facts: [Fact], for job: LiveJob, _ purpose: RecordPurpose) {
        job.unconfirmed += 1
        put(.record(facts, job.key, purpose))
    }

    mutating func note(wireID id: Bytes32, of job: LiveJob) {
        job.wireIDs.insert(id)
        wireIDs[WireName(peer: job.key.peer, jobID: id)] = job.key
    }
}

extension LiveJob {
    /// The journal's next place for an event of this job.
    func takeSequence() -> UInt64 {
        defer { nextSequence += 1 }
        return nextSequence
    }

    /// The ids of outstanding effects of a kind, in order.
    func effectIDs(where matches: (BusEffect.OneOf_Body) -> Bool) -> [UInt64] {
        effects.filter { matches($0.value.body) }.keys.sorted()
    }

    /// What the client sees, for the journal.
    var notice: Step.Notice {
        // A message of scalar fields without required ones always encodes.
        let body: [UInt8] = (try? view.serializedBytes()) ?? []
        return Step.Notice(stage: UInt8(clamping: view.stage.rawValue), body: body)
    }
}

extension LiveJob.QueuedEvent {
    static var woken: Self {
        LiveJob.QueuedEvent(event: .with { $0.woken = BusWoken() })
    }

    static var peerReturned: Self {
        LiveJob.QueuedEvent(event: .with { $0.peerReturned = BusPeerReturned() })
    }
}

extension BusJobEvent {
    var isWoken: Bool { if case .woken = body { true } else { false } }
    var isResumed: Bool { if case .resumed = body { true } else { false } }
    var isPeerReturned: Bool { if case .peerReturned = body { true } else { false } }
}

extension BusEffect.OneOf_Body {
    /// The invoice it cancels.
    var cancelled: PaymentHash? {
        if case .cancelInvoice(let cancel) = self {
            Bytes32(cancel.paymentHash).map { PaymentHash($0) }
        } else {
            nil
        }
    }

    /// The payment it orders or withdraws.
    var paid: PaymentHash? {
        switch self {
        case .pay(let pay): Bytes32(pay.paymentHash).map { PaymentHash($0) }
        case .withdrawPayment(let pay): Bytes32(pay.paymentHash).map { PaymentHash($0) }
        default: nil
        }
    }
}

extension Fact {
    /// An event as the journal keeps it.
    static func event(_ event: BusJobEvent, limit: Int?, sequence: UInt64) -> Fact {
        // Messages without required fields always encode.
        let body: [UInt8] = (try? event.serializedBytes()) ?? []
        return .event(kind: 1, body: body, limit: limit, sequence: sequence)
    }
}

extension MilliSatoshi {
    /// The amount, or all bitcoin if it is more.
    var clamped: MilliSatoshi { min(self, .totalSupply) }
}

extension JobMessage {
    var bus: BusPeerMessage {
        .with {
            $0.type = UInt32(type)
            $0.protocolVersion = UInt32(protocolVersion)
            $0.jobID = Data(jobID.bytes)
            $0.msgID = Data(messageID.bytes)
            $0.payload = Data(payload)
        }
    }

    var replayEntry: ReplayEntry {
        ReplayEntry(peer: peer, jobID: jobID, messageID: messageID, expiresAt: expiresAt)
    }
}

extension BusFailure {
    /// A failure with an advice.
    static func of(_ code: String, _ detail: String, advice: String = "") -> BusFailure {
        .with {
            $0.code = code
            $0.detail = detail
            $0.advice = advice
        }
    }

    static let unknownJob = of(
        "unknown-job",
        "the journal has no such job",
        advice: "Check the job id with: lcp jobs"
    )
    static let notARequesterJob = of(
        "not-a-requester-job",
        "only jobs that this node buys can be accepted or cancelled"
    )
    static let tooManyJobs = of(
        "too-many-jobs",
        "this node has as many open jobs as it takes",
        advice: "Wait until some have ended: lcp jobs"
    )
}
