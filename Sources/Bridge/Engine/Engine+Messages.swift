import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import SwiftProtobuf

// What peers say, and for which job it is.
extension Engine {
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
}
