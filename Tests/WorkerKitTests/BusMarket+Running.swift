import BridgeProtocol
import Foundation
import LCPTesting
import LCPWire
import LightningTypes
import SwiftProtobuf
import Testing

@testable import WorkerKit

extension BusMarket {
    /// What the buyer sees.
    var bought: JobRow? { bridges[.requester]?.rows[jobID] }

    var violations: [String] { Side.allCases.flatMap { bridges[$0]?.violations ?? [] } }

    /// Lets things happen: a storm if there is to be one, then calm until nothing is left to do.
    mutating func run() throws {
        if isStormy {
            for _ in 0..<120 { try act() }
            isStormy = false
            crashAt = nil
            // What lnd knows is found, and what was lost on the way is asked for.
            lookUpInvoices()
            for side in Side.allCases {
                for id in bridges[side]?.order ?? [] where bridges[side]?.rows[id] != nil {
                    bridges[side]?.rows[id]?.happened(.peerReturned(.init()), survives: false)
                }
            }
        }
        for _ in 0..<400 {
            if try act() { continue }
            if bought?.view.endedUnix ?? 0 > 0, computing.isEmpty, network.isEmpty { return }
            passTime()
        }
    }

    /// Waits for the next thing somebody wants to be woken for.
    private mutating func passTime() {
        let wakes = Side.allCases.flatMap { side in
            (bridges[side]?.rows.values).map { $0.map(\.wakeAt) } ?? []
        }
        let next = wakes.filter { $0 > now.seconds }.min() ?? now.seconds + 60
        now = UnixTime(seconds: next)
        wakeAll()
    }

    private mutating func wakeAll() {
        for side in Side.allCases {
            for id in bridges[side]?.order ?? [] {
                guard let row = bridges[side]?.rows[id], row.wakeAt > 0,
                    row.wakeAt <= now.seconds, row.events.isEmpty
                else { continue }
                bridges[side]?.rows[id]?.happened(.woken(.init()), survives: false)
            }
        }
    }

    /// Does one thing that could happen next; false when nothing could.
    @discardableResult
    mutating func act() throws -> Bool {
        if isStormy {
            now = now.advanced(bySeconds: chance(4) ? random.next() % 200 : random.next() % 4)
            wakeAll()
            if chance(1) {
                bridges[.requester]?.rows[jobID]?.happened(.clientCancelled(.init()))
            }
            if chance(3) {
                bridges[.requester]?.rows[jobID]?
                    .happened(.peerReturned(.init()), survives: false)
            }
            if chance(5) { lookUpInvoices() }
        }
        let first = random.next() % 8
        for offset in 0..<UInt64(8) {
            let happened =
                switch (first + offset) % 8 {
                case 0: deliver()
                case 1: try takeStep(.provider)
                case 2: try takeStep(.requester)
                case 3: try runEffect(.provider)
                case 4: try runEffect(.requester)
                case 5: movePayment()
                case 6: compute()
                default: accept()
                }
            if happened { return true }
        }
        return false
    }

    private mutating func takeStep(_ side: Side) throws -> Bool {
        guard let bridge = bridges[side],
            let id = bridge.order.first(where: { bridge.rows[$0]?.events.isEmpty == false })
        else { return false }
        try step(side, id)
        return true
    }

    private mutating func deliver() -> Bool {
        guard !network.isEmpty else { return false }
        let flying = network.remove(at: Int(random.next() % UInt64(network.count)))
        guard let envelope = try? V01.Envelope.codec.decode(flying.payload[...]) else {
            bridges[flying.to]?.violations.append("a message without an envelope")
            return true
        }
        // The session's checks: expiry, and the replay window.
        guard envelope.expiry >= now else { return true }
        let entry = envelope.jobID.bytes.bytes + envelope.messageID.bytes.bytes
        guard seen[flying.to]?.insert(entry).inserted == true else { return true }
        let wireID = Data(envelope.jobID.bytes.bytes)
        if flying.to == .provider {
            let key = BusJobKey.with {
                $0.role = .provider
                $0.peer = keys[.requester] ?? Data()
                $0.jobID = wireID
            }
            bridges[.provider]?.open(key)
        }
        guard let id = bridges[flying.to]?.row(wireID: wireID) else { return true }
        let message = BusPeerMessage.with {
            $0.type = flying.type
            $0.protocolVersion = UInt32(envelope.protocolVersion)
            $0.jobID = wireID
            $0.msgID = Data(envelope.messageID.bytes.bytes)
            $0.payload = Data(flying.payload)
        }
        bridges[flying.to]?.rows[id]?.happened(.message(message), survives: false)
        return true
    }

