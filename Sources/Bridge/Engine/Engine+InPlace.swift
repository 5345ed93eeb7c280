import BridgeProtocol
import Foundation
import Journal
import LightningCrypto
import LightningTypes
import SwiftProtobuf

// What the bridge does in the place of workers that don't, and how jobs end.
extension Engine {
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
    static let unrecordedSends = 64

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
