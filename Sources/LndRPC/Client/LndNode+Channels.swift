import FoundationEssentials
package import LightningTypes
import SwiftProtobuf

extension LndNode {
    /// The open channels.
    ///
    /// - Parameter peer: The node at the other end; nil for all.
    /// - Returns: The channels.
    /// - Throws: ``LndError``.
    package func listChannels(with peer: NodeID? = nil) async throws(LndError) -> [Channel] {
        let answer: Lnrpc_ListChannelsResponse = try await unary(
            .listChannels,
            Lnrpc_ListChannelsRequest.with {
                if let peer { $0.peer = Data(peer.bytes) }
            }
        )
        return try answer.channels.map { channel throws(LndError) in try Channel(channel) }
    }

    /// What all open channels hold.
    package func channelBalance() async throws(LndError) -> ChannelBalance {
        let answer: Lnrpc_ChannelBalanceResponse = try await unary(
            .channelBalance,
            Lnrpc_ChannelBalanceRequest()
        )
        return ChannelBalance(answer)
    }
}
