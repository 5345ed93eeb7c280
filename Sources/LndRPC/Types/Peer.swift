package import LightningTypes

/// A peer that is connected now (`ListPeers`).
///
/// May be listed shortly before messages can be sent to it.
package struct Peer: Equatable, Sendable {
    /// The peer's public key.
    package var nodeID: NodeID
    /// The remote TCP address; an inbound connection's port is ephemeral.
    package var address: String
    /// Whether the peer dialled us.
    package var isInbound: Bool
    /// How long the last ping took; zero before the first answer.
    package var pingTime: Duration
    /// How often the connection was lost, as far as lnd remembers.
    package var flapCount: Int32
}

extension Peer {
    init(_ peer: Lnrpc_Peer) throws(LndError) {
        let answer = Answer(Lnrpc_Peer.self)
        nodeID = try answer.nodeID(peer.pubKey, "pub_key")
        address = peer.address
        isInbound = peer.inbound
        pingTime = .microseconds(peer.pingTime)
        flapCount = peer.flapCount
    }
}

/// A peer came or went (`SubscribePeerEvents`).
package struct PeerEvent: Hashable, Sendable {
    /// What happened.
    package enum Kind: Hashable, Sendable {
        /// Connected; messages can be sent.
        case online
        /// Disconnected. When a peer reconnects quickly this may come after the new connection's
        /// ``online``: look at `listPeers` before believing it.
        case offline
    }

    /// The peer's public key.
    package var nodeID: NodeID
    /// Whether it came or went.
    package var kind: Kind
}

extension PeerEvent {
    init(_ event: Lnrpc_PeerEvent) throws(LndError) {
        let answer = Answer(Lnrpc_PeerEvent.self)
        nodeID = try answer.nodeID(event.pubKey, "pub_key")
        kind =
            switch event.type {
            case .peerOnline: .online
            case .peerOffline: .offline
            case .UNRECOGNIZED(let value):
                throw answer.malformed("type", "has the unknown value \(value)")
            }
    }
}

/// What became of a wish to be connected (`ConnectPeer`).
package enum ConnectOutcome: Hashable, Sendable {
    /// The connection was made, or is being tried for ever.
    case begun
    /// There was one already.
    case alreadyConnected
}
