package import BridgeProtocol
import LCPWire
package import LightningTypes

/// A peer that sells chat jobs, as its last manifest has it.
package struct Seller: Equatable, Sendable {
    /// The peer.
    package var peer: NodeID
    /// Whether it is there now.
    package var isConnected: Bool
    /// What it offers, in its own order.
    package var profiles: [String]
    /// The largest message it takes, in bytes; nil when it does not say.
    package var payloadBytes: Int?
    /// When its manifest came, in Unix seconds.
    package var manifestUnix: UInt64

    /// Takes all of it.
    package init(
        _ peer: NodeID,
        profiles: [String],
        isConnected: Bool = true,
        payloadBytes: Int? = nil,
        manifestUnix: UInt64 = 0
    ) {
        self.peer = peer
        self.profiles = profiles
        self.isConnected = isConnected
        self.payloadBytes = payloadBytes
        self.manifestUnix = manifestUnix
    }

    /// A peer as the bridge shows it; nil when it sells no chat.
    package init?(_ peer: BusPeer) {
        let profiles = peer.offers.filter { $0.taskKind == V01.llmChat && !$0.profile.isEmpty }
            .map(\.profile)
        guard let id = NodeID(peer.id), !profiles.isEmpty else { return nil }
        self.init(
            id,
            profiles: profiles,
            isConnected: peer.connected,
            payloadBytes: peer.maxPayloadBytes == 0 ? nil : Int(peer.maxPayloadBytes),
            manifestUnix: peer.manifestUnix
        )
    }
}
