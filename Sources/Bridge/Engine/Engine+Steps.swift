import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import SwiftProtobuf

// Steps: handed out, checked, written.
extension Engine {
    /// Hands the job's next step to a worker, if there is one to make and nobody has it.
    mutating func advance(_ job: LiveJob, _ now: UnixTime) {
        guard job.step == nil, !job.isLost, !job.isParked, drainUntil == nil, !job.events.isEmpty
        else {
            return
        }
        lastOrder += 1
        let events = job.events.prefix(Self.eventsPerItem)
        job.step = LiveJob.Assignment(order: lastOrder, eventCount: events.count)
        orders[lastOrder] = job.key
        let item = BusJobItem.with {
            $0.job = job.key.bus
            $0.version = job.version
            $0.state = Data(job.state)
            $0.events = events.map(\.event)
            $0.outstanding = job.outstandingIDs
        }
        put(.order(lastOrder, job.key, item))
    }

    private static let eventsPerItem = 64

    /// Takes a worker's reply.
    mutating func take(_ reply: BusJobReply, order: UInt64, _ now: UnixTime) {
        guard let key = orders.removeValue(forKey: order), let job = jobs[key],
            let step = job.step, step.order == order
        else { return count("reply.stale") }
        job.step = nil
        if let complaint = complaint(about: reply, for: job) {
            count("reply.\(complaint)")
            put(.complain(key, complaint))
            return fault(job, now)
        }
        job.faults = 0
        make(reply, of: job, answering: step.eventCount, now)
    }

    /// What a reply does that no worker may, as a short stable name.
    private func complaint(about reply: BusJobReply, for job: LiveJob) -> String? {
        guard reply.version == job.version else { return "wrong_version" }
        guard reply.state.count <= Journal.Limits.stateBytes,
            reply.effects.count <= Journal.Limits.effects
        else { return "too_large" }
        guard Set(reply.effects.map(\.id)).count == reply.effects.count else {
            return "duplicate_effect"
        }
        for effect in reply.effects {
            guard let body = effect.body else { return "unknown_effect" }
            guard effect.id > 0, effect.id < EffectRules.firstOwnID else { return "effect_id" }
            guard EffectRules.mayAsk(body, for: job.key.role) else { return "forbidden_effect" }
            // Compared as bytes by the journal too, which would refuse the whole step.
            if let known = job.effects[effect.id], known.body != body { return "changed_effect" }
            if let complaint = complaint(about: body, of: job) { return complaint }
        }
        return nil
    }

    private func complaint(about body: BusEffect.OneOf_Body, of job: LiveJob) -> String? {
        switch body {
        case .send(let message):
            guard message.isWellFormed else { return "malformed_send" }
            // The answers would find the wrong job.
            guard job.key.role == .requester, let id = Bytes32(message.jobID) else { return nil }
            let owner = requesterJob(peer: job.key.peer, jobID: id)
            return owner == nil || owner == job.key ? nil : "foreign_job_id"
        case .pay, .withdrawPayment: return body.paid == nil ? "malformed_hash" : nil
        case .cancelInvoice: return body.cancelled == nil ? "malformed_hash" : nil
        case .createInvoice, .startCompute, .cancelCompute, .finish: return nil
        }
    }

    /// A worker broke the rules: another may not.
    mutating func fault(_ job: LiveJob, _ now: UnixTime) {
        job.faults += 1
        if job.faults >= limits.faults { park(job, now) } else { advance(job, now) }
    }

