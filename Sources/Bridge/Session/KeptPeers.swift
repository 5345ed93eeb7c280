package import LightningTypes

/// A peer and where it listens, as an operator names it: `key@host:port`.
package struct PeerAddress: Hashable, Sendable {
    /// The node's key.
    package var peer: NodeID
    /// `host:port`.
    package var address: String

    /// Takes both.
    package init(peer: NodeID, address: String) {
        self.peer = peer
        self.address = address
    }

    /// Reads `key@host:port`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1)
        guard parts.count == 2, let peer = NodeID(hex: parts[0].lowercased()),
            let colon = parts[1].lastIndex(of: ":"), colon > parts[1].startIndex,
            parts[1][parts[1].index(after: colon)...].allSatisfy(\.isNumber),
            let port = UInt16(parts[1][parts[1].index(after: colon)...]), port > 0
        else { return nil }
        self.init(peer: peer, address: String(parts[1]))
    }
}

/// The peers that the operator wants connected, and when to try each.
///
/// Pure. lnd lets a peer without a channel go for good when its connection breaks or lnd restarts,
/// so somebody has to ask for it again. Pauses double from a second to five minutes, of which the
/// random half may be left out, so that a provider that comes back is not met by all at once.
struct KeptPeers: Sendable {
    private struct Attempt: Sendable {
        var failures = 0
        var notBefore: ContinuousClock.Instant?
        var isUnderWay = false
        /// The operator has disconnected it by hand.
        var isLeftAlone = false
    }

    private static let firstPause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(300)

    /// The peers in the order they were given, each once; the last address counts.
    let peers: [PeerAddress]
    private var attempts: [NodeID: Attempt]

    init(_ peers: [PeerAddress]) {
        var known: [NodeID: Int] = [:]
        var kept: [PeerAddress] = []
        for peer in peers {
            if let index = known[peer.peer] {
                kept[index] = peer
            } else {
                known[peer.peer] = kept.count
                kept.append(peer)
            }
        }
        self.peers = kept
        attempts = known.mapValues { _ in Attempt() }
    }

    /// Says whom to connect to now, and takes note that it is being tried.
    ///
    /// - Parameters:
    ///   - now: The present.
    ///   - isConnected: Whether a peer is there.
    /// - Returns: Those who are not there and whose pause is over.
    mutating func due(
        at now: ContinuousClock.Instant,
        isConnected: (NodeID) -> Bool
    ) -> [PeerAddress] {
        peers.filter { peer in
            guard var attempt = attempts[peer.peer] else { return false }
            if isConnected(peer.peer) {
                attempt.failures = 0
                attempt.notBefore = nil
                attempts[peer.peer] = attempt
                return false
            }
            guard !attempt.isUnderWay, !attempt.isLeftAlone,
                attempt.notBefore.map({ $0 <= now }) ?? true
            else { return false }
            attempt.isUnderWay = true
            attempts[peer.peer] = attempt
            return true
        }
    }

    /// Takes note of how an attempt ended; the next has to wait in any case.
    ///
    /// - Parameters:
    ///   - peer: Whom it was about.
    ///   - now: The present.
    ///   - jitter: A random number from 0 up to 1.
    /// - Returns: How many attempts in a row there were, this one included.
    @discardableResult
    mutating func tried(
        _ peer: NodeID,
        at now: ContinuousClock.Instant,
        jitter: Double
    ) -> Int {
        guard var attempt = attempts[peer] else { return 0 }
        attempt.isUnderWay = false
        // A connection that is made and lost at once must not be made without a pause.
        let pause = min(Self.firstPause * (1 << min(attempt.failures, 20)), Self.longestPause)
        attempt.notBefore = now + pause * (0.5 + jitter / 2)
        attempt.failures += 1
        attempts[peer] = attempt
        return attempt.failures
    }

    /// Lets a peer be, after the operator has disconnected it; until `want(_:)` or a restart.
    mutating func leaveAlone(_ peer: NodeID) { attempts[peer]?.isLeftAlone = true }

    /// Keeps a peer again, after the operator has connected to it.
    mutating func want(_ peer: NodeID) {
        attempts[peer]?.isLeftAlone = false
        attempts[peer]?.notBefore = nil
    }
}
