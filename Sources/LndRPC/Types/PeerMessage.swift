import FoundationEssentials
package import LightningTypes
import SwiftProtobuf

/// A custom message (BOLT #1), received from or to be sent to a peer.
///
/// Its description shows type, peer and length only: the data may be somebody's prompt.
package struct PeerMessage: Hashable, Sendable {
    /// The peer's public key.
    package var peer: NodeID
    /// The message type; 32768 and above are custom.
    package var type: UInt16
    /// Everything after the type.
    package var data: [UInt8]

    /// The most bytes a message may have beside its type.
    ///
    /// One byte more and lnd fails the call and drops the peer.
    package static let maximumDataLength = 65_533
    /// The types that lnd passes on without being configured to.
    package static let customTypes: ClosedRange<UInt16> = 32_768...65_535

    /// Makes a message.
    package init(peer: NodeID, type: UInt16, data: [UInt8]) {
        self.peer = peer
        self.type = type
        self.data = data
    }
}

extension PeerMessage: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Type, length and peer.
    package var description: String { "message \(type) of \(data.count) bytes, peer \(peer)" }

    /// The same as ``description``.
    package var debugDescription: String { description }

    /// Shows no child, so that `dump` of an enclosing type stays silent about the data.
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

extension PeerMessage {
    init(_ message: Lnrpc_CustomMessage) throws(LndError) {
        let answer = Answer(Lnrpc_CustomMessage.self)
        guard let type = UInt16(exactly: message.type) else {
            throw answer.malformed("type", "is \(message.type), more than 16 bits")
        }
        self.init(
            peer: try answer.nodeID(message.peer, "peer"),
            type: type,
            data: [UInt8](message.data)
        )
    }

    /// The request for `SendCustomMessage`, or why lnd must not see it.
    func request() throws(LndError) -> Lnrpc_SendCustomMessageRequest {
        guard Self.customTypes.contains(type) else {
            throw LndError(.typeNotCustom, "SendCustomMessage: type \(type) is below 32768")
        }
        // BOLT #1 [message-size]
        guard data.count <= Self.maximumDataLength else {
            throw LndError(
                .messageTooLarge,
                "SendCustomMessage: \(data.count) bytes, at most \(Self.maximumDataLength) fit"
            )
        }
        return .with {
            $0.peer = Data(peer.bytes)
            $0.type = UInt32(type)
            $0.data = Data(data)
        }
    }
}