    /// Makes the step: memory first, then the write, then what need not wait for it.
    private mutating func make(
        _ reply: BusJobReply,
        of job: LiveJob,
        answering eventCount: Int,
        _ now: UnixTime
    ) {
        let (wasActive, wasPaid) = (job.isActive, job.isPaid)
        let answered = Array(job.events.prefix(eventCount))
        job.events.removeFirst(eventCount)
        let oldVersion = job.version
        job.version += 1
        job.changedAt = now
        if job.finishedAt != nil { (job.finishedAt, openJobs) = (nil, openJobs + 1) }
        job.state = [UInt8](reply.state)
        let wasTruncated = job.view.truncated
        if reply.hasView { job.view = reply.view }
        job.wakeAt = reply.wakeAtUnix == 0 ? nil : UnixTime(seconds: reply.wakeAtUnix)
        job.answerBy = reply.answerByUnix == 0 ? nil : UnixTime(seconds: reply.answerByUnix)

        var facts = answered.flatMap(\.facts)
        let done = Set(answered.flatMap(\.completes)).union(job.doneSends)
        job.doneSends = []
        unrecorded.remove(job.key)
        let added = replaceEffects(of: job, with: reply.effects, done: done)
        facts += done.sorted().map { .effectDone($0) }
        facts += wireIDs(of: added, job)
        if job.view.truncated, !wasTruncated { facts.append(.resultCut) }

        let (input, answer) = contents(of: reply, answering: answered, job)
        let payments = decide(added, job, now)
        write(
            Step(
                job: job.key,
                version: oldVersion,
                at: now,
                state: job.state,
                effects: job.storedEffects,
                wakeAt: job.wakeAt,
                answerBy: job.answerBy,
                answeredEvents: answered.compactMap(\.sequence).max() ?? 0,
                notice: job.notice,
                input: input,
                answer: answer,
                facts: facts,
                payments: payments.map(\.decision)
            ),
            for: job,
            LiveJob.Writing(
                version: job.version,
                events: answered,
                tickets: [],
                payments: Dictionary(
                    payments.map { ($0.decision.intent.hash, $0.effect) },
                    uniquingKeysWith: { first, _ in first }
                ),
                shown: job.summary
            )
        )
        recount(job, wasActive: wasActive, wasPaid: wasPaid)
        for (id, body) in added where EffectRules.timing(body) == .atOnce { run(id, of: job, now) }
        advance(job, now)
        rest(job, now)
    }

    /// Makes the outstanding set what the reply says; what it leaves out is withdrawn.
    ///
    /// - Returns: What is new, by id.
    private mutating func replaceEffects(
        of job: LiveJob,
        with wanted: [BusEffect],
        done: Set<UInt64>
    ) -> [(id: UInt64, body: BusEffect.OneOf_Body)] {
        var next: [UInt64: LiveJob.LiveEffect] = [:]
        var added: [(id: UInt64, body: BusEffect.OneOf_Body)] = []
        for effect in wanted {
            guard let body = effect.body, !done.contains(effect.id) else { continue }
            if let known = job.effects[effect.id] {
                next[effect.id] = known
            } else {
                let phase: LiveJob.LiveEffect.Phase =
                    EffectRules.timing(body) == .atOnce
                    ? .running : .uncommitted(version: job.version)
                next[effect.id] = LiveJob.LiveEffect(body: body, phase: phase)
                added.append((effect.id, body))
            }
        }
        for (id, effect) in job.effects.sorted(by: { $0.key < $1.key }) where next[id] == nil {
            if id >= EffectRules.firstOwnID {
                if !done.contains(id) { next[id] = effect }
            } else if !done.contains(id) {
                withdraw(id, effect, of: job)
            }
        }
        job.effects = next
        return added.sorted { $0.id < $1.id }
    }

    /// Decides on new payments; a refusal is an event of the job.
    private mutating func decide(
        _ added: [(id: UInt64, body: BusEffect.OneOf_Body)],
        _ job: LiveJob,
        _ now: UnixTime
    ) -> [(effect: UInt64, decision: PaymentDecision)] {
        var decisions: [(UInt64, PaymentDecision)] = []
        for (id, body) in added {
            guard case .pay(let pay) = body, let hash = body.paid else { continue }
            switch paymentRule(pay, job.key, job.ceiling, now) {
            case .success(let decision) where job.payments[hash] == nil:
                job.payments[hash] = .unresolved
                decisions.append((id, decision))
            case .success:
                refuse(id, hash, .of("already-paying", "this payment was ordered before"), job)
            case .failure(let refusal): refuse(id, hash, refusal.failure, job)
            }
        }
        return decisions
    }

