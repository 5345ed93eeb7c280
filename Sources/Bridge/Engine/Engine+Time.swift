import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import SwiftProtobuf

// Wake-ups, starts, and peers that come back.
extension Engine {
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
        if job.isPaid { put(.paid(job.key, wireIDs: job.wireIDs, true)) }
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
}
