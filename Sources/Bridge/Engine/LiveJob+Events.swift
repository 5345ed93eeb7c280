import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import SwiftProtobuf

extension LiveJob {
    /// The journal's next place for an event of this job.
    func takeSequence() -> UInt64 {
        defer { nextSequence += 1 }
        return nextSequence
    }

    /// The ids of outstanding effects of a kind, in order.
    func effectIDs(where matches: (BusEffect.OneOf_Body) -> Bool) -> [UInt64] {
        effects.filter { matches($0.value.body) }.keys.sorted()
    }

    /// What the client sees, for the journal.
    var notice: Step.Notice {
        // A message of scalar fields without required ones always encodes.
        let body: [UInt8] = (try? view.serializedBytes()) ?? []
        return Step.Notice(stage: UInt8(clamping: view.stage.rawValue), body: body)
    }
}

extension LiveJob.QueuedEvent {
    static var woken: Self {
        LiveJob.QueuedEvent(event: .with { $0.woken = BusWoken() })
    }

    static var peerReturned: Self {
        LiveJob.QueuedEvent(event: .with { $0.peerReturned = BusPeerReturned() })
    }
}

extension BusJobEvent {
    var isWoken: Bool { if case .woken = body { true } else { false } }
    var isResumed: Bool { if case .resumed = body { true } else { false } }
    var isPeerReturned: Bool { if case .peerReturned = body { true } else { false } }
}

extension BusEffect.OneOf_Body {
    /// The invoice it cancels.
    var cancelled: PaymentHash? {
        if case .cancelInvoice(let cancel) = self {
            Bytes32(cancel.paymentHash).map { PaymentHash($0) }
        } else {
            nil
        }
    }

    /// The payment it orders or withdraws.
    var paid: PaymentHash? {
        switch self {
        case .pay(let pay): Bytes32(pay.paymentHash).map { PaymentHash($0) }
        case .withdrawPayment(let pay): Bytes32(pay.paymentHash).map { PaymentHash($0) }
        default: nil
        }
    }
}

extension Fact {
    /// An event as the journal keeps it.
    static func event(_ event: BusJobEvent, limit: Int?, sequence: UInt64) -> Fact {
        // Messages without required fields always encode.
        let body: [UInt8] = (try? event.serializedBytes()) ?? []
        return .event(kind: 1, body: body, limit: limit, sequence: sequence)
    }
}

extension Effect {
    /// An effect as the journal keeps it.
    init(id: UInt64, body: BusEffect.OneOf_Body) {
        let effect = BusEffect.with {
            $0.id = id
            $0.body = body
        }
        // Messages without required fields always encode.
        let bytes: [UInt8] = (try? effect.serializedBytes()) ?? []
        self.init(id: id, kind: EffectRules.kind(body), body: bytes)
    }
}