    /// Tells the worker that the money rules are against a payment.
    mutating func refuse(_ id: UInt64, _ hash: PaymentHash, _ why: BusFailure, _ job: LiveJob) {
        count("payment.refused")
        job.effects[id]?.phase = .running
        let event = BusJobEvent.with { event in
            event.paymentFailed = .with {
                $0.paymentHash = Data(hash.bytes.bytes)
                $0.cause = why.code == BusFailure.tooLate ? .tooLate : .refused
                $0.failure = why
            }
        }
        job.events.append(LiveJob.QueuedEvent(event: event, completes: [id]))
    }

    /// The contents a step stores: the worker's, or compute's output that it answers.
    private func contents(
        of reply: BusJobReply,
        answering answered: [LiveJob.QueuedEvent],
        _ job: LiveJob
    ) -> (input: Step.Content, answer: Step.Content) {
        var (input, answer) = (Step.Content.keep, Step.Content.keep)
        if reply.hasInput {
            let bytes = [UInt8](reply.input)
            (job.input, job.inputBytes) = (bytes, UInt64(bytes.count))
            input = .store(Redacted(bytes))
        }
        var output = reply.hasOutput ? [UInt8](reply.output) : nil
        for case .computeFinished(let finished)? in answered.map(\.event.body) {
            output = [UInt8](finished.output)
        }
        if let output {
            (job.output, job.outputBytes) = (output, UInt64(output.count))
            answer = .store(Redacted(output))
        }
        return (input, answer)
    }

    /// The job ids that new messages carry to the peer, for the answers to find the job.
    private mutating func wireIDs(
        of added: [(id: UInt64, body: BusEffect.OneOf_Body)],
        _ job: LiveJob
    ) -> [Fact] {
        guard job.key.role == .requester else { return [] }
        var facts: [Fact] = []
        for case (_, .send(let message)) in added {
            guard let id = Bytes32(message.jobID), !job.wireIDs.contains(id) else { continue }
            note(wireID: id, of: job)
            facts.append(.wireID(id))
        }
        return facts
    }

    // MARK: - Writing

    mutating func write(_ step: Step, for job: LiveJob, _ writing: LiveJob.Writing) {
        job.unconfirmed += 1
        job.version = writing.version
        job.writing.append(writing)
        put(.commit(step))
    }

    /// A step is on disk, or not.
    mutating func committed(
        _ key: JobKey,
        version: UInt64,
        _ result: Result<Committed, JournalError>,
        _ now: UnixTime
    ) {
        guard let job = jobs[key] else { return }
        job.unconfirmed -= 1
        switch result {
        case .failure(let error):
            answer(job.writing.filter { $0.version == version }, error)
            // Only a worker's mistake contradicts the journal; another worker may not make it.
            if error.code == .invalidStep {
                refusedSteps[key, default: 0] += 1
                put(.complain(key, error.detail))
            }
            lose(job, error, now)
        case .success(let committed):
            refusedSteps[key] = nil
            guard let index = job.writing.firstIndex(where: { $0.version == version }) else {
                break
            }
            let writing = job.writing.remove(at: index)
            guard !job.isLost else { break }
            job.shown = writing.shown
            for ticket in writing.tickets { put(.answer(ticket, .job(job.shown))) }
            dropDone(job, keeping: committed, version: version)
            // The order came under the id of an effect that is done, so nobody will carry it out.
            for (hash, id) in writing.payments
            where job.effects[id] == nil && job.payments[hash] == .unresolved {
                put(.withdrawPayment(key, hash))
            }
            for (hash, error) in committed.refusals {
                job.payments[hash] = nil
                guard let id = writing.payments[hash] else { continue }
                refuse(id, hash, .refusal(error), job)
            }
            runCommitted(job, version: version, now)
            put(.changed(job.shown))
            advance(job, now)
        }
        confirmed(job, now)
    }

