import BOLT11
import BridgeProtocol
import Foundation
import LCPCore
import LCPTesting
import LCPWire
import LightningCrypto
import LightningTypes
import SwiftProtobuf
import Testing

@testable import WorkerKit

/// A requester's and a provider's node, each with a bridge and workers that die, joined by a network
/// that loses, repeats and reorders, and by one lnd that never lies.
struct BusMarket {
    enum Side: CaseIterable { case provider, requester }

    struct Invoice {
        enum State { case open, settled, cancelled }
        var state = State.open
        var preimage: Bytes32
        var amount: UInt64
        var expiry: UInt64
        var job: Data
    }

    enum Payment: Equatable { case inFlight, succeeded, failed, withdrawn }

    struct Flying {
        var to: Side
        var type: UInt32
        var payload: [UInt8]
    }

    struct Counts {
        var lost = 0
        var repeated = 0
        var crashes = 0
        var settled = 0
        var results = 0
        var errors = 0
        var unpaid = 0
        var cut = 0
    }

    var random: SeededGenerator
    var now = Sample.now
    /// Whether anything goes wrong by chance.
    var isStormy: Bool
    /// The one place that goes wrong when the weather is calm.
    var crashAt: (point: ScriptedBridge.CrashPoint, count: Int)?
    var passed: [ScriptedBridge.CrashPoint: Int] = [:]

    var bridges: [Side: ScriptedBridge]
    var network: [Flying] = []
    var seen: [Side: Set<[UInt8]>] = [.provider: [], .requester: []]
    var invoices: [Data: Invoice] = [:]
    var payments: [Data: Payment] = [:]
    var computing: Set<Data> = []
    var outputs: [Data: Data] = [:]
    let jobID = Data(repeating: 9, count: 32)
    let keys: [Side: Data]
    var counts = Counts()

    init(seed: UInt64, isStormy: Bool) throws {
        random = SeededGenerator(seed: seed)
        self.isStormy = isStormy
        // One source for both sides: what must be unique is unique everywhere.
        let identifiers = Sample.identifiers()
        bridges = [
            .provider: ScriptedBridge(
                .provider,
                ProviderSteps(rules: Sample.rules, identifiers: identifiers)
            ),
            .requester: ScriptedBridge(
                .requester,
                RequesterSteps(rules: RequesterRules(network: .mainnet), identifiers: identifiers)
            ),
        ]
        keys = [
            .provider: Data(try Sample.providerKey().publicKey.bytes),
            .requester: Data(try Sample.requesterKey().publicKey.bytes),
        ]
        try submit()
    }

    private mutating func submit() throws {
        let key = BusJobKey.with {
            $0.role = .requester
            $0.peer = keys[.provider] ?? Data()
            $0.jobID = jobID
        }
        let params = Data(try Sample.params())
        let agreed = chance(70)
        bridges[.requester]?.open(key)
        bridges[.requester]?.rows[jobID]?.input = Data(Sample.prompt.utf8)
        let submitted = BusSubmitted.with {
            $0.taskKind = V01.llmChat
            $0.input = Data(Sample.prompt.utf8)
            $0.params = params
            if agreed { $0.maxPriceMsat = Sample.price.msat }
        }
        bridges[.requester]?.rows[jobID]?.happened(.submitted(submitted))
    }

