package import BOLT11
package import LCPWire
package import LightningTypes

/// How a requester asks, waits and judges.
package struct RequesterRules: Equatable, Sendable {
    /// The network of our node.
    package var network: Network
    /// How long to wait for a quote before asking again, in seconds.
    package var quoteWaitSeconds: UInt64 = 15
    /// How often to ask for a quote, the first time included.
    package var quoteAttempts: UInt32 = 4
    /// How long before the quote's end the last payment may begin, in seconds.
    ///
    /// Time for the provider to execute: the reference's deadline is the quote's. Half of what is
    /// left when that is less.
    package var paymentMarginSeconds: UInt64 = 60
    /// How much later than the quote an invoice may end, in seconds (LCP v0.1 §5.3).
    package var expirySkewSeconds: UInt64 = 5
    /// The most blocks a payee may ask the last hop to leave.
    package var maxFinalCLTV: UInt64 = 288
    /// How long to wait for the answer, in seconds from the payment's success.
    package var answerSeconds: UInt64 = 900
    /// When to ask for an overdue answer, in seconds; doubles up to sixteen times that.
    package var repeatSeconds: UInt64 = 60
    /// The shortest time between two repeats, in seconds, however often the peer returns.
    ///
    /// A restart of our own bridge asks at once.
    package var repeatPauseSeconds: UInt64 = 10
    /// How long after the deadline the bridge tells the client in a dead worker's place, in
    /// seconds.
    package var answerGraceSeconds: UInt64 = 30
    /// How long an ended job is kept for its client, in seconds.
    package var retentionSeconds: UInt64 = 7 * 86_400

    /// Makes rules with the default times.
    package init(network: Network) { self.network = network }
}

/// What a requester's step may know besides the job and the event.
package struct RequesterContext: Equatable, Sendable {
    /// The time of the step.
    package var now: UnixTime
    /// An unused random identifier for the one message a step may send.
    package var freshMessageID: MessageID
    /// An unused random identifier, in case the step asks under a new one.
    package var freshJobID: JobID
    /// How this requester behaves.
    package var rules: RequesterRules

    /// Makes a context.
    package init(
        now: UnixTime,
        freshMessageID: MessageID,
        freshJobID: JobID,
        rules: RequesterRules
    ) {
        self.now = now
        self.freshMessageID = freshMessageID
        self.freshJobID = freshJobID
        self.rules = rules
    }
}
