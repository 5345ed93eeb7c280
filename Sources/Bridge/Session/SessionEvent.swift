package import Journal
package import LightningTypes
package import LndRPC

/// What the session tells the engine.
package enum SessionEvent: Sendable {
    /// The streams stand and the peers are known.
    ///
    /// Anything may have been missed before: look everything up, ask again, send what is
    /// outstanding. Peers that are connected now get no `peerOnline` of their own.
    case ready(NodeInfo)
    /// lnd is away; `ready` follows when it is back.
    case lost(LndError)
    /// A job-scope message that passed every check.
    case message(InboundMessage)
    /// Messages may have been missed.
    case messagesReopened
    /// An invoice that is not open any more; so far lnd tells of settlements alone.
    case invoice(Invoice)
    /// Settlements may have been missed.
    case invoicesReopened
    /// A peer came, or came back over a new connection.
    case peerOnline(NodeID)
    /// A peer went.
    case peerOffline(NodeID)
}

/// A job-scope LCP message whose envelope, expiry, size, rate and newness were checked.
///
/// Of its body nothing is known. Its description shows no payload.
package struct InboundMessage: Hashable, Sendable {
    /// Who sent it.
    package var peer: NodeID
    /// The message's type: 42083.
    package var type: UInt16
    /// The version its envelope states.
    package var protocolVersion: UInt16
    /// The job_id on the wire.
    package var jobID: Bytes32
    /// The msg_id on the wire.
    package var messageID: Bytes32
    /// Until when it counts: the envelope's expiry, at most ten minutes ahead (LCP v0.1 §4.2).
    package var effectiveExpiry: UnixTime
    /// The whole payload, envelope included, without the 2 bytes of the type.
    package var payload: [UInt8]
    /// How many entries the replay window allows its peer; more when the job is paid.
    package var replayQuota: Int

    /// Takes all parts.
    package init(
        peer: NodeID,
        type: UInt16,
        protocolVersion: UInt16,
        jobID: Bytes32,
        messageID: Bytes32,
        effectiveExpiry: UnixTime,
        payload: [UInt8],
        replayQuota: Int
    ) {
        self.peer = peer
        self.type = type
        self.protocolVersion = protocolVersion
        self.jobID = jobID
        self.messageID = messageID
        self.effectiveExpiry = effectiveExpiry
        self.payload = payload
        self.replayQuota = replayQuota
    }

    /// What the journal remembers of it: through the second in which it is still valid.
    package var replayEntry: ReplayEntry {
        ReplayEntry(
            peer: peer,
            jobID: jobID,
            messageID: messageID,
            expiresAt: effectiveExpiry.advanced(bySeconds: 1)
        )
    }

    /// The fact to commit with what follows from the message.
    package var received: Fact { .received(replayEntry, quota: replayQuota) }
}

extension InboundMessage: CustomStringConvertible, CustomReflectable {
    /// Type, length, job and peer.
    package var description: String {
        "message \(type) of \(payload.count) bytes for job \(jobID.hex), peer \(peer)"
    }

    /// Shows no child, so that `dump` of an enclosing type stays silent about the payload.
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

/// A job-scope message to send, envelope and all.
package struct OutboundMessage: Hashable, Sendable {
    /// Who gets it.
    package var peer: NodeID
    /// The message's type: 42085.
    package var type: UInt16
    /// The job_id on the wire; messages of one job and peer go out in the order of the calls.
    package var jobID: Bytes32
    /// The whole payload, without the 2 bytes of the type.
    package var payload: [UInt8]

    /// Takes all parts.
    package init(peer: NodeID, type: UInt16, jobID: Bytes32, payload: [UInt8]) {
        self.peer = peer
        self.type = type
        self.jobID = jobID
        self.payload = payload
    }
}

extension OutboundMessage: CustomStringConvertible, CustomReflectable {
    /// Type, length, job and peer.
    package var description: String {
        "message \(type) of \(payload.count) bytes for job \(jobID.hex), peer \(peer)"
    }

    /// Shows no child, so that `dump` of an enclosing type stays silent about the payload.
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

/// Why a message was not sent, or may not have been.
package enum SendError: Error, Hashable, Sendable {
    /// Nothing was sent: there is no connection to the peer. `peerOnline` follows when it is back.
    case peerNotConnected
    /// Nothing was sent: the payload exceeds what the peer can receive, in bytes.
    case tooLarge(limit: Int)
    /// lnd could not, or nobody knows: see ``LndRPC/LndError/outcomeIsUnknown``.
    ///
    /// `notReached` also while lnd is away and while too much waits for the peer.
    case lnd(LndError)
}

/// What is known of a peer at this moment.
package struct PeerFactsNow: Hashable, Sendable {
    /// Whether messages can be sent to it.
    package var connected: Bool
    /// Whether there is an open channel with it, active or not.
    package var hasChannel: Bool
    /// The largest payload it can receive, in bytes; nil when it never said.
    package var maxPayloadBytes: UInt32?
    /// How many quotes it asked for in the last 60 seconds.
    package var requestsLastMinute: UInt32

    /// Takes all parts.
    package init(
        connected: Bool,
        hasChannel: Bool,
        maxPayloadBytes: UInt32?,
        requestsLastMinute: UInt32
    ) {
        self.connected = connected
        self.hasChannel = hasChannel
        self.maxPayloadBytes = maxPayloadBytes
        self.requestsLastMinute = requestsLastMinute
    }
}

/// A custom message that came or went, for trusted observers; any type, LCP or not.
package struct FeedRecord: Hashable, Sendable {
    /// The peer at the other end.
    package var peer: NodeID
    /// Whether this node sent it.
    package var isOutbound: Bool
    /// The message's type.
    package var type: UInt16
    /// The payload, without the 2 bytes of the type.
    package var payload: [UInt8]

    /// Takes all parts.
    package init(peer: NodeID, isOutbound: Bool, type: UInt16, payload: [UInt8]) {
        self.peer = peer
        self.isOutbound = isOutbound
        self.type = type
        self.payload = payload
    }
}

extension FeedRecord: CustomStringConvertible, CustomReflectable {
    /// Direction, type, length and peer.
    package var description: String {
        "\(isOutbound ? "sent" : "received") message \(type) of \(payload.count) bytes, "
            + "peer \(peer)"
    }

    /// Shows no child, so that `dump` of an enclosing type stays silent about the payload.
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
