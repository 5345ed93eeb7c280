package import LightningTypes

/// A worker's reply, and what the bridge has to say with it: all of it is committed, or none.
///
/// State, effects and times replace what was there as a whole; the other parts add to it.
package struct Step: Sendable {
    /// What to do with a job's prompt or result.
    package enum Content: Hashable, Sendable {
        /// Leave it as it is.
        case keep
        /// Store these bytes instead of any before.
        case store(Redacted<[UInt8]>)
        /// Delete it.
        case drop
    }

    /// What the client sees of the job.
    package struct Notice: Hashable, Sendable {
        /// Where the job stands, a small number that lists can be filtered by.
        package var stage: UInt8
        /// The notice itself; opaque.
        package var body: [UInt8]

        /// Takes stage and body.
        package init(stage: UInt8, body: [UInt8]) {
            self.stage = stage
            self.body = body
        }
    }

    /// The job.
    package var job: JobKey
    /// The version the step was made from; 0 for a job that does not exist yet.
    package var version: UInt64
    /// The time of the step, by the bridge's clock.
    package var at: UnixTime
    /// The new state, opaque.
    package var state: [UInt8]
    /// Everything still to do, in any order; ids are unique.
    package var effects: [Effect]
    /// When to wake the job; nil for never.
    package var wakeAt: UnixTime?
    /// When a paid job must have been answered; nil for never.
    package var answerBy: UnixTime?
    /// The last event the step answers, with all before it; 0 for none.
    ///
    /// One that is not in the journal makes the step stale: its write has failed.
    package var answeredEvents: UInt64
    /// What the client sees from now on; nil leaves it.
    package var notice: Notice?
    /// The prompt.
    package var input: Content
    /// The result.
    package var answer: Content
    /// Who asked for the job, when it is new and a client did.
    package var client: ClientKey?
    /// What the bridge records with the step, in order.
    package var facts: [Fact]
    /// Payments to decide on in the step's transaction, after its facts.
    ///
    /// One that is refused is not intended and the step stands: see ``Committed/refusals``.
    package var payments: [PaymentDecision]

    /// Takes what every step has; the rest is set where it applies.
    package init(
        job: JobKey,
        version: UInt64,
        at: UnixTime,
        state: [UInt8],
        effects: [Effect] = [],
        wakeAt: UnixTime? = nil,
        answerBy: UnixTime? = nil,
        answeredEvents: UInt64 = 0,
        notice: Notice? = nil,
        input: Content = .keep,
        answer: Content = .keep,
        client: ClientKey? = nil,
        facts: [Fact] = [],
        payments: [PaymentDecision] = []
    ) {
        self.job = job
        self.version = version
        self.at = at
        self.state = state
        self.effects = effects
        self.wakeAt = wakeAt
        self.answerBy = answerBy
        self.answeredEvents = answeredEvents
        self.notice = notice
        self.input = input
        self.answer = answer
        self.client = client
        self.facts = facts
        self.payments = payments
    }

    /// Roughly what the step holds in memory, in bytes.
    var size: Int {
        var size = 512 + state.count + (notice?.body.count ?? 0)
        for effect in effects { size += 64 + effect.body.count }
        for case .store(let bytes) in [input, answer] { size += bytes.reveal("to count it").count }
        return size + facts.reduce(0) { $0 + $1.size }
    }
}

/// A client's own name for a submission.
///
/// The same key and content are the same job; the same key with other content is refused. Keys
/// outlive their jobs.
package struct ClientKey: Hashable, Sendable {
    /// The identity of the client's connection, at most 64 bytes.
    package var identity: [UInt8]
    /// What the client chose, at most 64 bytes.
    package var key: [UInt8]
    /// SHA-256 over the content, with a secret of the bridge's.
    package var contentHash: Bytes32

    /// Takes the three parts.
    package init(identity: [UInt8], key: [UInt8], contentHash: Bytes32) {
        self.identity = identity
        self.key = key
        self.contentHash = contentHash
    }

    /// What no other submission may have.
    struct Name: Hashable, Sendable {
        var identity: [UInt8]
        var key: [UInt8]
    }

    var name: Name { Name(identity: identity, key: key) }
}

/// What a committed step left.
package struct Committed: Equatable, Sendable {
    /// The job's new version: starts at 1, grows by 1, survives restarts.
    package var version: UInt64
    /// What is still to do, by id: the step's effects without those that were done before.
    package var outstanding: [OutstandingEffect]
    /// Why payments of the step were not intended, by payment hash.
    package var refusals: [PaymentHash: JournalError]
}
