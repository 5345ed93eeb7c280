import LightningTypes
import LndRPC

/// Who is connected and who has a channel.
///
/// Pure. Three sources disagree now and then: events may come late, a list may be older than an
/// event, and a message proves that its sender is there. Each sign carries the number of the last
/// list that was asked for before it, so that a list never overrules what came after its request.
struct PeerDirectory: Sendable {
    /// What changed.
    enum News: Hashable, Sendable {
        /// A peer is connected.
        case came(NodeID, Arrival)
        /// A peer is not connected any more.
        case went(NodeID)
    }

    /// What is known of the beginning of a connection.
    enum Arrival: Hashable, Sendable {
        /// It has just begun, and both sides were told.
        case now
        /// It was there before it was found; nobody can say since when.
        case before
        /// It may be the one that was known, or one that replaced it while nobody looked.
        case perhaps
    }

    private struct Connection: Sendable {
        var address: String
        /// The last list asked for when the peer last showed itself.
        var lastSign: UInt64
        /// When a list brought the peer; nil when an event or a message did.
        var listedAt: ContinuousClock.Instant?
        /// What followed the list, when that may be about this connection or a new one.
        var doubt = Doubt.none
    }

    private enum Doubt: Sendable {
        case none
        /// An ONLINE came soon after the list.
        case online
        /// And then an OFFLINE: if a list still has the peer, its connection was replaced.
        case onlineOffline
    }

    /// An ONLINE so soon after a list that brought the peer is that connection's own.
    private static let sameConnection = Duration.seconds(2)

    private var connections: [NodeID: Connection] = [:]
    private var channels: Set<NodeID> = []
    private var asked: UInt64 = 0
    private var applied: UInt64 = 0

    /// The connected peers, in no order.
    var connected: [NodeID] { Array(connections.keys) }

    /// Whether messages can be sent to a peer.
    func isConnected(_ peer: NodeID) -> Bool { connections[peer] != nil }

    /// Whether there is an open channel with a peer.
    func hasChannel(with peer: NodeID) -> Bool { channels.contains(peer) }

    /// A connected peer's address; empty for others and until a list had it.
    func address(of peer: NodeID) -> String { connections[peer]?.address ?? "" }

    /// Numbers a list that is about to be asked for.
    mutating func ask() -> UInt64 {
        asked += 1
        return asked
    }

    /// Takes a list.
    ///
    /// - Parameters:
    ///   - peers: The peers connected.
    ///   - channels: The nodes with which there are channels.
    ///   - number: The list's number; a list older than the last one taken says nothing new.
    ///   - isFirst: Whether lnd was away before, so that connections may have been replaced.
    ///   - now: The present.
    /// - Returns: What changed, ordered by peer.
    mutating func take(
        _ peers: [Peer],
        channels: Set<NodeID>,
        number: UInt64,
        isFirst: Bool,
        at now: ContinuousClock.Instant
    ) -> [News] {
        guard number > applied else { return [] }
        applied = number
        self.channels = channels
        var news: [(peer: NodeID, news: News)] = []
        for peer in peers {
            let known = connections[peer.nodeID]
            var connection =
                known ?? Connection(address: "", lastSign: number, listedAt: now)
            connection.address = peer.address
            let isNew = known == nil || known?.doubt == .onlineOffline
            if isNew || isFirst {
                news.append((peer.nodeID, .came(peer.nodeID, isNew ? .before : .perhaps)))
            }
            if connection.doubt == .onlineOffline { connection.doubt = .none }
            connections[peer.nodeID] = connection
        }
        let listed = Set(peers.map(\.nodeID))
        for (peer, connection) in connections
        where !listed.contains(peer) && connection.lastSign < number {
            connections[peer] = nil
            news.append((peer, .went(peer)))
        }
        return news.sorted { $0.peer < $1.peer }.map(\.news)
    }

    /// Takes an ONLINE event.
    mutating func online(_ peer: NodeID, at now: ContinuousClock.Instant) -> News? {
        if let known = connections[peer] {
            connections[peer]?.lastSign = asked
            connections[peer]?.listedAt = nil
            // Else the OFFLINE of the connection before is late, or was missed.
            if let listedAt = known.listedAt, listedAt.duration(to: now) < Self.sameConnection {
                connections[peer]?.doubt = .online
                return nil
            }
        } else {
            connections[peer] = Connection(address: "", lastSign: asked, listedAt: nil)
        }
        return .came(peer, .now)
    }

    /// Takes an OFFLINE event, which may be about a connection that was replaced: a list decides.
    mutating func offline(_ peer: NodeID) {
        if connections[peer]?.doubt == .online { connections[peer]?.doubt = .onlineOffline }
    }

    /// Takes a message as proof that its sender is connected.
    ///
    /// News deserve a look: the message may have been on its way when the peer went.
    mutating func heard(_ peer: NodeID) -> News? {
        guard connections[peer] == nil else {
            connections[peer]?.lastSign = asked
            return nil
        }
        connections[peer] = Connection(address: "", lastSign: asked, listedAt: nil)
        return .came(peer, .before)
    }
}
