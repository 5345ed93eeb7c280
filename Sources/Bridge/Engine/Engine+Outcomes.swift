import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import SwiftProtobuf

// What became of effects, and how it gets to the workers.
extension Engine {
    mutating func invoiceCreated(
        _ job: LiveJob,
        _ effect: UInt64,
        _ terms: InvoiceTerms,
        _ text: Redacted<String>,
        _ now: UnixTime
    ) {
        // An invoice that nobody waits for was never sent: it ends by itself.
        guard case .createInvoice? = job.effects[effect]?.body, job.invoices[terms.hash] == nil
        else {
            return
        }
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
        guard case .createInvoice? = job.effects[effect]?.body else { return }
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
