package import LightningTypes

/// Two nodes, in no order.
struct NodePair: Hashable, Sendable {
    let first: NodeHandle
    let second: NodeHandle

    init(_ one: NodeHandle, _ other: NodeHandle) {
        first = min(one, other)
        second = max(one, other)
    }

    func contains(_ node: NodeHandle) -> Bool { first == node || second == node }
}

/// Two nodes in order: from one to the other.
struct DirectedPair: Hashable, Sendable {
    let from: NodeHandle
    let to: NodeHandle
}

struct Connection: Sendable {
    /// Who dialled.
    let dialer: NodeHandle
    /// Counts all connections of the network; tells a new one from the one before it.
    let number: UInt64
    /// Bytes of custom messages from `NodePair.first` to `second`, and back.
    var bytesForth: UInt64 = 0
    var bytesBack: UInt64 = 0

    /// The dialler's address as the other side sees it: a port of the ephemeral range.
    var ephemeralAddress: String { "127.0.0.1:\(40_000 + number % 20_000)" }
}

/// A peer as ListPeers shows it.
package struct PeerRecord: Equatable, Sendable {
    /// The peer's key.
    package let id: NodeID
    /// Its address as this node sees it.
    package let address: String
    /// Whether the peer dialled.
    package let isInbound: Bool
    /// Bytes of custom messages sent to it over this connection.
    package let bytesSent: UInt64
    /// Bytes of custom messages received from it over this connection.
    package let bytesReceived: UInt64
    /// How often connections to it were lost since this node started.
    package let flapCount: Int32
}

/// A change of a peer's connection, as on SubscribePeerEvents.
package struct PeerEvent: Equatable, Sendable {
    /// The peer.
    package let peer: NodeID
    /// True for PEER_ONLINE, false for PEER_OFFLINE.
    package let isOnline: Bool

    /// Takes the peer and what became of it.
    package init(peer: NodeID, isOnline: Bool) {
        self.peer = peer
        self.isOnline = isOnline
    }
}

extension SimulatedNetwork {
    /// The connected peers of a node, ordered by key.
    ///
    /// - Parameter node: The node asked.
    /// - Returns: Its peers.
    /// - Throws: ``LndFault`` while the node does not serve.
    package func listPeers(on node: NodeHandle) throws(LndFault) -> [PeerRecord] {
        try checkServing(node)
        return
            connections
            .filter { $0.key.contains(node) }
            .map { pair, connection in
                let isFirst = pair.first == node
                let peer = isFirst ? pair.second : pair.first
                let isInbound = connection.dialer == peer
                return PeerRecord(
                    id: nodes[peer.index].record.id,
                    address: isInbound
                        ? connection.ephemeralAddress : nodes[peer.index].record.address,
                    isInbound: isInbound,
                    bytesSent: isFirst ? connection.bytesForth : connection.bytesBack,
                    bytesReceived: isFirst ? connection.bytesBack : connection.bytesForth,
                    flapCount: nodes[node.index].flaps[peer] ?? 0
                )
            }
            .sorted { $0.id < $1.id }
    }

    /// Whether two nodes are connected.
    package func areConnected(_ one: NodeHandle, _ other: NodeHandle) -> Bool {
        connections[NodePair(one, other)] != nil
    }

    /// ConnectPeer: connects to a node of the network.
    ///
    /// - Parameters:
    ///   - key: The peer's public key in hex.
    ///   - host: Its address; the port defaults to 9735.
    ///   - isPermanent: Keep trying, now and after each loss; refusals of the peer don't show.
    ///   - node: The node that connects.
    /// - Returns: lnd's status text.
    /// - Throws: ``LndFault`` as lnd words it.
    package mutating func connectPeer(
        key: String,
        host: String,
        isPermanent: Bool,
        on node: NodeHandle
    ) throws(LndFault) -> String {
        try checkServing(node)
        try checkStarted(node)
        let peerID = try publicKey(key)
        let own = nodes[node.index].record
        guard peerID != own.id else { throw .unknown("cannot make connection to self") }
        let address = host.contains(":") ? host : "\(host):9735"
        let target = handles[peerID]
        if let target, let connection = connections[NodePair(node, target)] {
            let seen =
                connection.dialer == target
                ? connection.ephemeralAddress : nodes[target.index].record.address
            throw .unknown("already connected to peer: \(peerID)@\(seen)")
        }
        if isPermanent { commit(.permanentPeer(node: node, peer: peerID, address: address)) }
        let isThere = handles.values.contains {
            isStarted($0) && isAddress(address, of: nodes[$0.index].record)
        }
        guard let target, isStarted(target), isAddress(address, of: nodes[target.index].record)
        else {
            if !isPermanent {
                throw .unknown(
                    isThere
                        // The address answers, but with another key: the handshake's first act fails.
                        ? "read tcp \(address): i/o timeout"
                        : "dial tcp \(address): connect: connection refused"
                )
            }
            return "connection to \(peerID)@\(address) initiated"
        }
        separated.remove(NodePair(node, target))
        connect(node, to: target)
        return "connection to \(peerID)@\(address) initiated"
    }

