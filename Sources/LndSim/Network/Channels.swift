import LightningCrypto
import LightningTypes

/// The two ends of a channel: who opened it, and the other.
package enum ChannelEnd: UInt8, Sendable {
    /// The node that funded the channel.
    case opener
    /// The node it was opened to.
    case acceptor

    /// The opposite end.
    package var other: ChannelEnd { self == .opener ? .acceptor : .opener }
}

/// One value for each end of a channel.
package struct PerEnd<Value: Sendable>: Sendable {
    /// The opener's value.
    package var opener: Value
    /// The acceptor's value.
    package var acceptor: Value

    /// Takes both values.
    package init(opener: Value, acceptor: Value) {
        self.opener = opener
        self.acceptor = acceptor
    }

    /// The value of one end.
    package subscript(end: ChannelEnd) -> Value {
        get { end == .opener ? opener : acceptor }
        set {
            switch end {
            case .opener: opener = newValue
            case .acceptor: acceptor = newValue
            }
        }
    }
}

extension PerEnd: Equatable where Value: Equatable {}

/// A payment channel: its capacity never changes, only how it is divided.
///
/// At any moment both balances plus both pending sums equal the capacity. There is no commitment
/// fee: what a test puts in is what it finds.
package struct Channel: Equatable, Sendable {
    /// The short channel ID as one number, block << 40 | transaction << 16 | output.
    package let id: UInt64
    /// The nodes at the two ends.
    package let ends: PerEnd<NodeHandle>
    /// All money in the channel, in msat.
    package let capacityMsat: UInt64
    /// What each end owns, in msat; without what it has offered in unresolved HTLCs.
    package internal(set) var balanceMsat: PerEnd<UInt64>
    /// What each end has offered in unresolved HTLCs, in msat.
    package internal(set) var pendingMsat = PerEnd<UInt64>(opener: 0, acceptor: 0)
    /// What each end has paid to the other over the channel's life, in msat.
    package internal(set) var sentMsat = PerEnd<UInt64>(opener: 0, acceptor: 0)
    /// How many HTLCs each end has offered; the next HTLC's index.
    package internal(set) var offered = PerEnd<UInt64>(opener: 0, acceptor: 0)
    /// Whether only its two ends know of it, and those who are given a hint.
    package internal(set) var isPrivate = false

    /// What each end must keep: one per cent of the capacity, as lnd asks of its peers.
    package var reserveMsat: UInt64 { capacityMsat / 100_000 * 1000 }

    /// The largest HTLC either end forwards: the capacity without the reserve.
    package var maximumHTLCMsat: UInt64 { capacityMsat - reserveMsat }

    /// The funding output as lnd prints it: transaction ID, colon, output number.
    package var channelPoint: String {
        "\(SHA256.hash(Array("channel point \(id)".utf8)).hex):0"
    }

    /// Which end a node is; nil when it is neither.
    package func end(of node: NodeHandle) -> ChannelEnd? {
        if ends.opener == node { return .opener }
        return ends.acceptor == node ? .acceptor : nil
    }

    /// What an end can still offer, in msat.
    package func spendableMsat(from end: ChannelEnd) -> UInt64 {
        let balance = balanceMsat[end]
        return balance > reserveMsat ? balance - reserveMsat : 0
    }

    mutating func offer(_ amountMsat: UInt64, from end: ChannelEnd) {
        balanceMsat[end] -= amountMsat
        pendingMsat[end] += amountMsat
        offered[end] += 1
    }

    mutating func settle(_ amountMsat: UInt64, from end: ChannelEnd) {
        pendingMsat[end] -= amountMsat
        balanceMsat[end.other] += amountMsat
        sentMsat[end] += amountMsat
    }

    mutating func fail(_ amountMsat: UInt64, from end: ChannelEnd) {
        pendingMsat[end] -= amountMsat
        balanceMsat[end] += amountMsat
    }
}

/// lnd's default forwarding policy; every channel of the network has it in both directions.
enum ForwardingPolicy {
    static let baseFeeMsat: UInt64 = 1000
    static let feeRatePartsPerMillion: UInt64 = 1
    static let timeLockDelta: UInt32 = 80
    static let minimumHTLCMsat: UInt64 = 1000

    static func feeMsat(forwarding amountMsat: UInt64) -> UInt64 {
        baseFeeMsat + amountMsat / 1_000_000 * feeRatePartsPerMillion
            + amountMsat % 1_000_000 * feeRatePartsPerMillion / 1_000_000
    }
}

extension SimulatedNetwork {
    /// Opens a channel that is usable at once.
    ///
    /// The two nodes connect when both run, and again after every restart.
    ///
    /// - Parameters:
    ///   - opener: The node that puts the money in.
    ///   - acceptor: The node at the other end.
    ///   - capacitySat: The size in satoshis: 20,000 or more, as lnd asks.
    ///   - pushedSat: What the acceptor owns from the start, in satoshis, at most the capacity.
    ///   - isPrivate: Whether it is not announced.
    /// - Returns: The channel's ID.
    /// - Throws: ``LndFault`` when the sizes are impossible; nothing is opened then.
    @discardableResult
    package mutating func openChannel(
        from opener: NodeHandle,
        to acceptor: NodeHandle,
        capacitySat: UInt64,
        pushedSat: UInt64 = 0,
        isPrivate: Bool = false
    ) throws(LndFault) -> UInt64 {
        guard opener != acceptor else { throw .unknown("cannot open channel to self") }
        guard capacitySat >= 20_000 else {
            throw .unknown("channel is too small, the minimum channel size is: 20000 SAT")
        }
        // 10,000 bitcoin in one channel: far past any use, far from overflow.
        guard capacitySat <= 1_000_000_000_000 else {
            throw .unknown(
                "funding amount is too large, the max channel size is: 1000000000000 SAT"
            )
        }
        guard pushedSat <= capacitySat else {
            throw .unknown(
                "amount pushed to remote peer for initial state must be below the local funding amount"
            )
        }
        let id = UInt64(100 + channels.count) << 40 | 1 << 16
        commit(
            .channel(
                Channel(
                    id: id,
                    ends: PerEnd(opener: opener, acceptor: acceptor),
                    capacityMsat: capacitySat * 1000,
                    balanceMsat: PerEnd(
                        opener: (capacitySat - pushedSat) * 1000,
                        acceptor: pushedSat * 1000
                    ),
                    isPrivate: isPrivate
                )
            )
        )
        connectIfPossible(opener, acceptor)
        return id
    }

    /// Whether a channel can carry HTLCs: both ends run and are connected.
    package func isActive(_ channel: Channel) -> Bool {
        connections[NodePair(channel.ends.opener, channel.ends.acceptor)] != nil
    }

    /// A node's channels, oldest first.
    package func channels(of node: NodeHandle) -> [Channel] {
        nodes[node.index].channels.map { channels[$0] }
    }

    /// A channel by its ID.
    package func channel(_ id: UInt64) -> Channel? {
        channelPositions[id].map { channels[$0] }
    }
}
