/// What an operator may set about the session with lnd and its peers.
package struct SessionSettings: Hashable, Sendable {
    /// What to do about a message whose type is even and unknown (BOLT #1: close the connection).
    package enum UnknownEven: String, Hashable, Sendable, CaseIterable {
        /// Ask lnd to disconnect the peer; lnd refuses while there is a channel with it.
        case disconnect
        /// Count it and do nothing: another program at the same lnd may know the type.
        case ignore
    }

    /// What to do about unknown even types.
    package var unknownEven = UnknownEven.disconnect
    /// The largest payload this node receives and announces, in bytes without the type.
    ///
    /// A message of a paid job is taken whatever its size: it is what the money was for.
    package var maxPayloadBytes: UInt32 = 16_384
    /// How far in the future an envelope's expiry counts, in seconds (LCP v0.1 §4.1).
    package var expiryWindowSeconds: UInt64 = 600

    // MARK: Manifests

    /// Whether peers get a manifest when they come; otherwise only in answer to theirs.
    package var sendsManifestFirst = true
    /// How often a repeated manifest is answered: once in so many seconds.
    package var manifestAnswerSeconds: UInt64 = 600
    /// How long the first manifests wait for provider workers when their task set is unknown.
    ///
    /// A peer hears of it once a connection; whom we ask for a quote gets its manifest at once.
    package var offersPatience = Duration.seconds(30)

    // MARK: Rates

    /// Messages of one peer; unpaid jobs and manifests together.
    package var peerRate = Rate(perSecond: 5, burst: 60)
    /// Messages of all peers.
    package var totalRate = Rate(perSecond: 500, burst: 1000)
    /// Messages for one paid job, which count in neither of the above.
    package var paidJobRate = Rate(perSecond: 0.2, burst: 8)
    /// `lcp_error` rate_limited to one peer.
    package var refusalRate = Rate(perSecond: 1, burst: 1)
    /// How many peers are remembered: their use of a rate, and their manifests.
    package var rememberedPeers = 4096

    // MARK: Replay

    /// Unexpired messages of one peer in the replay window.
    package var replayPerPeer = 1024
    /// Unexpired messages of all peers in the replay window.
    package var replayTotal = 32_768
    /// How many more there may be of one peer, and of all, for paid jobs.
    package var replayPaidReserve = 256

    // MARK: Queues

    /// Messages of one peer that wait for the engine.
    package var queuedPerPeer = 256
    /// Messages of all peers that wait for the engine.
    package var queuedTotal = 4096
    /// How many more may wait for paid jobs.
    package var queuedPaidReserve = 1024
    /// Settlements that wait for the engine; beyond it the engine is told to look them up.
    package var queuedInvoices = 4096
    /// Calls of SendCustomMessage under way for one peer.
    package var sendsPerPeer = 8
    /// Messages to one peer that wait for those calls.
    package var waitingSendsPerPeer = 256
    /// Messages of the session's own under way: manifests and refusals.
    package var ownSends = 1024

    // MARK: lnd

    /// The first pause before something is tried again; doubles with each failure.
    package var firstPause = Duration.milliseconds(100)
    /// The longest pause.
    package var longestPause = Duration.seconds(16)
    /// A stream that lasted so long, or gave anything, was a good one.
    package var steadyAfter = Duration.seconds(30)
    /// The peers that are connected to again whenever they are away.
    package var keptPeers: [PeerAddress] = []
    /// How often peers and channels are asked for although nothing seems to have changed.
    package var lookInterval = Duration.seconds(60)

    /// The defaults.
    package init() {}
}

/// A rate with a burst.
package struct Rate: Hashable, Sendable {
    /// How many pass a second in the long run; above 0.
    package var perSecond: Double
    /// How many pass at once after a rest; at least 1.
    package var burst: Int

    /// Takes both.
    package init(perSecond: Double, burst: Int) {
        self.perSecond = perSecond
        self.burst = burst
    }

    /// The time in which one passes.
    var interval: Duration { .seconds(1) / max(perSecond, 0.000_001) }
}
