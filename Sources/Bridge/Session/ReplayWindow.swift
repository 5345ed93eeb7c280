import Journal
import LightningTypes

/// The messages that must not be taken twice, in bounded memory (LCP v0.1 §4.2).
///
/// Each peer has a quota: a flood costs its sender alone. Nothing is evicted before it expires; what
/// finds no room is refused. The journal holds the same entries for after a restart.
struct ReplayWindow: Sendable {
    /// What became of a message.
    enum Verdict: Hashable, Sendable {
        /// It was not there and is now.
        case new
        /// It came before.
        case replayed
        /// The peer's quota or the whole is used up.
        case full
    }

    private struct Key: Hashable, Sendable {
        var job: Bytes32
        var message: Bytes32
    }

    private var peers: [NodeID: [Key: UInt64]] = [:]
    /// Which entries end in which second, and some that were forgotten before.
    private var ends: [UInt64: [(peer: NodeID, key: Key)]] = [:]
    private var sweptAt: UInt64 = 0
    /// How many entries there are.
    private(set) var count = 0

    /// How many unexpired entries a peer has.
    func count(of peer: NodeID) -> Int { peers[peer]?.count ?? 0 }

    /// Whether a message came before.
    func holds(_ entry: ReplayEntry) -> Bool {
        peers[entry.peer]?[Key(job: entry.jobID, message: entry.messageID)] != nil
    }

    /// Takes an entry as it stands in the journal.
    mutating func load(_ entry: ReplayEntry) {
        // LCP v0.1 §4.2 [replay-outlives-restart]
        guard !holds(entry) else { return }
        add(entry)
    }

    /// Takes a message's entry if it is new and there is room.
    ///
    /// - Parameters:
    ///   - entry: The message; expires after now.
    ///   - quota: How many entries the peer may have, this one included.
    ///   - total: How many entries there may be, this one included.
    ///   - now: The wall clock; what has expired by then goes first.
    /// - Returns: What became of it.
    mutating func take(
        _ entry: ReplayEntry,
        quota: Int,
        total: Int,
        at now: UnixTime
    ) -> Verdict {
        sweep(at: now)
        guard !holds(entry) else { return .replayed }
        guard count(of: entry.peer) < quota, count < total else { return .full }
        add(entry)
        return .new
    }

    /// Forgets a message that was not taken after all: it may come again.
    mutating func forget(_ entry: ReplayEntry) {
        remove(entry.peer, Key(job: entry.jobID, message: entry.messageID))
    }

    /// Drops what has expired, at most once for each second of the clock.
    mutating func sweep(at now: UnixTime) {
        guard now.seconds != sweptAt else { return }
        sweptAt = now.seconds
        // LCP v0.1 §4.2 [replay-remembered]
        for second in ends.keys where second <= now.seconds {
            for (peer, key) in ends.removeValue(forKey: second) ?? []
            where peers[peer]?[key] == second {
                remove(peer, key)
            }
        }
    }

    private mutating func add(_ entry: ReplayEntry) {
        let key = Key(job: entry.jobID, message: entry.messageID)
        let end = entry.expiresAt.seconds
        peers[entry.peer, default: [:]][key] = end
        ends[end, default: []].append((entry.peer, key))
        count += 1
    }

    private mutating func remove(_ peer: NodeID, _ key: Key) {
        guard peers[peer]?.removeValue(forKey: key) != nil else { return }
        count -= 1
        if peers[peer]?.isEmpty == true { peers[peer] = nil }
    }
}
