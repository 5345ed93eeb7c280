import LightningTypes

/// A search for a way through the network, with a payment's limits.
struct RouteSearch {
    let source: NodeHandle
    let destination: NodeHandle?
    let amountMsat: UInt64
    let feeLimitMsat: UInt64
    /// The payee's time lock, padding included.
    let finalTimeLockDelta: UInt32
    let timeLockLimit: UInt32
    let outgoingChannels: [UInt64]
    let lastHop: NodeHandle?
    /// Private channels of others that the payer was told of.
    let hintedChannels: Set<UInt64>
    /// Channels that failed before, and with how much: as much or more is not tried again.
    let failedMsat: [FailedHop: UInt64]
}

/// One direction of a channel in which an attempt has failed.
struct FailedHop: Hashable, Sendable {
    let channel: UInt64
    let offeredBy: ChannelEnd
}

enum RouteSearchFailure: Error {
    /// No way that keeps the limits.
    case noRoute
    /// All usable channels of the payer together hold less than the amount.
    case insufficientBalance
}

extension SimulatedNetwork {
    /// Finds the cheapest route, as lnd does: backwards from the payee, by fees and time locks.
    ///
    /// The payer knows the balances of its own channels only; what lies behind is known by
    /// capacity, and by what failed before.
    func findRoute(_ search: RouteSearch) throws(RouteSearchFailure) -> Route {
        let local = nodes[search.source.index].channels.filter { position in
            let channel = channels[position]
            return isActive(channel)
                && (search.outgoingChannels.isEmpty
                    || search.outgoingChannels.contains(channel.id))
        }
        let availableMsat = local.reduce(UInt64(0)) { sum, position in
            let channel = channels[position]
            return sum + (channel.end(of: search.source).map(channel.spendableMsat(from:)) ?? 0)
        }
        guard availableMsat >= search.amountMsat else { throw .insufficientBalance }
        guard let destination = search.destination, destination != search.source else {
            throw .noRoute
        }

        // What is known of the best way from a node to the payee.
        struct Best {
            var arrivingMsat: UInt64
            var timeLock: UInt32
            var cost: Double
            var hops: Int
            var next: (channel: Int, offeredBy: ChannelEnd, node: NodeHandle)?
            var isFinal = false
        }
        var best: [Best?] = Array(repeating: nil, count: nodes.count)
        best[destination.index] = Best(
            arrivingMsat: search.amountMsat,
            timeLock: 0,
            cost: 0,
            hops: 0
        )
        let isLocal = Set(local)

        while true {
            var nearest: NodeHandle?
            var least = (cost: Double.infinity, hops: Int.max)
            for index in best.indices {
                guard let candidate = best[index], !candidate.isFinal,
                    (candidate.cost, candidate.hops) < least
                else { continue }
                least = (candidate.cost, candidate.hops)
                nearest = NodeHandle(index: index)
            }
            guard let to = nearest, let onward = best[to.index] else { throw .noRoute }
            best[to.index]?.isFinal = true
            if to == search.source { break }

            for position in nodes[to.index].channels {
                let channel = channels[position]
                guard let end = channel.end(of: to)?.other else { continue }
                let from = channel.ends[end]
                guard best[from.index]?.isFinal != true else { continue }
                if channel.isPrivate, from != search.source,
                    !search.hintedChannels.contains(channel.id)
                {
                    continue
                }
                if to == destination, let lastHop = search.lastHop, from != lastHop { continue }
                let failedMsat =
                    search.failedMsat[FailedHop(channel: channel.id, offeredBy: end)] ?? .max
                guard onward.arrivingMsat >= ForwardingPolicy.minimumHTLCMsat,
                    onward.arrivingMsat <= channel.maximumHTLCMsat,
                    onward.arrivingMsat < failedMsat
                else { continue }

                var candidate = onward
                candidate.isFinal = false
                candidate.hops += 1
                candidate.next = (position, end, to)
                if from == search.source {
                    guard isLocal.contains(position),
                        channel.spendableMsat(from: end) >= onward.arrivingMsat
                    else { continue }
                } else {
                    let feeMsat = ForwardingPolicy.feeMsat(forwarding: onward.arrivingMsat)
                    candidate.arrivingMsat += feeMsat
                    candidate.timeLock += ForwardingPolicy.timeLockDelta
                    guard candidate.arrivingMsat - search.amountMsat <= search.feeLimitMsat,
                        candidate.timeLock + search.finalTimeLockDelta <= search.timeLockLimit
                    else { continue }
                    // lnd's price of a time lock: 15 billionths of the amount for each block.
                    candidate.cost +=
                        Double(feeMsat)
                        + Double(onward.arrivingMsat) * Double(ForwardingPolicy.timeLockDelta)
                        * 15 / 1_000_000_000
                }
                guard let known = best[from.index] else {
                    best[from.index] = candidate
                    continue
                }
                let isBetter = (candidate.cost, candidate.hops) < (known.cost, known.hops)
                // Among the payer's own channels to one peer, lnd takes the fullest.
                let isFuller =
                    from == search.source && candidate.cost == known.cost
                    && candidate.hops == known.hops && known.next?.node == to
                    && known.next.map {
                        channels[$0.channel].spendableMsat(from: $0.offeredBy)
                            < channel.spendableMsat(from: end)
                    } == true
                if isBetter || isFuller { best[from.index] = candidate }
            }
        }

        let height = blockHeight + search.finalTimeLockDelta
        var hops: [Hop] = []
        var at = search.source
        var totalTimeLock = height
        while let next = best[at.index]?.next, let onward = best[next.node.index] {
            if hops.isEmpty { totalTimeLock = height + onward.timeLock }
            let afterwards = onward.next.flatMap { best[$0.node.index] }
            let forwardMsat = afterwards?.arrivingMsat ?? search.amountMsat
            hops.append(
                Hop(
                    channel: channels[next.channel].id,
                    offeredBy: next.offeredBy,
                    node: nodes[next.node.index].record.id,
                    forwardMsat: forwardMsat,
                    feeMsat: onward.arrivingMsat - forwardMsat,
                    expiry: height + (afterwards?.timeLock ?? 0)
                )
            )
            at = next.node
        }
        return Route(hops: hops, totalTimeLock: totalTimeLock)
    }
}
