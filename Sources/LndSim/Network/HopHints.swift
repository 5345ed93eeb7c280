package import BOLT11
import LightningTypes

// Private channels: who is told of them, and who may use them.
extension SimulatedNetwork {
    /// The hints that lnd puts into a private invoice: ways to the node over unannounced channels.
    ///
    /// Active channels with peers that have an announced channel too, so that no peer is given
    /// away who wants to stay unknown; those that can bring most first, until together they can
    /// bring twice the amount.
    ///
    /// - Parameters:
    ///   - node: The payee.
    ///   - amountMsat: The invoice's amount in msat; 0 when the payer decides.
    /// - Returns: At most 20 routes of one hop.
    package func hopHints(to node: NodeHandle, amountMsat: UInt64) -> [[RouteHop]] {
        let candidates = channels(of: node).compactMap { channel -> (Channel, ChannelEnd)? in
            guard channel.isPrivate, isActive(channel), let peer = channel.end(of: node)?.other,
                isPublic(channel.ends[peer])
            else { return nil }
            return (channel, peer)
        }
        .sorted { ($1.0.balanceMsat[$1.1], $0.0.id) < ($0.0.balanceMsat[$0.1], $1.0.id) }

        var hints: [[RouteHop]] = []
        var hintedMsat: UInt64 = 0
        for (channel, peer) in candidates.prefix(Self.maximumHopHints) {
            guard amountMsat == 0 || hintedMsat < amountMsat.multipliedClamped(by: 2) else { break }
            hintedMsat += channel.balanceMsat[peer]
            hints.append([
                RouteHop(
                    nodeID: nodes[channel.ends[peer].index].record.id,
                    shortChannelID: ShortChannelID(channel.id),
                    feeBaseMsat: UInt32(ForwardingPolicy.baseFeeMsat),
                    feeProportionalMillionths: UInt32(ForwardingPolicy.feeRatePartsPerMillion),
                    cltvExpiryDelta: UInt16(ForwardingPolicy.timeLockDelta)
                )
            ])
        }
        return hints
    }

    /// The unannounced channels that a payment's invoice tells of.
    func hintedChannels(of terms: PaymentTerms) -> Set<UInt64> {
        // Reading an invoice costs a signature check; most networks have no private channel.
        guard !terms.paymentRequest.isEmpty, channels.contains(where: \.isPrivate),
            let invoice = try? PaymentRequests.decode(terms.paymentRequest)
        else { return [] }
        return Set(invoice.routeHints.flatMap(\.hops).map(\.shortChannelID.value))
    }

    static let maximumHopHints = 20

    private func isPublic(_ node: NodeHandle) -> Bool {
        channels(of: node).contains { !$0.isPrivate }
    }
}
