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
                return sent(id, .givenUp, job, now)
            }
            lastOrder += 1
            job.effects[id]?.order = lastOrder
            let contents = JobContents(input: job.input, output: job.output)
            put(.send(job.key, order: lastOrder, message, contents))
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

    /// Takes a computation back that the newest step leaves out.
    mutating func withdrawComputation(_ id: UInt64, of job: LiveJob) {
        guard let computation = job.computation, computation.effect == id else { return }
        orders[computation.order] = nil
        job.computation = nil
        put(.withdraw(computation.order, .compute, .cancelled))
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
        job.computation = LiveJob.Computation(
            order: lastOrder,
            effect: id,
            maxResultBytes: order.limits.maxResultBytes
        )
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
        case .result(let result) where result.output.count > computation.resultLimit:
            // Whoever sells it could neither send it nor take it back from us.
            count("compute.too_large")
            let detail =
                "the worker's result of \(result.output.count) bytes is above the limit of "
                + "\(computation.resultLimit)"
            computeFailed(.of("result-too-large", detail), [computation.effect], job, now)
        case .result(let result):
            let event = BusJobEvent.with { event in
                event.computeFinished = .with {
                    $0.output = result.output
                    $0.contentType = result.contentType
                    $0.truncated = result.truncated
                }
            }
            let tokens = TokenCount(input: result.inputTokens, output: result.outputTokens)
            queue(
                event,
                for: job,
                facts: tokens == .none ? [] : [.tokensCounted(tokens)],
                completes: [computation.effect],
                now
            )
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
    mutating func sent(_ key: JobKey, order: UInt64, _ result: SendResult, _ now: UnixTime) {
        guard let job = jobs[key], !job.isLost,
            let id = job.effects.first(where: { $0.value.order == order })?.key
        else { return }
        job.effects[id]?.order = nil
        sent(id, result, job, now)
    }

    private mutating func sent(
        _ id: UInt64,
        _ result: SendResult,
        _ job: LiveJob,
        _ now: UnixTime
    ) {
        switch result {
        case .sent, .givenUp:
            job.effects[id] = nil
            job.doneSends.insert(id)
            unrecorded.insert(job.key)
            // What a crash would send again stays little.
            if unrecorded.count >= Self.unrecordedSends { recordSends() }
            finishIfDone(job, now)
        case .blocked, .failed:
            job.effects[id]?.phase = .blocked
            blocked[job.key.peer, default: []].insert(job.key)
            if case .failed = result { retrying.insert(job.key) }
            finishIfDone(job, now)
        case .tooLarge:
            guard id < EffectRules.firstOwnID else { return sent(id, .givenUp, job, now) }
            let event = BusJobEvent.with { event in event.tooLarge = .with { $0.effect = id } }
            queue(event, for: job, completes: [id], now)
        }
    }
}
