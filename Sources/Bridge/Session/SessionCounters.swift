/// What the session counts, by the names that status shows.
package enum SessionCounter: String, Hashable, Sendable, CaseIterable {
    /// Messages handed to the engine.
    case received = "message.received"
    /// Messages sent, manifests and refusals included.
    case sent = "message.sent"
    /// Calls to send that failed.
    case sendFailed = "message.send_failed"
    /// Payloads under LCP's numbers that are no LCP: PeerSwap uses the same ones.
    case notLCP = "message.not_lcp"
    /// LCP streams with a broken envelope.
    case malformed = "message.malformed"
    /// Messages after their expiry.
    case expired = "message.expired"
    /// Messages that came before.
    case replayed = "message.replayed"
    /// Messages above what this node says it can receive.
    case tooLarge = "message.too_large"
    /// Messages above their peer's rate.
    case rateLimited = "message.rate_limited"
    /// Messages above the rate of all peers together.
    case overloaded = "message.overloaded"
    /// Messages for which the replay window had no room.
    case replayFull = "message.replay_full"
    /// Messages for which the queue to the engine had no room.
    case queueFull = "message.queue_full"
    /// Messages for a requester's job that nobody knows, or that could not be looked up.
    case unknownJob = "message.unknown_job"
    /// Messages of an odd type that LCP does not know.
    case unknownOdd = "message.unknown_odd"
    /// Messages of an even type that LCP does not know.
    case unknownEven = "message.unknown_even"
    /// `lcp_error` rate_limited sent to peers.
    case refused = "message.refused"
    /// What the session wanted to send itself and had no room for.
    case ownSendDropped = "message.own_dropped"
    /// Manifests received.
    case manifestReceived = "manifest.received"
    /// Manifests that could not be read.
    case manifestMalformed = "manifest.malformed"
    /// Manifests sent.
    case manifestSent = "manifest.sent"
    /// Peers that lnd was asked to disconnect for an unknown even type.
    case disconnected = "peer.disconnected"
    /// Attempts to connect to a peer that is to be kept.
    case connectTried = "peer.connect_tried"
    /// Those of them that failed.
    case connectFailed = "peer.connect_failed"
    /// Settlements that had no room and are looked up instead.
    case invoiceOverflow = "invoice.overflow"
    /// Streams of lnd that ended.
    case streamEnded = "lnd.stream_ended"
    /// Times that lnd was lost.
    case lost = "lnd.lost"
    /// Manifests and offers that could not be written to the journal.
    case notKept = "session.not_kept"
}

/// Counts since the start of the bridge.
struct SessionCounters: Sendable {
    private var counts: [SessionCounter: UInt64] = [:]

    mutating func count(_ counter: SessionCounter) { counts[counter, default: 0] &+= 1 }

    /// Every counter by its name, also those at 0.
    var byName: [String: UInt64] {
        Dictionary(
            uniqueKeysWithValues: SessionCounter.allCases.map { ($0.rawValue, counts[$0] ?? 0) }
        )
    }
}
