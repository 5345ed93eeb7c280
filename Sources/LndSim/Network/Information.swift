import LightningCrypto
package import LightningTypes

/// The release of lnd that the simulation behaves as.
package enum SimulatedVersion {
    /// What GetInfo prints.
    package static let text = "\(short) commit=v\(short)"
    /// What GetVersion prints.
    package static let short = "\(major).\(minor).\(patch)-\(preRelease)"
    /// The number before the first dot.
    package static let major: UInt32 = 0
    /// The number that says what an lnd can do.
    package static let minor: UInt32 = 21
    /// The number of the bug-fix release.
    package static let patch: UInt32 = 0
    /// What follows the hyphen.
    package static let preRelease = "beta"
    /// No commit of lnd's: a hash that says so.
    package static let commitHash = SHA256.hash(Array("lcp-simnet".utf8)).hex.prefix(40).description
}

/// A node as GetInfo describes it.
package struct NodeInformation: Equatable, Sendable {
    /// The public key.
    package let id: NodeID
    /// The operator's name for it.
    package let alias: String
    /// `key@host:port`.
    package let uri: String
    /// Channels that can carry HTLCs.
    package let activeChannels: UInt32
    /// Channels whose other end is away.
    package let inactiveChannels: UInt32
    /// Connected peers.
    package let peers: UInt32
    /// The simulated chain's height.
    package let blockHeight: UInt32
    /// The hash of the block at that height, in hex.
    package let blockHash: String
    /// When the block at that height came.
    package let blockTime: UnixTime
    /// Whether the node has come up completely.
    package let isSynced: Bool
}

/// A node's money in channels, as ChannelBalance sums it, in msat.
package struct ChannelBalance: Equatable, Sendable {
    /// What the node owns.
    package var localMsat: UInt64 = 0
    /// What its peers own.
    package var remoteMsat: UInt64 = 0
    /// What the node has offered in unresolved HTLCs.
    package var pendingLocalMsat: UInt64 = 0
    /// What its peers have offered in unresolved HTLCs.
    package var pendingRemoteMsat: UInt64 = 0
}

/// Which channels a caller of ListChannels wants.
package struct ChannelFilter: Sendable {
    /// Only channels that can carry HTLCs.
    package var activeOnly = false
    /// Only channels that can't.
    package var inactiveOnly = false
    /// Only announced channels.
    package var publicOnly = false
    /// Only unannounced channels.
    package var privateOnly = false
    /// Only channels with this peer: 33 bytes; empty for all peers.
    package var peer: [UInt8] = []

    /// Asks for all channels.
    package init() {}
}

extension SimulatedNetwork {
    /// GetInfo: what a node says of itself.
    ///
    /// - Parameter node: The node asked.
    /// - Returns: Its identity and state.
    /// - Throws: ``LndFault`` while the node does not serve.
    package func information(of node: NodeHandle) throws(LndFault) -> NodeInformation {
        try checkServing(node)
        let record = nodes[node.index].record
        let all = channels(of: node)
        let active = all.count { isActive($0) }
        let genesis = nodes.first?.record.created.seconds ?? 0
        return NodeInformation(
            id: record.id,
            alias: record.name,
            uri: "\(record.id)@\(record.address)",
            activeChannels: UInt32(active),
            inactiveChannels: UInt32(all.count - active),
            peers: UInt32(connections.keys.count { $0.contains(node) }),
            blockHeight: blockHeight,
            blockHash: SHA256.hash(Array("block \(blockHeight)".utf8)).hex,
            blockTime: UnixTime(seconds: genesis + UInt64(blockHeight - 1000) * 600),
            isSynced: isStarted(node)
        )
    }

    /// ChannelBalance: a node's money in channels.
    ///
    /// - Parameter node: The node asked.
    /// - Returns: The sums over its channels.
    /// - Throws: ``LndFault`` while the node does not serve.
    package func channelBalance(of node: NodeHandle) throws(LndFault) -> ChannelBalance {
        try checkServing(node)
        var sums = ChannelBalance()
        for channel in channels(of: node) {
            guard let end = channel.end(of: node) else { continue }
            sums.localMsat += channel.balanceMsat[end]
            sums.remoteMsat += channel.balanceMsat[end.other]
            sums.pendingLocalMsat += channel.pendingMsat[end]
            sums.pendingRemoteMsat += channel.pendingMsat[end.other]
        }
        return sums
    }

    /// ListChannels: a node's channels, oldest first.
    ///
    /// - Parameters:
    ///   - filter: Which ones.
    ///   - node: The node asked.
    /// - Returns: The channels that match.
    /// - Throws: ``LndFault`` as lnd words it.
    package func listChannels(
        _ filter: ChannelFilter = ChannelFilter(),
        on node: NodeHandle
    ) throws(LndFault) -> [Channel] {
        try checkServing(node)
        guard !(filter.activeOnly && filter.inactiveOnly) else {
            throw .unknown("either `active_only` or `inactive_only` can be set, but not both")
        }
        guard !(filter.publicOnly && filter.privateOnly) else {
            throw .unknown("either `public_only` or `private_only` can be set, but not both")
        }
        guard filter.peer.isEmpty || filter.peer.count == 33 else {
            throw .unknown(
                "invalid `peer` key: invalid vertex length of \(filter.peer.count), want 33"
            )
        }
        let peer = filter.peer.isEmpty ? nil : NodeID(filter.peer).flatMap { handles[$0] }
        return channels(of: node).filter { channel in
            if filter.publicOnly, channel.isPrivate { return false }
            if filter.privateOnly, !channel.isPrivate { return false }
            if filter.activeOnly, !isActive(channel) { return false }
            if filter.inactiveOnly, isActive(channel) { return false }
            guard !filter.peer.isEmpty else { return true }
            // The far end counts: a node's own key matches none of its channels.
            guard let peer, let end = channel.end(of: node) else { return false }
            return channel.ends[end.other] == peer
        }
    }
}