    /// Drops what the journal knows to be done and memory does not.
    private func dropDone(_ job: LiveJob, keeping committed: Committed, version: UInt64) {
        let left = Set(committed.outstanding.map(\.effect.id))
        job.effects = job.effects.filter { id, effect in
            effect.phase != .uncommitted(version: version) || left.contains(id)
        }
    }

    /// Facts are on disk, or not.
    mutating func recorded(
        _ key: JobKey,
        _ purpose: RecordPurpose,
        _ result: Result<Void, JournalError>,
        _ now: UnixTime
    ) {
        guard let job = jobs[key] else { return }
        job.unconfirmed -= 1
        switch (purpose, result) {
        case (.event(let ticket), .success):
            if let ticket { put(.answer(ticket, .job(job.shown))) }
        case (.parking(let isParked, let ticket), .success):
            job.shown.parked = isParked
            if let ticket { put(.answer(ticket, .job(job.shown))) }
            put(.changed(job.shown))
        case (.done, .success): break
        case (.finish(let mark), .success): finished(job, mark, now)
        case (.payment(let hash, _), .success): put(.pay(key, hash))
        case (.payment(let hash, let effect), .failure(let error))
        where error.code.refusesPayment:
            job.payments[hash] = nil
            refuse(effect, hash, .refusal(error), job)
            advance(job, now)
        case (.finish, .failure(let error)) where error.code == .notFinished:
            // An invoice is open or a payment unresolved: tried again with the next tick.
            finishing.insert(key)
        case (.event(let ticket), .failure(let error)),
            (.parking(_, let ticket), .failure(let error)):
            if let ticket { put(.answer(ticket, .failure(.journal(error)))) }
            lose(job, error, now)
        case (.done, .failure(let error)), (.finish, .failure(let error)),
            (.payment, .failure(let error)):
            lose(job, error, now)
        }
        confirmed(job, now)
    }

    /// A job is over on disk; what came for it since has opened it again there.
    private mutating func finished(_ job: LiveJob, _ mark: UInt64, _ now: UnixTime) {
        guard job.finishedAt == nil, !job.isLost, job.mark == mark else { return }
        let (wasActive, wasPaid) = (job.isActive, job.isPaid)
        for id in job.effectIDs(where: { if case .finish = $0 { true } else { false } }) {
            job.effects[id] = nil
        }
        job.finishedAt = now
        openJobs -= 1
        if job.isParked { (job.isParked, parkedJobs) = (false, parkedJobs - 1) }
        recount(job, wasActive: wasActive, wasPaid: wasPaid)
        if job.isPaid { put(.paid(job.key, false)) }
        job.shown.finishedUnix = now.seconds
        job.shown.parked = false
        put(.changed(job.shown))
    }

    private mutating func answer(_ failed: [LiveJob.Writing], _ error: JournalError) {
        for ticket in failed.flatMap(\.tickets) {
            put(
                .answer(
                    ticket,
                    error.code == .clientKeyTaken ? .keyTaken : .failure(.journal(error))
                )
            )
        }
    }

    /// What memory says of a job is not what the journal says: read it again, after its last write.
    mutating func lose(_ job: LiveJob, _ error: JournalError, _ now: UnixTime) {
        switch error.code {
        case .damaged, .ioFailed, .closed: put(.fatal(error))
        default: count("journal.\(error.code.rawValue)")
        }
        guard !job.isLost else { return }
        job.isLost = true
        if let step = job.step {
            orders[step.order] = nil
            put(.withdraw(step.order, job.key.role.worker, .cancelled))
            job.step = nil
        }
        if let computation = job.computation {
            orders[computation.order] = nil
            put(.withdraw(computation.order, .compute, .cancelled))
            job.computation = nil
        }
    }

