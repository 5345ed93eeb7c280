package import LightningTypes

/// Who a node is and how far it has synced (`GetInfo`).
package struct NodeInfo: Equatable, Sendable {
    /// The node's public key.
    package var nodeID: NodeID
    /// The name the node gives itself; anyone may use any name.
    package var alias: String
    /// As in `0.20.0-beta commit=v0.20.0-beta`; decide by ``LndVersion`` instead.
    package var version: String
    /// The Bitcoin network: mainnet, testnet, testnet4, signet, simnet or regtest so far.
    package var network: String
    /// The last block the node knows.
    package var blockHeight: UInt32
    /// When the last block the node knows was made, as its miner says: up to two hours off.
    package var bestHeaderAt: UnixTime
    /// Whether payments can be expected to work.
    package var isSyncedToChain: Bool
    /// Whether routes can be expected to be found.
    package var isSyncedToGraph: Bool
    /// How many peers are connected.
    package var peerCount: UInt32
    /// How many channels can be used.
    package var activeChannelCount: UInt32
    /// `pubkey@host:port` under which others may reach the node.
    package var addresses: [String]
}

extension NodeInfo {
    init(_ info: Lnrpc_GetInfoResponse) throws(LndError) {
        let answer = Answer(Lnrpc_GetInfoResponse.self)
        guard let chain = info.chains.first else { throw answer.malformed("chains", "is empty") }
        nodeID = try answer.nodeID(info.identityPubkey, "identity_pubkey")
        alias = info.alias
        version = info.version
        network = try answer.text(chain.network, "chains.network")
        blockHeight = info.blockHeight
        bestHeaderAt = UnixTime(seconds: UInt64(max(0, info.bestHeaderTimestamp)))
        isSyncedToChain = info.syncedToChain
        isSyncedToGraph = info.syncedToGraph
        peerCount = info.numPeers
        activeChannelCount = info.numActiveChannels
        addresses = info.uris
    }
}
