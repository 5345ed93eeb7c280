import Journal
import LightningTypes

/// The journal's rules on plain values: what it must do, without how.
struct Model {
    struct Job: Equatable {
        var version: UInt64 = 0
        var state: [UInt8] = []
        var wakeAt: UnixTime?
        var effects: [UInt64: OutstandingEffect] = [:]
        var done: Set<UInt64> = []
        var events: [PendingEvent] = []
        var nextEvent: UInt64 = 1
        var isFinished = false
        var isParked = false
    }

    struct Payment {
        var job: JobKey
        var status = PaymentRecord.Status.unresolved
        var attempted = false
        var amount: UInt64
    }

    struct Invoice {
        var job: JobKey
        var state = InvoiceRecord.State.open
    }

    struct Refusal: Error { var code: JournalError.Code }

    static let maxFee: UInt64 = 10
    static let fee: UInt64 = 3
    /// What may be committed at once in these tests.
    static let budget: UInt64 = 4000

    var jobs: [JobKey: Job] = [:]
    var payments: [PaymentHash: Payment] = [:]
    var invoices: [PaymentHash: Invoice] = [:]
    var earned: UInt64 = 0
    var spent: UInt64 = 0
    var fees: UInt64 = 0

    var reserved: UInt64 {
        payments.values.filter { $0.status == .unresolved }
            .reduce(0) { $0 + $1.amount + Self.maxFee }
    }

    /// Applies a whole step, or nothing of it.
    mutating func commit(_ step: Step) throws {
        var next = self
        try next.apply(step)
        self = next
    }

    /// Applies all facts, or none.
    mutating func record(_ facts: [Fact], for job: JobKey, at time: UnixTime) throws {
        var next = self
        guard next.jobs[job] != nil else { throw Refusal(code: .unknown) }
        for fact in facts { try next.apply(fact, for: job, at: time) }
        self = next
    }

    /// What a restart changes.
    mutating func restart() {
        for hash in payments.keys where payments[hash]?.status == .unresolved {
            payments[hash]?.attempted = true
        }
    }

    private mutating func apply(_ step: Step) throws {
        guard Set(step.effects.map(\.id)).count == step.effects.count else {
            throw Refusal(code: .invalidStep)
        }
        if step.version == 0 {
            guard jobs[step.job] == nil else { throw Refusal(code: .staleVersion) }
        } else {
            guard let present = jobs[step.job] else { throw Refusal(code: .unknown) }
            guard present.version == step.version else { throw Refusal(code: .staleVersion) }
        }
        var job = jobs[step.job] ?? Job()
        guard step.answeredEvents < job.nextEvent else { throw Refusal(code: .staleVersion) }
        job.version += 1
        job.state = step.state
        job.wakeAt = step.wakeAt
        job.isFinished = false
        var effects: [UInt64: OutstandingEffect] = [:]
        for effect in step.effects {
            if let known = job.effects[effect.id] {
                guard known.effect == effect else { throw Refusal(code: .invalidStep) }
                effects[effect.id] = known
            } else if !job.done.contains(effect.id) {
                effects[effect.id] = OutstandingEffect(effect: effect)
            }
        }
        job.effects = effects
        job.events.removeAll { $0.sequence <= step.answeredEvents }
        jobs[step.job] = job
        for fact in step.facts { try apply(fact, for: step.job, at: step.at) }
    }

    private mutating func apply(_ fact: Fact, for key: JobKey, at time: UnixTime) throws {
        guard var job = jobs[key] else { throw Refusal(code: .unknown) }
        switch fact {
        case .event(let kind, let body, let limit, _):
            guard job.events.count < limit ?? .max else { throw Refusal(code: .quotaExceeded) }
            job.events.append(
                PendingEvent(sequence: job.nextEvent, kind: kind, at: time, body: body)
            )
            job.nextEvent += 1
            job.isFinished = false
        case .effectDone(let id):
            job.effects[id] = nil
            job.done.insert(id)
        case .effectAttempted(let id, let next):
            job.effects[id]?.attempts += 1
            job.effects[id]?.nextAttempt = next
        case .parked(let isParked): job.isParked = isParked
        case .finished:
            guard !invoices.values.contains(where: { $0.job == key && $0.state == .open }),
                !payments.values.contains(where: { $0.job == key && $0.status == .unresolved }),
                job.effects.isEmpty, job.events.isEmpty
            else { throw Refusal(code: .notFinished) }
            job.isFinished = true
            job.isParked = false
            job.wakeAt = nil
        default:
            if try money(fact, for: key) { job.isFinished = false }
        }
        jobs[key] = job
    }

    /// Gives whether the job is open again for it.
    private mutating func money(_ fact: Fact, for key: JobKey) throws -> Bool {
        switch fact {
        case .invoiceOpened(let terms):
            guard key.role == .provider else { throw Refusal(code: .invalidStep) }
            if let known = invoices[terms.hash] {
                guard known.job == key else { throw Refusal(code: .paymentHashTaken) }
                return false
            }
            invoices[terms.hash] = Invoice(job: key)
            return true
        case .invoiceSettled(let hash, let paid):
            guard let invoice = invoices[hash] else { throw Refusal(code: .unknown) }
            if invoice.state != .settled { earned += paid.msat }
            invoices[hash]?.state = .settled
        case .invoiceCancelled(let hash):
            guard let invoice = invoices[hash] else { throw Refusal(code: .unknown) }
            guard invoice.state != .settled else { throw Refusal(code: .contradictsRecord) }
            invoices[hash]?.state = .cancelled
        case .paymentIntended(let intent, _):
            guard key.role == .requester else { throw Refusal(code: .invalidStep) }
            if let known = payments[intent.hash], known.job != key {
                throw Refusal(code: .paymentHashTaken)
            }
            guard !payments.values.contains(where: { $0.job == key && $0.status != .failed })
            else { throw Refusal(code: .alreadyPaying) }
            guard reserved + spent + fees + intent.amount.msat + Self.maxFee <= Self.budget
            else { throw Refusal(code: .paymentRefused) }
            payments[intent.hash] = Payment(job: key, amount: intent.amount.msat)
            return true
        case .paymentSucceeded(let hash, _, _):
            let payment = try known(hash)
            if payment.status != .succeeded {
                spent += payment.amount
                fees += Self.fee
            }
            payments[hash]?.status = .succeeded
        case .paymentFailed(let hash):
            guard try known(hash).status != .succeeded else {
                throw Refusal(code: .contradictsRecord)
            }
            payments[hash]?.status = .failed
        case .paymentWithdrawn(let hash):
            let payment = try known(hash)
            if payment.status == .failed { return false }
            guard payment.status == .unresolved, !payment.attempted else {
                throw Refusal(code: .contradictsRecord)
            }
            payments[hash]?.status = .failed
        case .paymentAttempted(let hash):
            guard try known(hash).status == .unresolved else {
                throw Refusal(code: .contradictsRecord)
            }
            payments[hash]?.attempted = true
        default: break
        }
        return false
    }

    private func known(_ hash: PaymentHash) throws -> Payment {
        guard let payment = payments[hash] else { throw Refusal(code: .unknown) }
        return payment
    }
}
