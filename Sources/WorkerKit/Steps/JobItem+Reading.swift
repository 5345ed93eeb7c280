import BridgeProtocol
import Foundation
import LCPCore
import LCPWire
import LightningTypes

// What both roles read of an item. What is malformed here is the bridge's fault, and an error.

extension BusJobItem {
    /// The job and its state, or a new one.
    func record<Job: StoredJob>(_ role: BusRole) throws(StepError) -> JobRecord<Job> {
        guard job.role == role else {
            throw StepError(.itemMalformed, "the item is of another role")
        }
        guard let peer = NodeID(job.peer) else {
            throw StepError(.itemMalformed, "job.peer is not a node ID")
        }
        let jobID: JobID = try job.jobID.identifier("job.job_id")
        guard !state.isEmpty else { return JobRecord(new: Job(peer: peer, jobID: jobID)) }
        return try JobRecord(decoding: state, peer: peer, jobID: jobID)
    }

    /// The bridge's time.
    var now: UnixTime { UnixTime(seconds: nowUnix) }

    /// The effects that were given up because they exceed the peer's limit: their outcome is an
    /// event, not that they are gone.
    var tooLarge: Set<UInt64> {
        var ids: Set<UInt64> = []
        for event in events {
            if case .tooLarge(let refused) = event.body { ids.insert(refused.effect) }
        }
        return ids
    }

    /// Begins the reply: the version, and nothing else.
    func emptyReply() -> BusJobReply {
        var reply = BusJobReply()
        reply.version = version
        return reply
    }
}

extension JobRecord {
    /// The messages that went out since the last step.
    func sent(_ item: BusJobItem, messageID: (Job.Effect) -> MessageID?) -> [MessageID] {
        let left = Set(item.outstanding).union(item.tooLarge)
        return effects.entries.compactMap { entry in
            left.contains(entry.given.id) ? nil : messageID(entry.effect)
        }
    }

    /// Writes what every reply holds.
    func write(_ reply: inout BusJobReply, wakeAt: UnixTime?, answerBy: UnixTime?)
        throws(StepError)
    {
        reply.state = try encoded()
        reply.effects = effects.entries.map(\.given)
        reply.wakeAtUnix = wakeAt?.seconds ?? 0
        reply.answerByUnix = answerBy?.seconds ?? 0
        reply.view = view
    }
}

extension Data {
    /// A field of 32 bytes.
    func identifier<ID: Identifier32>(_ field: StaticString) throws(StepError) -> ID {
        ID(try bytes32(field))
    }

    /// A field of 32 bytes.
    func bytes32(_ field: StaticString) throws(StepError) -> Bytes32 {
        guard let bytes = Bytes32(self) else {
            throw StepError(.itemMalformed, "\(field) has \(count) bytes, not 32")
        }
        return bytes
    }
}

extension Identifier32 {
    /// The bytes as protobuf holds them.
    var data: Data { Data(bytes.bytes) }
}

extension BusPeerMessage {
    /// Reads the message; nil when its type or body is not LCP v0.1's.
    ///
    /// What a peer writes is never an error of ours. An unreadable message has no answer (the
    /// specification names none), and whoever waits for a readable one asks again or gives up.
    var message: V01.Message? {
        guard let number = UInt16(exactly: type), let type = V01.MessageType(rawValue: number)
        else { return nil }
        return try? V01.Message(decoding: [UInt8](payload), as: type)
    }
}
