package import BridgeProtocol
import Foundation
package import Journal
package import LightningTypes

/// The bridge's decisions: which step is made when, what is written, what is carried out.
///
/// No I/O and no clock: inputs and times come in, outputs are taken out after each. It keeps the
/// jobs that something is under way for as they will be when all writes are on disk, and makes the
/// next step of a job before the last one is there; whatever must not be forgotten waits for its
/// own write. When a write fails, the jobs it concerned are read from the journal again.
package struct Engine {
    /// Bounds, each with a stated answer.
    package struct Limits: Sendable {
        /// Open jobs of all peers; more requests get `rate_limited`, more submissions `too-many-jobs`.
        package var openJobs = 20_000
        /// Active jobs of one peer on one side.
        package var activeJobsPerPeer = 256
        /// Events of one job that wait for a step; what a peer or client adds beyond is refused.
        package var waitingEvents = 32
        /// Idle jobs that are kept in memory, to spare the journal a read.
        package var idleJobs = 1_024
        /// Replies in a row that broke the rules before a job is parked.
        package var faults = 3

        /// The defaults above.
        package init() {}
    }

    /// Decides about a payment by the money rules; the budgets are left to the returned check.
    package typealias PaymentRule =
        @Sendable (BusPay, JobKey, _ ceiling: MilliSatoshi?, _ now: UnixTime) ->
        Result<PaymentDecision, PaymentRuleRefusal>

    let limits: Limits
    let paymentRule: PaymentRule

    var jobs: [JobKey: LiveJob] = [:]
    /// What came for a job while it is being read.
    var waiting: [JobKey: [EngineInput]] = [:]
    /// What workers have: the job of each order.
    var orders: [UInt64: JobKey] = [:]
    var lastOrder: UInt64 = 0
    /// Active jobs by peer and side.
    var active: [PeerSide: Int] = [:]
    var openJobs = 0
    var parkedJobs = 0
    /// Jobs with sends that wait for the peer or for lnd.
    var blocked: [NodeID: Set<JobKey>] = [:]
    /// Those of them whose sends are tried again with the next ticks.
    var retrying: Set<JobKey> = []
    /// Jobs whose done sends are not recorded.
    var unrecorded: Set<JobKey> = []
    /// Jobs of which no step was made yet.
    var unstarted: Set<JobKey> = []
    /// Jobs that only wait to be over.
    var finishing: Set<JobKey> = []
    /// Idle jobs in the order they became so; some have been busy since.
    var idle: [JobKey] = []
    /// The job ids requesters used on the wire, of jobs in memory.
    var wireIDs: [WireName: JobKey] = [:]
    /// Jobs that are being read again after a failed write.
    var reloaded: Set<JobKey> = []
    /// How many steps of a job the journal refused in a row for what they say.
    var refusedSteps: [JobKey: Int] = [:]
    /// What jobs that are being read after a start must hear.
    var resumedEvents: [JobKey: BusJobEvent] = [:]
    /// Whether a settlement or cancellation may have been forgotten with a failed write.
    var isInvoiceNewsLost = false
    var nextInvoiceLookup = UnixTime(seconds: 0)
    var counters: [String: UInt64] = [:]
    /// Until when steps that are with workers are waited for; nothing more is handed out.
    var drainUntil: UnixTime?
    private var outputs: [EngineOutput] = []

    struct PeerSide: Hashable {
        var peer: NodeID
        var role: JobKey.Role
    }

    struct WireName: Hashable {
        var peer: NodeID
        var jobID: Bytes32
    }

    /// An engine that knows no job yet.
    package init(limits: Limits = Limits(), paymentRule: @escaping PaymentRule) {
        self.limits = limits
        self.paymentRule = paymentRule
    }

    /// What is to be done, in order; it is the caller's now.
    package mutating func takeOutputs() -> [EngineOutput] {
        defer { outputs.removeAll(keepingCapacity: true) }
        return outputs
    }

    mutating func put(_ output: EngineOutput) { outputs.append(output) }

    mutating func count(_ name: String) { counters[name, default: 0] += 1 }

    /// Whether it was drained: no step is with a worker, or for too long, and no write under way.
    func isDrained(at now: UnixTime) -> Bool {
        guard let drainUntil else { return false }
        return jobs.values.allSatisfy { job in
            (job.step == nil || drainUntil < now) && job.unconfirmed == 0
        }
    }

    /// Steps take milliseconds; a worker that hangs is not waited for.
    private static let drainSeconds: UInt64 = 10

    /// How many jobs are open, among them parked ones.
    package var jobCounts: (open: Int, parked: Int) { (openJobs, parkedJobs) }

    /// What was dropped, refused or failed, by a short stable name.
    package var counts: [String: UInt64] { counters }

    /// The peer's active jobs on one side, besides the given one.
    package func activeJobs(besides key: JobKey) -> UInt32 {
        let own = jobs[key]?.isActive == true ? 1 : 0
        let all = active[PeerSide(peer: key.peer, role: key.role)] ?? 0
        return UInt32(clamping: all - own)
    }

    /// The job that a peer's message to a requester is for, among those in memory.
    package func requesterJob(peer: NodeID, jobID: Bytes32) -> JobKey? {
        wireIDs[WireName(peer: peer, jobID: jobID)]
    }

    /// Takes one input in.
    package mutating func handle(_ input: EngineInput, at now: UnixTime) {
        switch input {
        case .message(let message, let key): receive(message, for: key, input, now)
        case .submit(let ticket, let key, let client, let submit):
            self.submit(ticket, key, client, submit, now)
        case .accept(let ticket, let key, let ceiling):
            withJob(key, input) { $0.accept($1, ticket, ceiling, now) }
        case .cancel(let ticket, let key): withJob(key, input) { $0.cancel($1, ticket, now) }
        case .retry(let ticket, let key): withJob(key, input) { $0.retry($1, ticket, now) }

        case .stepped(let order, let reply): take(reply, order: order, now)
        case .computed(let order, let reply): computed(order, reply, now)
        case .gaveUp(let order, let failure): gaveUp(order, failure, now)

        case .loaded(let key, let record): loaded(key, record, now)
        case .committed(let key, let version, let result):
            committed(key, version: version, result, now)
        case .recorded(let key, let purpose, let result): recorded(key, purpose, result, now)
        case .due(let wake, let answer): due(wake: wake, answer: answer, now)

        case .sent(let key, let order, let result): sent(key, order: order, result, now)
        case .invoiceCreated(let key, let effect, let terms, let text):
            withJob(key, input) { $0.invoiceCreated($1, effect, terms, text, now) }
        case .invoiceRefused(let key, let effect, let failure):
            withJob(key, input) { $0.invoiceRefused($1, effect, failure, now) }
        case .invoiceSettled(let key, let hash, let paid):
            withJob(key, input) { $0.invoiceSettled($1, hash, paid, now) }
        case .invoiceCancelled(let key, let hash):
            withJob(key, input) { $0.invoiceCancelled($1, hash, now) }
        case .invoiceForeign(let key, let hash):
            withJob(key, input) { $0.invoiceForeign($1, hash, now) }
        case .paymentInFlight(let key, let hash):
            withJob(key, input) { $0.paymentInFlight($1, hash, now) }
        case .paymentSucceeded(let key, let hash, let preimage, let fee):
            withJob(key, input) { $0.paymentSucceeded($1, hash, preimage, fee, now) }
        case .paymentFailed(let key, let hash, let cause, let failure):
            withJob(key, input) { $0.paymentFailed($1, hash, cause, failure, now) }

        case .restored(let job, let downtime): restored(job, downtime, now)
        case .peerReturned(let key): withJob(key, input) { $0.peerReturned($1, now) }
        case .unblocked(let peer): unblock(peer, now)
        case .tick: tick(now)
        case .drain:
            drainUntil = now.advanced(bySeconds: Self.drainSeconds)
            recordSends()
        }
    }

    // MARK: - Jobs in memory

    /// Runs at once when the job is in memory, else when it has been read.
    ///
    /// A job that is not in the journal either gets ``missing(_:)`` instead.
    mutating func withJob(
        _ key: JobKey,
        _ input: EngineInput,
        _ body: (inout Engine, LiveJob) -> Void
    ) {
        if let job = jobs[key], !job.isLost { return body(&self, job) }
        let isNew = waiting[key] == nil
        waiting[key, default: []].append(input)
        // A lost job is read once its writes have ended.
        if isNew, jobs[key] == nil { put(.load(key)) }
    }

    private mutating func loaded(_ key: JobKey, _ record: JobRecord?, _ now: UnixTime) {
        let inputs = waiting.removeValue(forKey: key) ?? []
        guard let record else {
            reloaded.remove(key)
            refusedSteps[key] = nil
            for input in inputs { missing(input, now) }
            return
        }
        let job = LiveJob(record)
        jobs[key] = job
        if reloaded.remove(key) != nil {
            if job.finishedAt == nil { openJobs += 1 }
            if job.isParked { parkedJobs += 1 }
            if job.isActive {
                active[PeerSide(peer: key.peer, role: key.role), default: 0] += 1
            }
        }
        if refusedSteps[key] ?? 0 >= limits.faults {
            refusedSteps[key] = nil
            park(job, now)
        }
        resume(job, now)
        for input in inputs { handle(input, at: now) }
        rest(job, now)
    }

    /// Takes a new job up.
    mutating func begin(_ job: LiveJob) {
        jobs[job.key] = job
        openJobs += 1
        active[PeerSide(peer: job.key.peer, role: job.key.role), default: 0] += 1
    }

    /// Notes what a job's standing changed to, given what it was.
    mutating func recount(_ job: LiveJob, wasActive: Bool, wasPaid: Bool) {
        let side = PeerSide(peer: job.key.peer, role: job.key.role)
        if wasActive != job.isActive {
            active[side, default: 0] += job.isActive ? 1 : -1
            if active[side] == 0 { active[side] = nil }
        }
        if wasPaid != job.isPaid { put(.paid(job.key, wireIDs: job.wireIDs, job.isPaid)) }
    }

    /// Lets go of a job that nothing is under way for, once there are too many.
    mutating func rest(_ job: LiveJob, _ now: UnixTime) {
        guard job.isIdle else { return }
        (job.input, job.output) = (nil, nil)
        if job.finishedAt != nil { return forget(job) }
        idle.append(job.key)
        guard idle.count > limits.idleJobs else { return }
        // A job that became idle twice is in the list twice, and is let go a little early.
        let oldest = idle.removeFirst(limits.idleJobs / 4)
        for key in oldest {
            if let job = jobs[key], job.isIdle { forget(job) }
        }
    }

    mutating func forget(_ job: LiveJob) {
        jobs[job.key] = nil
        finishing.remove(job.key)
        unrecorded.remove(job.key)
        retrying.remove(job.key)
        blocked[job.key.peer]?.remove(job.key)
        if blocked[job.key.peer]?.isEmpty == true { blocked[job.key.peer] = nil }
        for id in job.wireIDs { wireIDs[WireName(peer: job.key.peer, jobID: id)] = nil }
    }
}

extension [JobKey] {
    /// Takes the first elements out.
    fileprivate mutating func removeFirst(_ count: Int) -> [JobKey] {
        let first = Array(prefix(count))
        self = Array(dropFirst(count))
        return first
    }
}

/// Why a money rule is against a payment, before the budgets are asked.
package struct PaymentRuleRefusal: Error, Sendable {
    /// What the client is told.
    package var failure: BusFailure

    /// Takes what the client is told.
    package init(_ failure: BusFailure) { self.failure = failure }
}
