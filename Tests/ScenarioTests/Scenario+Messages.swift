import Bridge
import BridgeProtocol
import Foundation
import Journal
import LCPTesting
import LCPWire
import LightningTypes

// Messages between the nodes.
extension Scenario {
    func send(
        _ key: JobKey,
        _ order: UInt64,
        _ message: BusSendMessage,
        _ contents: JobContents,
        _ node: ScenarioNode
    ) async throws {
        if happens(faults.blocking) {
            trace.note("blocked send")
            let result: SendResult = Bool.random(using: &random) ? .blocked : .failed
            return node.pending.append(.input(.sent(key, order: order, result)))
        }
        let journal = node.journal
        let outbound = try await OutboundMessage(
            message,
            to: key.peer,
            at: now,
            input: { () throws(JournalError) in
                if let input = contents.input { return input }
                return try await journal.input(of: key)?.reveal("a peer's message")
            },
            output: { () throws(JournalError) in
                if let output = contents.output { return output }
                return try await journal.answer(of: key)?.reveal("a peer's message")
            }
        )
        guard let outbound else {
            node.pending.append(.input(.sent(key, order: order, .givenUp)))
            return
        }
        node.pending.append(.input(.sent(key, order: order, .sent)))
        trace.note("message", "\(outbound.type)", "\(outbound.payload.count)")
        try noteOutcome(outbound, of: key, node)
        // lnd says "sent" all the same.
        if happens(faults.loss) { return trace.note("lost message") }
        let item = Transit.message(from: node.id, to: key.peer, outbound)
        transit.append((item, arrival()))
        if happens(faults.repetition) {
            trace.note("repeated message")
            transit.append((item, arrival()))
        }
    }

    /// When something that leaves now arrives at the earliest.
    func arrival() -> UnixTime {
        guard happens(faults.delay) else { return now }
        trace.note("delay")
        return now.advanced(bySeconds: UInt64.random(in: 1...400, using: &random))
    }

    /// One payment buys one answer: whatever goes out again is the same.
    private func noteOutcome(
        _ message: OutboundMessage,
        of key: JobKey,
        _ node: ScenarioNode
    ) throws {
        guard [42_087, 42_097].contains(message.type),
            lightning.invoices.contains(where: { $0.value.job == key && $0.value.state == .settled }
            )
        else { return }
        let records = try TLVStream.records(message.payload[...])
        let body = try TLVStream.encode(records.filter { $0.type > 4 })
        outcomes[key, default: []].insert([UInt8(message.type & 0xff)] + body)
    }

    func arrive(_ item: Transit) async throws {
        switch item {
        case .message(let sender, let receiver, let message):
            let node = try need(nodes.first { $0.id == receiver }, "receiver")
            try await receive(message, from: sender, node)
        case .payment(let hash):
            lightning.arrive(hash, now: now, fails: happens(faults.failure))
            trace.note("payment", "\(String(describing: lightning.payments[hash]?.state))")
            try await report(hash)
        }
    }

    /// What the session does with a message: envelope, expiry, replay, routing.
    private func receive(
        _ message: OutboundMessage,
        from sender: NodeID,
        _ node: ScenarioNode
    ) async throws {
        let envelope = try V01.Envelope.codec.decode(message.payload[...])
        let messageID = envelope.messageID.bytes
        guard envelope.expiry >= now else { return trace.note("expired message") }
        guard node.seen.insert(messageID).inserted else { return trace.note("replayed message") }
        let inbound = JobMessage(
            peer: sender,
            type: message.type,
            protocolVersion: envelope.protocolVersion,
            jobID: envelope.jobID.bytes,
            messageID: messageID,
            expiresAt: min(envelope.expiry, now.advanced(bySeconds: 600)),
            payload: message.payload
        )
        if message.type == 42_083 || message.type == 42_095 {
            let key = JobKey(role: .provider, peer: sender, id: inbound.jobID)
            return try await feed(.message(inbound, key), node)
        }
        var key = node.engine.requesterJob(peer: sender, jobID: inbound.jobID)
        if key == nil { key = try await node.journal.job(withWireID: inbound.jobID, from: sender) }
        if let key { try await feed(.message(inbound, key), node) }
    }
}
