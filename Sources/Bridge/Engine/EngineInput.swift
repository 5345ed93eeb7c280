package import BridgeProtocol
package import Journal
package import LightningTypes

/// What the engine is told, one at a time.
package enum EngineInput: Sendable {
    // What others want.
    /// A job-scope message that passed every check of the session.
    case message(JobMessage, JobKey)
    /// A client submits a job under a key of its own.
    case submit(ClientTicket, JobKey, ClientKey, BusSubmit)
    /// A client agrees to the quote at hand.
    case accept(ClientTicket, JobKey, ceiling: MilliSatoshi)
    /// A client gives a job up.
    case cancel(ClientTicket, JobKey)
    /// A person takes a parked job up again.
    case retry(ClientTicket, JobKey)

    // What workers said.
    /// A protocol worker made a step.
    case stepped(order: UInt64, BusJobReply)
    /// A compute worker is done.
    case computed(order: UInt64, BusComputeReply)
    /// No worker could do it.
    case gaveUp(order: UInt64, BusFailure)

    // What the journal said.
    /// A job was read; nil when it is not there.
    case loaded(JobKey, JobRecord?)
    /// A step was written, or not.
    case committed(JobKey, version: UInt64, Result<Committed, JournalError>)
    /// Facts were recorded, or not.
    case recorded(JobKey, RecordPurpose, Result<Void, JournalError>)
    /// Jobs whose time has come.
    case due(wake: [JobKey], answer: [JobKey])

    // What became of effects.
    /// A message went out, or not.
    case sent(JobKey, order: UInt64, SendResult)
    /// lnd made an invoice.
    case invoiceCreated(JobKey, effect: UInt64, InvoiceTerms, paymentRequest: Redacted<String>)
    /// lnd refuses for good to make the invoice.
    case invoiceRefused(JobKey, effect: UInt64, BusFailure)
    /// An invoice was paid.
    case invoiceSettled(JobKey, PaymentHash, paid: MilliSatoshi)
    /// An invoice can't be paid any more.
    case invoiceCancelled(JobKey, PaymentHash)
    /// A worker named an invoice that is none of its job's.
    case invoiceForeign(JobKey, PaymentHash)
    /// A payment takes its time.
    case paymentInFlight(JobKey, PaymentHash)
    /// A payment was made.
    case paymentSucceeded(JobKey, PaymentHash, Preimage, fee: MilliSatoshi)
    /// A payment was not made and never will be.
    case paymentFailed(JobKey, PaymentHash, BusPaymentFailed.Cause, BusFailure?)

    // What happened around the jobs.
    /// An open job as the start found it, and for how many seconds no bridge ran.
    case restored(OpenJob, downtimeSeconds: UInt64)
    /// A job's peer came back, or messages may have been missed.
    case peerReturned(JobKey)
    /// Messages to this peer may be tried again; nil for every peer.
    case unblocked(NodeID?)
    /// A second has passed.
    case tick
    /// Nothing more is to be handed out; what is under way may come back.
    case drain
}

/// A job-scope message of a peer.
package struct JobMessage: Sendable {
    /// Who sent it.
    package var peer: NodeID
    /// The message's number.
    package var type: UInt16
    /// The envelope's version.
    package var protocolVersion: UInt16
    /// The envelope's job_id; what the peer calls the job.
    package var jobID: Bytes32
    /// The envelope's msg_id.
    package var messageID: Bytes32
    /// Until when a copy of it would be a replay.
    package var expiresAt: UnixTime
    /// The whole payload.
    package var payload: [UInt8]
    /// Whether a failed write brought it back; a second one drops it, and the peer asks again.
    var isRequeued = false

    /// Takes the parts.
    package init(
        peer: NodeID,
        type: UInt16,
        protocolVersion: UInt16,
        jobID: Bytes32,
        messageID: Bytes32,
        expiresAt: UnixTime,
        payload: [UInt8]
    ) {
        self.peer = peer
        self.type = type
        self.protocolVersion = protocolVersion
        self.jobID = jobID
        self.messageID = messageID
        self.expiresAt = expiresAt
        self.payload = payload
    }
}

/// Names a client's request until it is answered.
package struct ClientTicket: Hashable, Sendable {
    /// Never used twice in a process.
    package var number: UInt64

    /// Takes the number.
    package init(_ number: UInt64) { self.number = number }
}

/// What a write was for.
package enum RecordPurpose: Sendable {
    /// Something happened; the client, if any, waits for it to be on disk.
    case event(ClientTicket?)
    /// Sends are done.
    case done
    /// The job was parked or taken up again.
    case parking(Bool, ClientTicket?)
    /// The job is over, unless something has happened to it since.
    case finish(mark: UInt64)
    /// A payment is decided on that a restart found undecided.
    case payment(PaymentHash, effect: UInt64)
}

/// What became of one attempt to send.
package enum SendResult: Sendable {
    /// lnd took it.
    case sent
    /// The peer is away: try again when it is back.
    case blocked
    /// lnd could not do it now: try again soon.
    case failed
    /// The peer can't receive so much.
    case tooLarge
    /// Its time is over.
    case givenUp
}
