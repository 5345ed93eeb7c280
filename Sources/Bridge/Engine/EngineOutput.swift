package import BridgeProtocol
package import Journal
package import LightningTypes

/// What the engine wants done, in order.
package enum EngineOutput: Sendable {
    // The journal. Writes are made in the order of these.
    /// Read a job; answered by ``EngineInput/loaded(_:_:)``.
    case load(JobKey)
    /// Write a step; answered by ``EngineInput/committed(_:version:_:)``.
    case commit(Step)
    /// Record facts; answered by ``EngineInput/recorded(_:_:_:)``.
    case record([Fact], JobKey, RecordPurpose)

    // Workers.
    /// Hand a step to a worker. The bridge adds what it knows of the peer.
    case order(UInt64, JobKey, BusJobItem)
    /// Hand a computation to a compute worker, with the job's input.
    case compute(UInt64, JobKey, BusComputeItem, input: [UInt8]?)
    /// Take an order back; no outcome follows.
    case withdraw(UInt64, WorkerRole, BusRevoke.Reason)
    /// Tell the operator that a worker broke the rules, and which.
    case complain(JobKey, String)

    // Lightning.
    /// Send a message; answered by ``EngineInput/sent(_:order:_:)``.
    case send(JobKey, order: UInt64, BusSendMessage, JobContents)
    /// Make an invoice.
    case createInvoice(JobKey, effect: UInt64, BusCreateInvoice)
    /// Make sure that an invoice can't be paid.
    case cancelInvoice(JobKey, effect: UInt64, PaymentHash)
    /// Look every open invoice up: what became of one may have been forgotten.
    case lookUpInvoices
    /// Pay: the intent is on disk.
    case pay(JobKey, PaymentHash)
    /// Make sure that a payment never begins.
    case withdrawPayment(JobKey, PaymentHash)
    /// Answer `rate_limited` to a request there is no room for, or no worker that can take it.
    case refuse(JobMessage)

    /// Nothing was committed for a message: it may come again.
    case forget(JobMessage)

    // Clients and observers.
    /// Answer a client.
    case answer(ClientTicket, ClientAnswer)
    /// Tell observers and watchers; what it says is on disk.
    case changed(BusJob)
    /// Money moves for this job, under any of its job_ids: its messages come before rate limits.
    case paid(JobKey, wireIDs: Set<Bytes32>, Bool)
    /// The journal can't be written any more: end the process.
    case fatal(JournalError)
}

/// A job's contents, as far as they are not on disk yet.
package struct JobContents: Sendable {
    /// The prompt; nil when the journal has it.
    package var input: [UInt8]?
    /// The result; nil when the journal has it.
    package var output: [UInt8]?
}

/// What a client gets to hear.
package enum ClientAnswer: Sendable {
    /// The job as it stands.
    case job(BusJob)
    /// Nothing was done.
    case failure(BusFailure)
    /// The key was used for this job before.
    case keyTaken
}
