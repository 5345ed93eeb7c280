import BridgeProtocol
import Foundation
import Journal
import LightningCrypto
import LightningTypes
import SwiftProtobuf

// Effects: carried out, withdrawn, given up; and what the bridge does in a worker's place.
extension Engine {
    /// Carries out what waited for a step that is on disk now, in the order of ids.
    mutating func runCommitted(_ job: LiveJob, version: UInt64, _ now: UnixTime) {
        let due = job.effects.filter { effect in
            if case .uncommitted(let waited) = effect.value.phase {
                waited <= version
            } else {
                false
            }
        }
        for id in due.keys.sorted() {
            if let hash = due[id]?.body.paid, case .pay? = due[id]?.body {
                job.effects[id]?.phase = .running
                // One that was refused has its event already.
                if job.payments[hash] == .unresolved { put(.pay(job.key, hash)) }
            } else {
                run(id, of: job, now)
            }
        }
    }

    /// Carries an effect out; again after a restart.
    mutating func run(_ id: UInt64, of job: LiveJob, _ now: UnixTime) {
        guard let effect = job.effects[id] else { return }
        job.effects[id]?.phase = .running
        switch effect.body {
        case .send(let message):
            if message.giveUpUnix != 0, message.giveUpUnix < now.seconds {
                return sent(job.key, id, .givenUp, now)
            }
            let contents = JobContents(input: job.input, output: job.output)
            put(.send(job.key, effect: id, message, contents))
        case .createInvoice(let order): put(.createInvoice(job.key, effect: id, order))
        case .cancelInvoice:
            if let hash = effect.body.cancelled { put(.cancelInvoice(job.key, effect: id, hash)) }
        case .pay(let pay): payAgain(pay, id, job, now)
        case .withdrawPayment:
            if let hash = effect.body.paid { withdraw(hash, job, now) }
        case .startCompute(let order): compute(order, id, job, now)
        case .cancelCompute: cancelCompute(id, job, now)
        case .finish:
            finishing.insert(job.key)
            finishIfDone(job, now)
        }
    }

    /// Withdraws an effect that the newest step leaves out.
    mutating func withdraw(_ id: UInt64, _ effect: LiveJob.LiveEffect, of job: LiveJob) {
        if let computation = job.computation, computation.effect == id {
            orders[computation.order] = nil
            job.computation = nil
            put(.withdraw(computation.order, .compute, .cancelled))
        }
        // Whether it was begun, only the payments' desk knows.
        if case .pay = effect.body, let hash = effect.body.paid, job.payments[hash] == .unresolved {
            put(.withdrawPayment(job.key, hash))
        }
    }

    // MARK: - Payments

    /// A payment found at a start: one that was intended is tracked anyway, one that was not is
    /// decided on now.
    private mutating func payAgain(_ pay: BusPay, _ id: UInt64, _ job: LiveJob, _ now: UnixTime) {
        guard let hash = job.effects[id]?.body.paid else { return }
        switch job.payments[hash] {
        case .unresolved: put(.pay(job.key, hash))
        // The event that says so waits for a step.
        case .succeeded, .failed: break
        case nil:
            switch paymentRule(pay, job.key, job.ceiling, now) {
            case .success(let decision):
                job.payments[hash] = .unresolved
                record(
                    [.paymentIntended(decision.intent, check: decision.check)],
                    for: job,
                    .payment(hash, effect: id)
                )
            case .failure(let refusal):
                refuse(id, hash, refusal.failure, job)
            }
        }
    }

    private mutating func withdraw(_ hash: PaymentHash, _ job: LiveJob, _ now: UnixTime) {
        switch job.payments[hash] {
        case .unresolved: put(.withdrawPayment(job.key, hash))
        case nil: paymentFailed(job, hash, .withdrawn, nil, now)
        // The event that says so waits for a step.
        case .succeeded, .failed: break
        }
    }

    // MARK: - Computations

    private mutating func compute(
        _ order: BusStartCompute,
        _ id: UInt64,
        _ job: LiveJob,
        _ now: UnixTime
    ) {
        // LCP v0.1 §5.3 [execute-what-the-bridge-saw-settled]
        // Whatever a worker says: nothing is executed that the bridge has not seen paid.
        guard job.invoices.values.contains(.settled) else {
            count("compute.unpaid")
            return computeFailed(.of("unpaid", "the job's invoice is not settled"), [id], job, now)
        }
        guard job.computation == nil else {
            return computeFailed(.of("busy", "the job is computed already"), [id], job, now)
        }
        lastOrder += 1
        orders[lastOrder] = job.key
        job.computation = (lastOrder, id)
        let item = BusComputeItem.with {
            $0.job = job.key.bus
            $0.taskKind = order.taskKind
            $0.profile = order.profile
            $0.params = order.params
            $0.limits = order.limits
            $0.deadlineUnix = order.deadlineUnix
        }
        put(.compute(lastOrder, job.key, item, input: job.input))
    }

