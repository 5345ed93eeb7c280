package import LCPWire
package import LightningTypes

/// How a provider does business: prices, peers and times.
package struct ProviderRules: Equatable, Sendable {
    /// What is sold.
    package var prices: PriceList
    /// To whom.
    package var peers: PeerPolicy
    /// How long a quote holds, in seconds.
    package var quoteSeconds: UInt64 = 300
    /// How long before the quote its invoice ends, in seconds (LCP v0.1 §5.3).
    package var invoiceSlackSeconds: UInt64 = 5
    /// How long an execution may take, in seconds from the observed settlement.
    package var executionSeconds: UInt64 = 600
    /// How long after the execution's deadline the bridge answers in a dead worker's place.
    package var answerGraceSeconds: UInt64 = 30
    /// How long the answer of a paid job is kept for those who ask again, in seconds.
    package var answerRetentionSeconds: UInt64 = 86_400
    /// How long an unpaid job is remembered after its end, in seconds.
    ///
    /// As long as a receiver keeps replay state, so that nothing on its way starts a job anew.
    package var unpaidRetentionSeconds: UInt64 = 600

    /// How long an invoice can be paid, in seconds.
    ///
    /// The slack takes at most half of a short quote: an invoice that is over when it is made would
    /// be worth nothing.
    var invoiceSeconds: UInt64 { quoteSeconds - min(invoiceSlackSeconds, quoteSeconds / 2) }

    /// Makes rules with the default times.
    package init(prices: PriceList, peers: PeerPolicy = PeerPolicy()) {
        self.prices = prices
        self.peers = peers
    }
}

/// What a provider's step may know besides the job and the event.
package struct ProviderContext: Equatable, Sendable {
    /// The time of the step.
    package var now: UnixTime
    /// An unused random identifier for the one message a step may send.
    package var freshMessageID: MessageID
    /// What is known of the job's peer.
    package var peer: PeerFacts
    /// How this provider does business.
    package var rules: ProviderRules

    /// Makes a context.
    package init(
        now: UnixTime,
        freshMessageID: MessageID,
        peer: PeerFacts,
        rules: ProviderRules
    ) {
        self.now = now
        self.freshMessageID = freshMessageID
        self.peer = peer
        self.rules = rules
    }
}

extension V01.ErrorCode {
    // The specification has no code for these two and lets receivers accept unknown ones (LCP v0.1
    // §5.6). 0x8000 and above is far from what later versions number.

    /// Ours: the job was paid, and executing it failed.
    package static let executionFailed = V01.ErrorCode(rawValue: 0x8001)
    /// Ours: the job was paid, and the requester then cancelled it.
    package static let cancelled = V01.ErrorCode(rawValue: 0x8002)
}
