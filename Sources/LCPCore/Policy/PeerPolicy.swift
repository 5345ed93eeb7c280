package import LCPWire
package import LightningTypes

/// Whom a provider serves, and how much of it (LCP v0.1 §7).
package struct PeerPolicy: Equatable, Sendable {
    /// The only peers to serve; nil serves each that is not denied.
    package var allowed: Set<NodeID>?
    /// Peers that are never served, even when allowed.
    package var denied: Set<NodeID>
    /// Whether a peer must have a channel with us.
    package var requiresChannel: Bool
    /// The most jobs of one peer that are quoted or running at the same time.
    package var maxOpenJobs: UInt32
    /// The most new quotes a minute for one peer.
    package var requestsPerMinute: UInt32

    /// Makes a policy; by default each peer may have 16 open jobs and 60 quotes a minute.
    package init(
        allowed: Set<NodeID>? = nil,
        denied: Set<NodeID> = [],
        requiresChannel: Bool = false,
        maxOpenJobs: UInt32 = 16,
        requestsPerMinute: UInt32 = 60
    ) {
        self.allowed = allowed
        self.denied = denied
        self.requiresChannel = requiresChannel
        self.maxOpenJobs = maxOpenJobs
        self.requestsPerMinute = requestsPerMinute
    }

    /// Why a peer gets no quote.
    ///
    /// - Parameters:
    ///   - peer: The peer.
    ///   - facts: What is known of it now.
    /// - Returns: The `lcp_error` to send; nil when the peer is served.
    package func refusal(of peer: NodeID, _ facts: PeerFacts) -> V01.Failure? {
        // One text for all three: a stranger need not learn which list it is on.
        let isListed = (allowed?.contains(peer) ?? true) && !denied.contains(peer)
        guard isListed, facts.hasChannel || !requiresChannel else {
            return V01.Failure(code: .unsupportedTask, message: "not offered to this peer")
        }
        guard facts.openJobs < maxOpenJobs else {
            return V01.Failure(code: .rateLimited, message: "too many open jobs")
        }
        guard facts.isWithinRate else {
            return V01.Failure(code: .rateLimited, message: "too many requests")
        }
        return nil
    }
}

/// What the session layer knows of a job's peer at the time of an event.
package struct PeerFacts: Equatable, Sendable {
    /// Whether we have a channel with the peer.
    package var hasChannel: Bool
    /// The peer's other jobs that are quoted or running.
    package var openJobs: UInt32
    /// Whether this request is within ``PeerPolicy/requestsPerMinute``; whoever counts says so.
    package var isWithinRate: Bool
    /// The peer's `max_payload_bytes`; nil while it hasn't said.
    package var maxPayloadBytes: UInt32?

    /// Makes facts.
    package init(
        hasChannel: Bool,
        openJobs: UInt32,
        isWithinRate: Bool,
        maxPayloadBytes: UInt32?
    ) {
        self.hasChannel = hasChannel
        self.openJobs = openJobs
        self.isWithinRate = isWithinRate
        self.maxPayloadBytes = maxPayloadBytes
    }
}