    private mutating func cancelCompute(_ id: UInt64, _ job: LiveJob, _ now: UnixTime) {
        guard let computation = job.computation else {
            // The outcome was faster, and says what became of both.
            let isKnown = job.events.contains { $0.event.isComputeOutcome }
            guard !isKnown, job.step == nil else { return }
            return queueCancelled([id], job, now)
        }
        orders[computation.order] = nil
        job.computation = nil
        put(.withdraw(computation.order, .compute, .cancelled))
        queueCancelled([computation.effect, id], job, now)
    }

    private mutating func queueCancelled(_ ids: [UInt64], _ job: LiveJob, _ now: UnixTime) {
        let event = BusJobEvent.with { $0.computeCancelled = BusComputeCancelled() }
        queue(event, for: job, completes: ids, now)
    }

    /// A compute worker is done, one way or the other.
    mutating func computed(_ order: UInt64, _ reply: BusComputeReply, _ now: UnixTime) {
        guard let key = orders.removeValue(forKey: order), let job = jobs[key],
            let computation = job.computation, computation.order == order
        else { return count("reply.stale") }
        job.computation = nil
        switch reply.outcome {
        case .result(let result):
            let event = BusJobEvent.with { event in
                event.computeFinished = .with {
                    $0.output = result.output
                    $0.contentType = result.contentType
                    $0.truncated = result.truncated
                }
            }
            queue(event, for: job, completes: [computation.effect], now)
        case .failure(let failure):
            computeFailed(failure, [computation.effect], job, now)
        case nil:
            computeFailed(
                .of("no-outcome", "the worker said nothing"),
                [computation.effect],
                job,
                now
            )
        }
    }

    private mutating func computeFailed(
        _ failure: BusFailure,
        _ ids: [UInt64],
        _ job: LiveJob,
        _ now: UnixTime
    ) {
        let event = BusJobEvent.with { event in
            event.computeFailed = .with { $0.failure = failure }
        }
        queue(event, for: job, completes: ids, now)
    }

    /// No worker could do it: a computation has failed, a step is parked.
    mutating func gaveUp(_ order: UInt64, _ failure: BusFailure, _ now: UnixTime) {
        guard let key = orders.removeValue(forKey: order), let job = jobs[key] else {
            return count("reply.stale")
        }
        if let computation = job.computation, computation.order == order {
            job.computation = nil
            computeFailed(failure, [computation.effect], job, now)
        } else if job.step?.order == order {
            job.step = nil
            park(job, now)
        }
    }

    // MARK: - Messages

    /// What became of one attempt to send.
    mutating func sent(_ key: JobKey, _ id: UInt64, _ result: SendResult, _ now: UnixTime) {
        guard let job = jobs[key], !job.isLost, job.effects[id] != nil else { return }
        switch result {
        case .sent, .givenUp:
            job.effects[id] = nil
            job.doneSends.insert(id)
            unrecorded.insert(key)
            // What a crash would send again stays little.
            if unrecorded.count >= Self.unrecordedSends { recordSends() }
            finishIfDone(job, now)
        case .blocked, .failed:
            job.effects[id]?.phase = .blocked
            blocked[key.peer, default: []].insert(key)
            if case .failed = result { retrying.insert(key) }
            finishIfDone(job, now)
        case .tooLarge:
            guard id < EffectRules.firstOwnID else { return sent(key, id, .givenUp, now) }
            let event = BusJobEvent.with { event in event.tooLarge = .with { $0.effect = id } }
            queue(event, for: job, completes: [id], now)
        }
    }

    // MARK: - In a worker's place

    /// Sets a job aside: no worker can make its next step.
    ///
    /// A person may take it up again.
    mutating func park(_ job: LiveJob, _ now: UnixTime) {
        guard !job.isParked else { return }
        guard job.version > 0 else { return turnAway(job) }
        job.isParked = true
        parkedJobs += 1
        count("job.parked")
        record([.parked(true)], for: job, .parking(true, nil))
        // Nobody would answer a payer.
        for (hash, state) in job.invoices where state == .open {
            put(.cancelInvoice(job.key, effect: EffectRules.firstOwnID, hash))
        }
    }

    /// Lets go of a request of which no step could be made: nothing was promised, and nothing of it
    /// is on disk that a person could take up again.
    private mutating func turnAway(_ job: LiveJob) {
        count("message.no_step")
        for message in job.events.compactMap({ JobMessage($0, job.key) }) {
            put(message.type == 42_083 ? .refuse(message) : .forget(message))
        }
        unstarted.remove(job.key)
        drop(job)
    }