    /// lnd goes on with a payment, or says again how it ended.
    private mutating func movePayment() -> Bool {
        guard let row = bought, row.view.stage == .paying,
            let payment = payments[row.view.paymentHash]
        else { return false }
        let hash = row.view.paymentHash
        let isTold = row.events.contains { event in
            switch event.body {
            case .paymentSucceeded, .paymentFailed, .paymentInFlight: true
            default: false
            }
        }
        guard !isTold else { return false }
        switch payment {
        case .inFlight: return move(hash)
        case .succeeded:
            if isStormy, chance(60) { return false }
            let preimage = invoices[hash].map { Data($0.preimage.bytes) } ?? Data()
            finishPayment(
                .paymentSucceeded(
                    .with {
                        $0.paymentHash = hash
                        $0.preimage = preimage
                        $0.feeMsat = 7
                    }
                )
            )
        case .failed, .withdrawn:
            finishPayment(
                .paymentFailed(
                    .with {
                        $0.paymentHash = hash
                        $0.cause = payment == .failed ? .lnd : .withdrawn
                        $0.failure.code = "FAILURE_REASON_TIMEOUT"
                    }
                )
            )
        }
        return true
    }

    private mutating func move(_ hash: Data) -> Bool {
        guard let invoice = invoices[hash] else { return false }
        if invoice.state == .open, now.seconds <= invoice.expiry, !chance(15) {
            invoices[hash]?.state = .settled
            payments[hash] = .succeeded
            counts.settled += 1
            // The subscription may miss it, the lookup will not.
            if !(isStormy && chance(30)) { settle(hash) }
        } else if isStormy, chance(50) {
            bridges[.requester]?.rows[jobID]?
                .happened(.paymentInFlight(.with { $0.paymentHash = hash }), survives: false)
        } else {
            payments[hash] = .failed
        }
        return true
    }

    /// The outcome and its effects' end are one fact.
    private mutating func finishPayment(_ event: BusJobEvent.OneOf_Body) {
        guard var row = bought else { return }
        for effect in row.outstanding {
            switch effect.body {
            case .pay, .withdrawPayment: row.done.insert(effect.id)
            default: break
            }
        }
        row.outstanding.removeAll { row.done.contains($0.id) }
        row.happened(event)
        bridges[.requester]?.rows[jobID] = row
    }

    private mutating func compute() -> Bool {
        guard let bridge = bridges[.provider],
            let id = bridge.order.first(where: computing.contains),
            var row = bridge.rows[id],
            let effect = row.outstanding.first(where: { effect in
                if case .startCompute = effect.body { true } else { false }
            })
        else { return false }
        if isStormy, chance(40) { return false }
        computing.remove(id)
        row.done.insert(effect.id)
        row.outstanding.removeAll { $0.id == effect.id }
        if chance(10) {
            row.happened(.computeFailed(.init()))
        } else {
            let characters = chance(20) ? 6000 : Int(random.next() % 50)
            let output = Data(String(repeating: "プ", count: characters).utf8)
            row.happened(.computeFinished(.with { $0.output = output }))
            outputs[id] = output
        }
        bridges[.provider]?.rows[id] = row
        return true
    }

    /// A client that sees a quote agrees to it, once.
    private mutating func accept() -> Bool {
        guard let row = bought, row.view.stage == .quoted, row.events.isEmpty else { return false }
        bridges[.requester]?.rows[jobID]?
            .happened(.accepted(.with { $0.maxPriceMsat = Sample.price.msat }))
        return true
    }
}
