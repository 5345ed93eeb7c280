import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import SwiftProtobuf

extension JobMessage {
    var bus: BusPeerMessage {
        .with {
            $0.type = UInt32(type)
            $0.protocolVersion = UInt32(protocolVersion)
            $0.jobID = Data(jobID.bytes)
            $0.msgID = Data(messageID.bytes)
            $0.payload = Data(payload)
        }
    }

    var replayEntry: ReplayEntry {
        ReplayEntry(peer: peer, jobID: jobID, messageID: messageID, expiresAt: expiresAt)
    }
}

extension JobMessage {
    /// The message an event of a job in memory was made of.
    init?(_ event: LiveJob.QueuedEvent, _ key: JobKey) {
        guard case .message(let message)? = event.event.body,
            let jobID = Bytes32(message.jobID), let messageID = Bytes32(message.msgID)
        else { return nil }
        var expiry: UnixTime?
        for case .received(let entry, _) in event.facts { expiry = entry.expiresAt }
        guard let expiry else { return nil }
        self.init(
            peer: key.peer,
            type: UInt16(clamping: message.type),
            protocolVersion: UInt16(clamping: message.protocolVersion),
            jobID: jobID,
            messageID: messageID,
            expiresAt: expiry,
            payload: [UInt8](message.payload)
        )
        isRequeued = true
    }
}
