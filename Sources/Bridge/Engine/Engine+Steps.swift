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
        let (added, withdrawals) = replaceEffects(of: job, with: reply.effects, done: done)
        let ready = added.map(\.id).filter { job.effects[$0]?.phase == .running }
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
                withdrawals: withdrawals,
                shown: job.summary
            )
        )
        recount(job, wasActive: wasActive, wasPaid: wasPaid)
        for id in ready { run(id, of: job, now) }
        advance(job, now)
        rest(job, now)
    }

    /// Makes the outstanding set what the reply says; what it leaves out is withdrawn.
    ///
    /// - Returns: What is new, by id, and the payments that were left out.
    private mutating func replaceEffects(
        of job: LiveJob,
        with wanted: [BusEffect],
        done: Set<UInt64>
    ) -> (added: [(id: UInt64, body: BusEffect.OneOf_Body)], withdrawals: [PaymentHash]) {
        var next: [UInt64: LiveJob.LiveEffect] = [:]
        var withdrawals: [PaymentHash] = []
        var added: [(id: UInt64, body: BusEffect.OneOf_Body)] = []
        for effect in wanted {
            guard let body = effect.body, !done.contains(effect.id) else { continue }
            if let known = job.effects[effect.id] {
                next[effect.id] = known
            } else {
                let mayRun =
                    switch EffectRules.timing(body) {
                    case .atOnce: true
                    case .afterEarlierSteps: job.writing.isEmpty
                    case .afterCommit: false
                    }
                let phase: LiveJob.LiveEffect.Phase =
                    mayRun ? .running : .uncommitted(version: job.version)
                next[effect.id] = LiveJob.LiveEffect(body: body, phase: phase)
                added.append((effect.id, body))
            }
        }
        for (id, effect) in job.effects.sorted(by: { $0.key < $1.key }) where next[id] == nil {
            if id >= EffectRules.firstOwnID {
                if !done.contains(id) { next[id] = effect }
            } else if !done.contains(id) {
                withdrawComputation(id, of: job)
                if case .pay = effect.body, let hash = effect.body.paid { withdrawals.append(hash) }
            }
        }
        job.effects = next
        return (added.sorted { $0.id < $1.id }, withdrawals)
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