    mutating func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }

    /// Whether the process dies here.
    mutating func dies(_ point: ScriptedBridge.CrashPoint) -> Bool {
        passed[point, default: 0] += 1
        if isStormy { return chance(3) }
        guard let crashAt, crashAt.point == point, crashAt.count == passed[point] else {
            return false
        }
        return true
    }

    // MARK: - Steps

    mutating func step(_ side: Side, _ id: Data) throws {
        guard var bridge = bridges[side], let before = bridge.rows[id] else { return }
        let count = before.events.count
        let reply = try bridge.reply(to: id, at: now)
        if dies(.workerLost) {
            counts.crashes += 1
            bridges[side]?.rows[id]?.attempt += 1
            return
        }
        bridge.check(reply, for: id)
        bridges[side] = bridge
        for effect in reply.effects where effect.isAtOnce && !before.begun.contains(effect.id) {
            if !before.done.contains(effect.id) {
                try begin(effect, side, id, isCommitted: false, reply)
            }
        }
        if dies(.beforeCommit) {
            // The row is what it was, whatever has been begun.
            bridges[side]?.rows[id] = before.version == 0 && side == .provider ? nil : before
            if bridges[side]?.rows[id] == nil {
                bridges[side]?.order.removeAll { $0 == id }
            }
            return crash(side)
        }
        bridges[side]?.commit(reply, answering: count, for: id)
        if dies(.afterCommit) { crash(side) }
    }

    /// Forgets what is not on disk, and finds again what lnd knows.
    private mutating func crash(_ side: Side) {
        counts.crashes += 1
        guard var bridge = bridges[side] else { return }
        for id in bridge.order {
            guard var row = bridge.rows[id] else { continue }
            let isPaid = [.paying, .running, .unanswered].contains(row.view.stage)
            row.events.removeAll { event in
                // Committed on arrival while the job is being paid or is paid.
                if case .message = event.body, isPaid { false } else { !event.survives }
            }
            row.begun = []
            if !row.isFinished {
                row.happened(.resumed(.with { $0.downtimeSeconds = 1 }), survives: false)
            }
            bridge.rows[id] = row
        }
        bridges[side] = bridge
        if side == .provider {
            computing = []
            lookUpInvoices()
        }
    }

    mutating func lookUpInvoices() {
        for hash in invoices.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard let invoice = invoices[hash],
                let row = bridges[.provider]?.rows[invoice.job], row.version > 0,
                row.view.paymentHash == hash
            else { continue }
            switch invoice.state {
            case .open: break
            case .settled: settle(hash)
            case .cancelled:
                bridges[.provider]?.rows[invoice.job]?
                    .happened(.invoiceCancelled(.with { $0.paymentHash = hash }))
            }
        }
    }

    mutating func settle(_ hash: Data) {
        guard let invoice = invoices[hash] else { return }
        let settled = BusInvoiceSettled.with {
            $0.paymentHash = hash
            $0.amountMsat = invoice.amount
        }
        bridges[.provider]?.rows[invoice.job]?.happened(.invoiceSettled(settled))
    }

    // MARK: - Effects

    /// Runs one effect that waits; false when none does.
    mutating func runEffect(_ side: Side) throws -> Bool {
        guard let bridge = bridges[side] else { return false }
        for id in bridge.order {
            guard let row = bridge.rows[id], !row.isFinished,
                let effect = row.outstanding.first(where: { effect in
                    if effect.body == .finish(.init()), row.outstanding.count > 1 { return false }
                    return !row.begun.contains(effect.id)
                })
            else { continue }
            try begin(effect, side, id, isCommitted: true, nil)
            return true
        }
        return false
    }

    private mutating func begin(
        _ effect: BusEffect,
        _ side: Side,
        _ id: Data,
        isCommitted: Bool,
        _ reply: BusJobReply?
    ) throws {
        let outcome = try carryOut(effect, side, id, reply)
        if isCommitted, dies(.afterEffect) { return crash(side) }
        guard outcome.isDone else {
            bridges[side]?.rows[id]?.begun.insert(effect.id)
            return
        }
        bridges[side]?.rows[id]?.done.insert(effect.id)
        bridges[side]?.rows[id]?.outstanding.removeAll { $0.id == effect.id }
        if let event = outcome.event { bridges[side]?.rows[id]?.happened(event) }
        if effect.body == .finish(.init()), bridges[side]?.rows[id]?.events.isEmpty == true {
            bridges[side]?.rows[id]?.isFinished = true
        }
    }

    private mutating func carryOut(
        _ effect: BusEffect,
        _ side: Side,
        _ id: Data,
        _ reply: BusJobReply?
    ) throws -> (isDone: Bool, event: BusJobEvent.OneOf_Body?) {
        switch effect.body {
        case .send(let message):
            // What the same step stores is there when the step's messages go out.
            if let reply, reply.hasInput { bridges[side]?.rows[id]?.input = reply.input }
            guard let bridge = bridges[side] else { return (true, nil) }
            let payload = try bridge.payload(message, of: id, at: now)
            guard payload.count <= 16384 else {
                return (true, .tooLarge(.with { $0.effect = effect.id }))
            }
            let type = try #require(V01.MessageType(rawValue: UInt16(message.type)))
            _ = try V01.Message(decoding: payload, as: type)
            send(
                Flying(
                    to: side == .provider ? .requester : .provider,
                    type: message.type,
                    payload: payload
                )
            )
            return (true, nil)
        case .createInvoice(let order):
            let preimage = SHA256.hash(random.bytes(8))
            let hash = Data(SHA256.hash(preimage.bytes).bytes)
            invoices[hash] = Invoice(
                preimage: preimage,
                amount: order.amountMsat,
                expiry: order.expiryUnix,
                job: id
            )
            let text = try Sample.invoice(order, preimage: preimage, at: now)
            let created = BusInvoiceCreated.with {
                $0.paymentHash = hash
                $0.paymentRequest = text
            }
            return (true, .invoiceCreated(created))
        case .cancelInvoice(let order):
            let hash = order.paymentHash
            if invoices[hash]?.state == .settled {
                return (true, .invoiceSettled(.with { $0.paymentHash = hash }))
            }
            invoices[hash]?.state = .cancelled
            return (true, .invoiceCancelled(.with { $0.paymentHash = hash }))
        case .pay(let order):
            try expect(paid: order)
            if payments[order.paymentHash] == nil {
                payments[order.paymentHash] =
                    now.seconds <= order.notAfterUnix ? .inFlight : .failed
            }
            return (false, nil)
        case .withdrawPayment(let order):
            if payments[order.paymentHash] == nil { payments[order.paymentHash] = .withdrawn }
            return (false, nil)
        case .startCompute(let order):
            let isPaid = invoices.values.contains { $0.job == id && $0.state == .settled }
            if !isPaid { bridges[side]?.violations.append("executed before settlement") }
            if order.profile != "gpt-5.2" { bridges[side]?.violations.append("wrong profile") }
            computing.insert(id)
            return (false, nil)
        case .cancelCompute:
            computing.remove(id)
            return (true, .computeCancelled(.init()))
        case .finish:
            let isOpen = invoices.contains { hash, invoice in
                invoice.job == id && invoice.state == .open
                    && bridges[side]?.rows[id]?.view.paymentHash == hash
            }
            if isOpen { bridges[side]?.violations.append("forgot an open invoice") }
            return (true, nil)
        case nil: return (true, nil)
        }
    }

    private mutating func expect(paid order: BusPay) throws {
        let invoice = try BOLT11Invoice(decoding: order.paymentRequest, network: .regtest)
        let termsHash = try #require(Bytes32(order.descriptionHash))
        let isBound =
            invoice.amount?.msat == order.amountMsat
            && Data(invoice.paymentHash.bytes.bytes) == order.paymentHash
            && invoice.description == .hash(termsHash)
            && Data(invoice.payee.bytes) == keys[.provider]
            && invoice.expiresAt.seconds <= order.expiryUnix
        if !isBound { bridges[.requester]?.violations.append("pays what the invoice is not") }
    }

    private mutating func send(_ message: Flying) {
        // lnd says "sent" even when nobody receives.
        guard !(isStormy && chance(25)) else {
            counts.lost += 1
            return
        }
        network.append(message)
        while isStormy && chance(20) {
            counts.repeated += 1
            network.append(message)
        }
    }
}