    /// A write has ended: a lost job is read again after its last one.
    private mutating func confirmed(_ job: LiveJob, _ now: UnixTime) {
        guard job.unconfirmed == 0 else { return }
        guard job.isLost else {
            // The journal has them now.
            (job.input, job.output) = (nil, nil)
            return rest(job, now)
        }
        let key = job.key
        if job.isActive {
            active[PeerSide(peer: key.peer, role: key.role), default: 1] -= 1
        }
        // Messages have no other copy here; everything else comes again by itself.
        let events = job.writing.flatMap(\.events) + job.events
        let unkept = events.filter { $0.sequence == nil }
        let messages = unkept.filter { !$0.isRequeued }.compactMap { JobMessage($0, key) }
        for message in unkept.filter(\.isRequeued).compactMap({ JobMessage($0, key) }) {
            put(.forget(message))
        }
        let wasOpen = job.finishedAt == nil
        noteGap(of: job, events)
        forget(job)
        if wasOpen { openJobs -= 1 }
        if job.isParked { parkedJobs -= 1 }
        reloaded.insert(key)
        // Their news was given once; lnd tells it again when it is asked.
        if job.key.role == .provider { isInvoiceNewsLost = true }
        waiting[key] = messages.map { .message($0, key) } + (waiting[key] ?? [])
        put(.load(key))
    }
}

extension Engine {
    /// Keeps for a job's second reading that messages may have been missed.
    private mutating func noteGap(of job: LiveJob, _ events: [LiveJob.QueuedEvent]) {
        if let resumed = events.map(\.event).first(where: { $0.isResumed }) {
            resumedEvents[job.key] = resumed
        } else if job.mayHaveMissedAnswer || events.contains(where: { $0.event.isPeerReturned }) {
            resumedEvents[job.key] = .with { $0.resumed = BusResumed() }
        }
    }
}

extension BusSendMessage {
    /// Whether the bridge can write an envelope before its records.
    var isWellFormed: Bool {
        guard type <= 0xffff, protocolVersion <= 0xffff, jobID.count == 32, msgID.count == 32 else {
            return false
        }
        var previous: UInt64 = 4
        for record in records {
            guard record.type > previous, record.value != nil else { return false }
            previous = record.type
        }
        return true
    }
}

extension Effect {
    /// An effect as the journal keeps it.
    init(id: UInt64, body: BusEffect.OneOf_Body) {
        let effect = BusEffect.with {
            $0.id = id
            $0.body = body
        }
        // Messages without required fields always encode.
        let bytes: [UInt8] = (try? effect.serializedBytes()) ?? []
        self.init(id: id, kind: EffectRules.kind(body), body: bytes)
    }
}

extension JobMessage {
    /// The message an event of a job in memory was made of.
    init?(_ event: LiveJob.QueuedEvent, _ key: JobKey) {
        guard case .message(let message)? = event.event.body,
            let jobID = Bytes32(message.jobID), let messageID = Bytes32(message.msgID)
        else { return nil }
        var expiry: UnixTime?
        for case .received(let entry, _) in event.facts { expiry = entry.expiresAt }
        guard let expiry else { return nil }
        self.init(
            peer: key.peer,
            type: UInt16(clamping: message.type),
            protocolVersion: UInt16(clamping: message.protocolVersion),
            jobID: jobID,
            messageID: messageID,
            expiresAt: expiry,
            payload: [UInt8](message.payload)
        )
        isRequeued = true
    }
}

extension BusFailure {
    /// What the client is told of a payment that the transaction refused.
    static func refusal(_ error: JournalError) -> BusFailure {
        BusFailure(refusing: error) ?? of("not-committed", error.detail, advice: error.advice)
    }

    /// What a client is told when the journal could not be written.
    static func journal(_ error: JournalError) -> BusFailure {
        var failure = of("journal-\(error.code.rawValue)", error.detail, advice: error.advice)
        failure.retryable = [.overloaded, .diskFull].contains(error.code)
        return failure
    }
}
