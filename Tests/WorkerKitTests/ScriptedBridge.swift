import BridgeProtocol
import Foundation
import LCPTesting
import LCPWire
import LightningTypes
import SwiftProtobuf
import Testing

@testable import WorkerKit

/// A job's row in a scripted journal.
struct JobRow {
    var key: BusJobKey
    var version: UInt64 = 0
    var state = Data()
    /// The effects still to do, as committed.
    var outstanding: [BusEffect] = []
    /// What was done stays done.
    var done: Set<UInt64> = []
    /// Begun since the last start, and not done yet.
    var begun: Set<UInt64> = []
    /// Every effect there ever was, to see that no id comes back as another.
    var given: [UInt64: BusEffect] = [:]
    /// What waits for a step; facts survive a restart, messages before payment do not.
    var events: [(body: BusJobEvent.OneOf_Body, survives: Bool)] = []
    var input: Data?
    var output: Data?
    var view = BusJobView()
    var wakeAt: UInt64 = 0
    var answerBy: UInt64 = 0
    var attempt: UInt32 = 1
    var isFinished = false
    /// The job_ids it used on the wire.
    var wireIDs: Set<Data> = []

    /// Whether a step that is on disk has asked for the same content.
    func hasCommitted(_ message: BusSendMessage) -> Bool {
        given.values.contains { effect in
            guard case .send(let known) = effect.body else { return false }
            return known.type == message.type && known.records == message.records
        }
    }

    mutating func happened(_ body: BusJobEvent.OneOf_Body, survives: Bool = true) {
        events.append((body, survives))
        isFinished = false
    }
}

/// One node's bridge: its jobs, and the one durable step of design, no more and no less.
struct ScriptedBridge {
    /// Where a process can die during a step or an effect.
    enum CrashPoint: CaseIterable {
        /// The worker took the item and never replied.
        case workerLost
        /// The bridge died with effects of an uncommitted step begun.
        case beforeCommit
        /// The step is on disk, and nothing of it has been done.
        case afterCommit
        /// An effect was carried out, and nobody noted it.
        case afterEffect
    }

    let role: BusRole
    let handler: any StepHandler
    var rows: [Data: JobRow] = [:]
    var order: [Data] = []
    var violations: [String] = []

    init(_ role: BusRole, _ handler: any StepHandler) {
        self.role = role
        self.handler = handler
    }

    mutating func open(_ key: BusJobKey) {
        guard rows[key.jobID] == nil else { return }
        rows[key.jobID] = JobRow(key: key)
        order.append(key.jobID)
    }

    /// The row that knows a job_id of the wire.
    func row(wireID: Data) -> Data? {
        rows[wireID] != nil ? wireID : order.first { rows[$0]?.wireIDs.contains(wireID) == true }
    }

    /// Lets a fresh worker answer everything that waits for a job.
    func reply(to id: Data, at now: UnixTime) throws -> BusJobReply {
        let row = try #require(rows[id])
        let item = BusJobItem.with {
            $0.job = row.key
            $0.version = row.version
            $0.state = row.state
            $0.events = row.events.map { event in .with { $0.body = event.body } }
            $0.outstanding = row.outstanding.map(\.id)
            $0.peer.connected = true
            $0.peer.maxPayloadBytes = 16384
            $0.peer.requestsLastMinute = 1
            $0.nowUnix = now.seconds
            $0.attempt = row.attempt
        }
        // Through bytes, as over a socket.
        let reply = try handler.step(
            BusJobItem(serializedBytes: item.serializedBytes() as [UInt8]),
            in: Sample.context
        )
        return try BusJobReply(serializedBytes: reply.serializedBytes() as [UInt8])
    }

    /// What the journal refuses, and what no worker may do.
    mutating func check(_ reply: BusJobReply, for id: Data) {
        guard var row = rows[id] else { return }
        if reply.version != row.version { violations.append("another version") }
        if reply.state.count > 1 << 20 { violations.append("more than 1 MiB of state") }
        if Set(reply.effects.map(\.id)).count != reply.effects.count {
            violations.append("an id twice in one reply")
        }
        for effect in reply.effects {
            guard effect.id > 0, effect.id < 1 << 63, effect.body != nil else {
                violations.append("an effect without id or body")
                continue
            }
            if let known = row.given[effect.id], known != effect {
                violations.append("effect \(effect.id) came back as another effect")
            }
            if role == .provider, case .send(let message) = effect.body, message.again,
                !row.hasCommitted(message)
            {
                violations.append("a \(message.type) goes out before it is on disk")
            }
        }
        if reply.view.stage == .unspecified { violations.append("no stage") }
        let owes = [.running, .paying].contains(reply.view.stage)
        if owes, reply.answerByUnix == 0 { violations.append("paid, and nobody has to answer") }
        row.wireIDs.formUnion(reply.sentJobIDs)
        rows[id] = row
    }

    /// Makes a reply durable; returns false when it is of no use any more.
    mutating func commit(_ reply: BusJobReply, answering count: Int, for id: Data) {
        guard var row = rows[id] else { return }
        row.version += 1
        row.state = reply.state
        for effect in reply.effects { row.given[effect.id] = effect }
        row.outstanding = reply.effects.filter { !row.done.contains($0.id) }
        row.begun.formIntersection(row.outstanding.map(\.id))
        for case .computeFinished(let finished) in row.events.prefix(count).map(\.body) {
            row.output = finished.output
        }
        row.events.removeFirst(count)
        row.wakeAt = reply.wakeAtUnix
        row.answerBy = reply.answerByUnix
        row.view = reply.view
        if reply.hasInput { row.input = reply.input }
        if reply.hasOutput { row.output = reply.output }
        row.attempt = 1
        rows[id] = row
    }

    /// The payload that a send makes, with its contents from the store.
    func payload(_ message: BusSendMessage, of id: Data, at now: UnixTime) throws -> [UInt8] {
        let row = try #require(rows[id])
        let envelope = V01.Envelope(
            protocolVersion: UInt16(message.protocolVersion),
            jobID: try #require(Bytes32(message.jobID).map { JobID($0) }),
            messageID: try #require(Bytes32(message.msgID).map { MessageID($0) }),
            expiry: message.expiryUnix == 0
                ? now.advanced(bySeconds: 600) : UnixTime(seconds: message.expiryUnix)
        )
        var records = try TLVStream.records(V01.Envelope.codec.encode(envelope)[...])
        for record in message.records {
            let bytes: Data
            switch record.value {
            case .bytes(let value): bytes = value
            case .storedInput(let count): bytes = try #require(row.input).prefix(Int(count))
            case .storedOutput(let count): bytes = try #require(row.output).prefix(Int(count))
            case nil: bytes = Data()
            }
            records.append(TLVRecord(type: record.type, value: [UInt8](bytes)[...]))
        }
        return try TLVStream.encode(records)
    }
}

extension BusJobReply {
    /// The job_ids under which the reply sends.
    fileprivate var sentJobIDs: [Data] {
        bodies.compactMap { body in if case .send(let message) = body { message.jobID } else { nil }
        }
    }
}

extension BusEffect {
    /// Whether it runs before its step is on disk.
    var isAtOnce: Bool {
        switch body {
        case .send(let message): message.again
        case .createInvoice, .startCompute, .cancelCompute: true
        case .cancelInvoice, .pay, .withdrawPayment, .finish, nil: false
        }
    }
}