    /// DisconnectPeer: drops a connection and forgets that it was permanent.
    ///
    /// - Parameters:
    ///   - key: The peer's public key in hex.
    ///   - node: The node that disconnects.
    /// - Returns: lnd's status text.
    /// - Throws: ``LndFault`` as lnd words it; refused while a channel with the peer exists.
    package mutating func disconnectPeer(
        key: String,
        on node: NodeHandle
    ) throws(LndFault) -> String {
        try checkServing(node)
        try checkStarted(node)
        guard let bytes = Hex.decode(key) else {
            throw .unknown("unable to decode pubkey bytes: \(hexFault(key))")
        }
        guard let peerID = NodeID(bytes) else {
            throw .unknown(
                "unable to parse pubkey: malformed public key: invalid length: \(bytes.count)"
            )
        }
        let target = handles[peerID]
        let shared = nodes[node.index].channels.filter { position in
            target.map { channels[position].end(of: $0) != nil } ?? false
        }
        guard shared.isEmpty else {
            throw .unknown(
                "cannot disconnect from peer(\(peerID)), still has \(shared.count) active channels"
            )
        }
        guard let target, connections[NodePair(node, target)] != nil else {
            throw .unknown("unable to disconnect peer: peer \(peerID) is not connected")
        }
        if nodes[node.index].permanentPeers[peerID] != nil {
            commit(.permanentPeer(node: node, peer: peerID, address: nil))
        }
        drop(NodePair(node, target))
        return "disconnect initiated"
    }

    /// Opens a SubscribePeerEvents stream: changes from now on, no snapshot.
    ///
    /// - Parameter node: The node asked.
    /// - Returns: The stream.
    /// - Throws: ``LndFault`` while the node does not serve.
    package mutating func subscribePeerEvents(
        on node: NodeHandle
    ) throws(LndFault) -> SubscriptionID {
        try checkServing(node)
        return open(.peerEvents, on: node)
    }

    // MARK: - The connections themselves

    mutating func connect(_ dialer: NodeHandle, to target: NodeHandle) {
        let pair = NodePair(dialer, target)
        guard connections[pair] == nil else { return }
        connectionCount += 1
        connections[pair] = Connection(dialer: dialer, number: connectionCount)
        tellBoth(pair, isOnline: true)
        // The old connection's OFFLINE comes from another task of lnd and may be late.
        if lateOfflines.remove(pair) != nil { tellBoth(pair, isOnline: false) }
    }

    mutating func drop(_ pair: NodePair) {
        guard connections.removeValue(forKey: pair) != nil else { return }
        links[DirectedPair(from: pair.first, to: pair.second)]?.lastArrival = nil
        links[DirectedPair(from: pair.second, to: pair.first)]?.lastArrival = nil
        failSending(between: pair)
        nodes[pair.first.index].flaps[pair.second, default: 0] += 1
        nodes[pair.second.index].flaps[pair.first, default: 0] += 1
        if !lateOfflines.contains(pair) { tellBoth(pair, isOnline: false) }
        if wantsConnection(pair) {
            schedule(.reconnect(pair), at: now.advanced(byMilliseconds: Self.reconnectMilliseconds))
        }
    }

    mutating func dropConnections(of node: NodeHandle) {
        for pair in sortedConnections(of: node) { drop(pair) }
    }

    mutating func reconnect(_ pair: NodePair) {
        if wantsConnection(pair) { connectIfPossible(pair.first, pair.second) }
    }

    mutating func connectIfPossible(_ one: NodeHandle, _ other: NodeHandle) {
        guard isStarted(one), isStarted(other), !separated.contains(NodePair(one, other)) else {
            return
        }
        connect(one, to: other)
    }

    /// Connects a node that has just come up with those it has channels or permanent ties with.
    mutating func connectToPeers(of node: NodeHandle) {
        for other in allNodes where other != node && wantsConnection(NodePair(node, other)) {
            connectIfPossible(node, other)
        }
    }

    // lnd starts to reconnect to a lost peer after about a second.
    static let reconnectMilliseconds: UInt64 = 1000

    private func wantsConnection(_ pair: NodePair) -> Bool {
        if nodes[pair.first.index].channels.contains(where: {
            channels[$0].end(of: pair.second) != nil
        }) {
            return true
        }
        let (first, second) = (nodes[pair.first.index], nodes[pair.second.index])
        return first.permanentPeers[second.record.id].map { isAddress($0, of: second.record) }
            ?? second.permanentPeers[first.record.id].map { isAddress($0, of: first.record) }
            ?? false
    }

    private func sortedConnections(of node: NodeHandle) -> [NodePair] {
        connections.keys
            .filter { $0.contains(node) }
            .sorted { ($0.first, $0.second) < ($1.first, $1.second) }
    }

    private mutating func tellBoth(_ pair: NodePair, isOnline: Bool) {
        for (node, peer) in [(pair.first, pair.second), (pair.second, pair.first)] {
            let event = PeerEvent(peer: nodes[peer.index].record.id, isOnline: isOnline)
            for id in nodes[node.index].subscribers.peerEvents {
                deliver(.peerEvent(event), to: id)
            }
        }
    }

    private func isAddress(_ address: String, of record: NodeRecord) -> Bool {
        address == record.address
            || address.replacing("localhost:", with: "127.0.0.1:") == record.address
    }

    private func publicKey(_ hex: String) throws(LndFault) -> NodeID {
        guard let bytes = Hex.decode(hex) else { throw .unknown(hexFault(hex)) }
        guard let id = NodeID(bytes) else {
            throw .unknown("malformed public key: invalid length: \(bytes.count)")
        }
        return id
    }
}

/// Go's text for text that is not hex.
func hexFault(_ text: String) -> String {
    for scalar in text.unicodeScalars
    where
        !("0"..."9" ~= scalar || "a"..."f" ~= scalar
        || "A"..."F" ~= scalar)
    {
        let number = String(scalar.value, radix: 16, uppercase: true)
        let code = String(repeating: "0", count: max(0, 4 - number.count)) + number
        return "encoding/hex: invalid byte: U+\(code) '\(scalar)'"
    }
    return "encoding/hex: odd length hex string"
}
