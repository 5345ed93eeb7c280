package import LightningTypes

/// An open channel (`ListChannels`).
package struct Channel: Equatable, Sendable {
    /// The node at the other end.
    package var peer: NodeID
    /// lnd's number of the channel: block, transaction and output, in one.
    package var id: UInt64
    /// The funding output, `txid:output`.
    package var channelPoint: String
    /// Whether the channel can carry payments now.
    package var isActive: Bool
    /// Whether the channel is kept from the public graph.
    package var isPrivate: Bool
    /// What the channel holds in all.
    package var capacity: MilliSatoshi
    /// What is ours; less can be spent.
    package var localBalance: MilliSatoshi
    /// What is theirs.
    package var remoteBalance: MilliSatoshi
    /// What must stay on our side; nil when lnd does not say.
    package var localReserve: MilliSatoshi?
}

extension Channel {
    init(_ channel: Lnrpc_Channel) throws(LndError) {
        let answer = Answer(Lnrpc_Channel.self)
        peer = try answer.nodeID(channel.remotePubkey, "remote_pubkey")
        id = channel.chanID
        channelPoint = channel.channelPoint
        isActive = channel.active
        isPrivate = channel.private
        capacity = try answer.sat(channel.capacity, "capacity")
        localBalance = try answer.sat(channel.localBalance, "local_balance")
        remoteBalance = try answer.sat(channel.remoteBalance, "remote_balance")
        localReserve =
            channel.hasLocalConstraints
            ? MilliSatoshi(sat: channel.localConstraints.chanReserveSat) : nil
    }
}

/// What all open channels hold (`ChannelBalance`).
package struct ChannelBalance: Equatable, Sendable {
    /// What is ours; less can be spent, since each channel keeps a reserve and pays fees.
    package var local: MilliSatoshi
    /// What is theirs: what could be received at most.
    package var remote: MilliSatoshi
    /// What is ours and on its way.
    package var unsettledLocal: MilliSatoshi
    /// What is theirs and on its way.
    package var unsettledRemote: MilliSatoshi
}

extension ChannelBalance {
    init(_ balance: Lnrpc_ChannelBalanceResponse) {
        local = MilliSatoshi(msat: balance.localBalance.msat)
        remote = MilliSatoshi(msat: balance.remoteBalance.msat)
        unsettledLocal = MilliSatoshi(msat: balance.unsettledLocalBalance.msat)
        unsettledRemote = MilliSatoshi(msat: balance.unsettledRemoteBalance.msat)
    }
}