    /// The deadline for answering a paid job has passed, and no worker has: the bridge does.
    mutating func answerInPlace(_ job: LiveJob, _ now: UnixTime) {
        job.answerBy = nil
        let isOwed =
            switch job.key.role {
            case .provider: job.isPaid && job.isActive
            case .requester: job.payments.values.contains(.succeeded) && job.isActive
            }
        guard isOwed else { return rewrite(job, facts: [], now) }
        count("job.answered_by_bridge")
        let (wasActive, wasPaid) = (job.isActive, job.isPaid)
        switch job.key.role {
        case .requester:
            job.view.stage = .unanswered
            rewrite(job, facts: [], now)
        case .provider:
            if let computation = job.computation {
                orders[computation.order] = nil
                job.computation = nil
                put(.withdraw(computation.order, .compute, .cancelled))
            }
            job.view.stage = .paidFailed
            job.view.endedUnix = now.seconds
            job.view.failure = .of("answered-by-bridge", "no worker answered by the deadline")
            let id = EffectRules.firstOwnID | job.version
            let message = BusEffect.OneOf_Body.send(.executionFailed(job.key, id: id))
            let phase = LiveJob.LiveEffect.Phase.uncommitted(version: job.version + 1)
            job.effects[id] = LiveJob.LiveEffect(body: message, phase: phase)
            let event = BusJobEvent.with { event in
                event.answeredByBridge = .with { $0.code = UInt32(Self.executionFailedCode) }
            }
            let sequence = job.takeSequence()
            rewrite(job, facts: [.event(event, limit: nil, sequence: sequence)], now)
            job.events.append(LiveJob.QueuedEvent(event: event, sequence: sequence))
        }
        recount(job, wasActive: wasActive, wasPaid: wasPaid)
        advance(job, now)
    }

    /// Writes a step of the bridge's own: the worker's state and effects stay as they are.
    private mutating func rewrite(_ job: LiveJob, facts: [Fact], _ now: UnixTime) {
        // A step under way was made from the version before, and would be stale.
        if let step = job.step {
            orders[step.order] = nil
            job.step = nil
            put(.withdraw(step.order, job.key.role.worker, .cancelled))
        }
        job.changedAt = now
        let done = job.doneSends.sorted().map { Fact.effectDone($0) }
        job.doneSends = []
        var shown = job.summary
        shown.version += 1
        write(
            Step(
                job: job.key,
                version: job.version,
                at: now,
                state: job.state,
                effects: job.storedEffects,
                wakeAt: job.wakeAt,
                answerBy: job.answerBy,
                notice: job.notice,
                facts: done + facts
            ),
            for: job,
            LiveJob.Writing(
                version: job.version + 1,
                events: [],
                tickets: [],
                payments: [:],
                shown: shown
            )
        )
        advance(job, now)
    }

    /// Closes a job whose worker has said that nothing is left, once everything else is done.
    mutating func finishIfDone(_ job: LiveJob, _ now: UnixTime) {
        guard finishing.contains(job.key), !job.isLost, job.events.isEmpty, job.step == nil else {
            return
        }
        let finish = job.effectIDs { if case .finish = $0 { true } else { false } }
        guard !finish.isEmpty else {
            finishing.remove(job.key)
            return
        }
        // What could not be sent until now is given up.
        for (id, effect) in job.effects where effect.phase == .blocked {
            job.effects[id] = nil
            job.doneSends.insert(id)
        }
        guard job.effects.count == finish.count,
            finish.allSatisfy({ job.effects[$0]?.phase == .running })
        else { return }
        finishing.remove(job.key)
        let done = (finish + job.doneSends).sorted().map { Fact.effectDone($0) }
        job.doneSends = []
        unrecorded.remove(job.key)
        record(done + [.finished], for: job, .finish(mark: job.mark))
    }

    /// How many jobs' sends wait for the next tick to be recorded.
    private static let unrecordedSends = 64

    /// Ours: the job was paid, and executing it failed.
    private static let executionFailedCode: UInt16 = 0x8001
}

extension BusJobEvent {
    var isComputeOutcome: Bool {
        switch body {
        case .computeFinished, .computeFailed, .computeCancelled: true
        default: false
        }
    }
}

extension BusSendMessage {
    private static func messageID(_ key: JobKey, _ id: UInt64) -> Bytes32 {
        SHA256.hash(
            key.peer.bytes + key.id.bytes + withUnsafeBytes(of: id.bigEndian) { Array($0) }
        )
    }

    /// `lcp_error` in the place of a worker that is not there.
    static func executionFailed(_ key: JobKey, id: UInt64) -> BusSendMessage {
        .with {
            $0.type = 42_097
            $0.protocolVersion = 1
            $0.jobID = Data(key.id.bytes)
            // The same after a crash: derived from the job and the effect.
            $0.msgID = Data(messageID(key, id).bytes)
            $0.records = [
                .with {
                    $0.type = 80
                    $0.bytes = Data([0x80, 0x01])
                },
                .with {
                    $0.type = 81
                    $0.bytes = Data("execution failed".utf8)
                },
            ]
        }
    }
}
