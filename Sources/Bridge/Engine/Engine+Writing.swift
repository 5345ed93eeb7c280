import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import SwiftProtobuf

// Writes: what is put on disk, and what becomes of it there.
extension Engine {
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
            let dropped = dropDone(job, keeping: committed, version: version)
            // An order under the id of an effect that is done is carried out by nobody. One that was
            // left out is withdrawn only now: had this step been lost, it would stand again.
            let unordered = writing.payments.filter { dropped.contains($0.value) }.map(\.key)
            for hash in writing.withdrawals + unordered where job.payments[hash] == .unresolved {
                // Whether it was begun, only the payments' desk knows.
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
    ///
    /// - Returns: The ids.
    private func dropDone(
        _ job: LiveJob,
        keeping committed: Committed,
        version: UInt64
    ) -> Set<UInt64> {
        let left = Set(committed.outstanding.map(\.effect.id))
        let dropped = job.effects.filter { id, effect in
            effect.phase == .uncommitted(version: version) && !left.contains(id)
        }
        for id in dropped.keys { job.effects[id] = nil }
        return Set(dropped.keys)
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
        if job.isPaid { put(.paid(job.key, wireIDs: job.wireIDs, false)) }
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
