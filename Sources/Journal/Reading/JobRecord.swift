import GRDB
package import LightningTypes

/// A job without its contents: what lists show and what the bridge needs after a restart.
package struct JobSummary: Hashable, Sendable {
    /// Its place in the order of creation; pages of lists continue after it.
    package var place: Int64
    /// The job.
    package var key: JobKey
    /// Grows by 1 with every step.
    package var version: UInt64
    /// When its last step or event left nothing to do; nil while it is open.
    package var finishedAt: UnixTime?
    /// Whether it was set aside after too many failed attempts.
    package var isParked: Bool
    /// When to wake it.
    package var wakeAt: UnixTime?
    /// When a paid job must have been answered.
    package var answerBy: UnixTime?
    /// Up to which price a client has agreed to pay; nil when none has.
    package var ceiling: MilliSatoshi?
    /// When its first step was made.
    package var createdAt: UnixTime
    /// When its last step was made.
    package var changedAt: UnixTime
    /// How long its prompt is or was, in bytes.
    package var inputBytes: UInt64
    /// How long its result is or was, in bytes.
    package var answerBytes: UInt64
    /// The notice's small number.
    package var stage: UInt8
    /// What the client sees; opaque.
    package var notice: [UInt8]

    static let columns = """
        job.id, job.role, job.peer, job.job_id, job.version, job.finished_at, job.parked,
        job.wake_at, job.answer_by, job.created_at, job.changed_at, job.input_bytes,
        job.answer_bytes, job.stage, job.notice, job.ceiling
        """

    init(_ row: Row) throws(JournalError) {
        place = try row.number(0)
        key = try row.jobKey(1)
        version = try row.count(4)
        finishedAt = try row.optionalTime(5)
        isParked = try row.flag(6)
        wakeAt = try row.optionalTime(7)
        answerBy = try row.optionalTime(8)
        createdAt = try row.time(9)
        changedAt = try row.time(10)
        inputBytes = try row.count(11)
        answerBytes = try row.count(12)
        stage = try row.small(13)
        notice = try row.bytes(14)
        ceiling = try row.optionalAmount(15)
    }
}

/// An open job as a restart finds it.
package struct OpenJob: Hashable, Sendable {
    /// The job, without state and contents.
    package var summary: JobSummary
    /// What is still to do for it, by id.
    package var outstanding: [OutstandingEffect]
    /// How many events wait for a step.
    package var events: Int
}

/// What a job has bought so far.
package struct BoughtRecord: Sendable {
    /// The job without its contents.
    package var summary: JobSummary
    /// The result; nil when there is none, or none any more.
    package var answer: Redacted<[UInt8]>?
    /// The proof of payment; nil before the payment succeeded.
    package var preimage: Preimage?
}

/// What a worker needs to make the job's next step.
package struct JobRecord: Hashable, Sendable {
    /// The job without its contents.
    package var summary: JobSummary
    /// What the last step left; opaque.
    package var state: [UInt8]
    /// What is still to do, by id.
    package var outstanding: [OutstandingEffect]
    /// What happened and was not answered yet, in order.
    package var events: [PendingEvent]
    /// The sequence of the next event.
    package var nextEvent: UInt64
    /// A provider's invoices for the job.
    package var invoices: [PaymentHash: InvoiceRecord.State]
    /// A requester's payments for the job.
    package var payments: [PaymentHash: PaymentRecord.Status]
}

/// Which jobs a list shows; absent parts select everything.
package struct JobFilter: Hashable, Sendable {
    /// The side of the job this node is on.
    package var role: JobKey.Role?
    /// The other node.
    package var peer: NodeID?
    /// Stages of the notice; empty for all.
    package var stages: Set<UInt8>
    /// Parked jobs only.
    package var onlyParked: Bool
    /// Open jobs only.
    package var onlyOpen: Bool
    /// Jobs made at or after this.
    package var createdSince: UnixTime?

    /// Takes the parts that select.
    package init(
        role: JobKey.Role? = nil,
        peer: NodeID? = nil,
        stages: Set<UInt8> = [],
        onlyParked: Bool = false,
        onlyOpen: Bool = false,
        createdSince: UnixTime? = nil
    ) {
        self.role = role
        self.peer = peer
        self.stages = stages
        self.onlyParked = onlyParked
        self.onlyOpen = onlyOpen
        self.createdSince = createdSince
    }
}
