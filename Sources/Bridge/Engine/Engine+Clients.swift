import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import SwiftProtobuf

// What clients and people order.
extension Engine {
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
}

extension MilliSatoshi {
    /// The amount, or all bitcoin if it is more.
    var clamped: MilliSatoshi { min(self, .totalSupply) }
}
