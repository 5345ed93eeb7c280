import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import LndRPC
import SwiftProtobuf

/// A job that something is under way for, as it will be once all its writes are on disk.
///
/// Belongs to one ``Engine``. Jobs that nothing is under way for live in the journal alone.
final class LiveJob {
    /// An effect that is not known to be done.
    struct LiveEffect {
        /// How far it got.
        enum Phase: Equatable {
            /// The step that asked for it is not on disk.
            case uncommitted(version: UInt64)
            /// It is under way, or its outcome waits for a step to answer it.
            case running
            /// A message that could not be sent: the peer or lnd is away.
            case blocked
        }

        var body: BusEffect.OneOf_Body
        var phase: Phase
        /// The order to send it that is under way.
        ///
        /// A step that was lost may come again with another effect under the same id, which the
        /// outcome of the first says nothing of.
        var order: UInt64?
    }

    /// Something the worker must hear of.
    struct QueuedEvent {
        var event: BusJobEvent
        /// Its place in the journal; nil while only memory has it.
        var sequence: UInt64?
        /// What becomes true with the step that answers it.
        var facts: [Fact] = []
        /// Effects whose outcome it is.
        var completes: [UInt64] = []
        /// Whether a failed write brought it back.
        var isRequeued = false
    }

    /// The item that a worker has.
    struct Assignment {
        var order: UInt64
        var eventCount: Int
    }

    /// A step that is being written, with what must come again if the write fails.
    struct Writing {
        var version: UInt64
        var events: [QueuedEvent]
        var tickets: [ClientTicket]
        var payments: [PaymentHash: UInt64]
        /// Payments that an earlier step ordered and this one leaves out.
        var withdrawals: [PaymentHash] = []
        /// The job as everybody may see it once this is on disk.
        var shown: BusJob
    }

    /// A computation that a compute worker has.
    struct Computation {
        let order: UInt64
        /// The effect that asked for it.
        let effect: UInt64
        /// The most bytes of a result that can be of use.
        let resultLimit: Int

        init(order: UInt64, effect: UInt64, maxResultBytes: UInt32) {
            self.order = order
            self.effect = effect
            // What no message carries is of no use, whatever a worker says.
            let most = PeerMessage.maximumDataLength
            resultLimit = maxResultBytes == 0 ? most : min(Int(maxResultBytes), most)
        }
    }

    let key: JobKey
    /// The newest version made, on disk or not; 0 for a job that no step was made of.
    var version: UInt64 = 0
    var state: [UInt8] = []
    var view = BusJobView()
    var wakeAt: UnixTime?
    var answerBy: UnixTime?
    /// Up to which price a client has agreed to pay.
    var ceiling: MilliSatoshi?
    var isParked = false
    var createdAt: UnixTime
    var changedAt: UnixTime
    var finishedAt: UnixTime?
    var inputBytes: UInt64 = 0
    var outputBytes: UInt64 = 0
    /// Contents that are not on disk yet.
    var input: [UInt8]?
    var output: [UInt8]?
    var effects: [UInt64: LiveEffect] = [:]
    /// Sends that are done, for the next step to record.
    var doneSends: Set<UInt64> = []
    var events: [QueuedEvent] = []
    var nextSequence: UInt64 = 1
    var step: Assignment?
    var computation: Computation?
    var writing: [Writing] = []
    /// The job as the journal has it: what others are told.
    var shown: BusJob
    /// How many writes are not confirmed.
    var unconfirmed = 0
    /// A write failed: the journal is read again once all writes have ended.
    var isLost = false
    /// Whether the answer may have come and gone before its payment is known to have succeeded.
    var mayHaveMissedAnswer = false
    /// Replies that broke the rules, in a row.
    var faults = 0
    /// The job ids used on the wire since the job is in memory.
    var wireIDs: Set<Bytes32> = []
    var invoices: [PaymentHash: InvoiceRecord.State] = [:]
    var payments: [PaymentHash: PaymentRecord.Status] = [:]

    init(key: JobKey, at now: UnixTime) {
        self.key = key
        createdAt = now
        changedAt = now
        shown = .with {
            $0.key = key.bus
            $0.createdUnix = now.seconds
            $0.changedUnix = now.seconds
        }
    }

    /// Takes a job up from the journal.
    init(_ record: JobRecord) {
        let summary = record.summary
        key = summary.key
        version = summary.version
        state = record.state
        // Written by this bridge; a view of a newer one decodes, with fields it does not show.
        view = (try? BusJobView(serializedBytes: summary.notice)) ?? BusJobView()
        wakeAt = summary.wakeAt
        answerBy = summary.answerBy
        ceiling = summary.ceiling
        isParked = summary.isParked
        createdAt = summary.createdAt
        changedAt = summary.changedAt
        finishedAt = summary.finishedAt
        inputBytes = summary.inputBytes
        outputBytes = summary.answerBytes
        shown = BusJob(summary)
        for effect in record.outstanding {
            guard let known = try? BusEffect(serializedBytes: effect.effect.body),
                let body = known.body
            else { continue }
            effects[effect.effect.id] = LiveEffect(body: body, phase: .running)
        }
        events = record.events.compactMap { pending in
            guard let event = try? BusJobEvent(serializedBytes: pending.body) else { return nil }
            return QueuedEvent(event: event, sequence: pending.sequence)
        }
        nextSequence = record.nextEvent
        invoices = record.invoices
        payments = record.payments
    }

    /// Whether money has moved for the job, as far as the bridge itself has seen.
    var isPaid: Bool {
        switch key.role {
        case .provider: invoices.values.contains(.settled)
        case .requester: payments.values.contains { $0 != .failed }
        }
    }

    /// Changes with every step and every recorded event.
    var mark: UInt64 { version + nextSequence }

    /// Whether it is not known what became of a payment.
    var isPaying: Bool { payments.values.contains(.unresolved) }

    /// Whether the job counts against its peer's limit.
    var isActive: Bool {
        guard finishedAt == nil else { return false }
        switch view.stage {
        // A newer worker's stage is read as none, as the schema says.
        case .unspecified, .quoting, .quoted, .paying, .running, .UNRECOGNIZED: return true
        case .done, .failed, .cancelled, .unanswered, .paidFailed: return false
        }
    }

    /// Whether nothing is under way, so that the journal has all of it.
    var isIdle: Bool {
        events.isEmpty && step == nil && computation == nil && unconfirmed == 0 && !isLost
            && doneSends.isEmpty && effects.isEmpty
    }

    /// The outstanding effects as the journal keeps them, by id.
    var storedEffects: [Effect] {
        effects.sorted { $0.key < $1.key }.map { Effect(id: $0.key, body: $0.value.body) }
    }

    /// Effects the worker should go on counting as outstanding, by id.
    var outstandingIDs: [UInt64] {
        effects.keys.filter { $0 < EffectRules.firstOwnID && !doneSends.contains($0) }.sorted()
    }

    /// The job as it will be when all writes are on disk.
    var summary: BusJob {
        .with {
            $0.key = key.bus
            $0.version = version
            $0.view = view
            $0.inputBytes = inputBytes
            $0.outputBytes = outputBytes
            $0.createdUnix = createdAt.seconds
            $0.changedUnix = changedAt.seconds
            $0.finishedUnix = finishedAt?.seconds ?? 0
            $0.parked = isParked
        }
    }
}
