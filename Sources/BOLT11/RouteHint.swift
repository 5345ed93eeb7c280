package import LightningTypes

/// One private route to the payee, in the order a payment takes it (BOLT #11 tag `r`).
package struct RouteHint: Hashable, Sendable {
    /// At least one hop; a field has room for twelve.
    package let hops: [RouteHop]

    /// Takes the hops in order; nil when there is none or too many for a field.
    package init?(hops: [RouteHop]) {
        guard (1...Self.maximumHops).contains(hops.count) else { return nil }
        self.hops = hops
    }

    /// 1023 groups hold 639 bytes, a hop takes 51.
    static let maximumHops = 12
}

/// One channel of a ``RouteHint``: 51 bytes, big-endian.
package struct RouteHop: Hashable, Sendable {
    /// The node at the start of the channel.
    package let nodeID: NodeID
    /// The channel.
    package let shortChannelID: ShortChannelID
    /// What forwarding costs in any case, in msat.
    package let feeBaseMsat: UInt32
    /// What forwarding costs in millionths of the amount.
    package let feeProportionalMillionths: UInt32
    /// How many blocks the node wants between its incoming and outgoing HTLC.
    package let cltvExpiryDelta: UInt16

    /// Takes the five values.
    package init(
        nodeID: NodeID,
        shortChannelID: ShortChannelID,
        feeBaseMsat: UInt32,
        feeProportionalMillionths: UInt32,
        cltvExpiryDelta: UInt16
    ) {
        self.nodeID = nodeID
        self.shortChannelID = shortChannelID
        self.feeBaseMsat = feeBaseMsat
        self.feeProportionalMillionths = feeProportionalMillionths
        self.cltvExpiryDelta = cltvExpiryDelta
    }

    static let length = 51

    /// Reads 51 bytes; nil for any other count or when the key has no valid form.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count == Self.length, let nodeID = NodeID(bytes.prefix(33)) else { return nil }
        let rest = bytes.dropFirst(33)
        func integer(_ range: Range<Int>) -> UInt64 {
            rest.dropFirst(range.lowerBound).prefix(range.count).reduce(0) { $0 << 8 | UInt64($1) }
        }
        self.init(
            nodeID: nodeID,
            shortChannelID: ShortChannelID(integer(0..<8)),
            feeBaseMsat: UInt32(integer(8..<12)),
            feeProportionalMillionths: UInt32(integer(12..<16)),
            cltvExpiryDelta: UInt16(integer(16..<18))
        )
    }

    var bytes: [UInt8] {
        func bytes(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
            (0..<value.bitWidth / 8).reversed().map {
                UInt8(truncatingIfNeeded: value >> ($0 * 8))
            }
        }
        return nodeID.bytes + bytes(shortChannelID.value) + bytes(feeBaseMsat)
            + bytes(feeProportionalMillionths) + bytes(cltvExpiryDelta)
    }
}

/// Where a channel was opened: block, transaction, output (BOLT #7).
package struct ShortChannelID: Hashable, Sendable, CustomStringConvertible {
    /// 3 bytes block height, 3 bytes transaction index, 2 bytes output index, big-endian.
    package let value: UInt64

    /// Takes the packed number, as lnd writes it.
    package init(_ value: UInt64) { self.value = value }

    /// The form for people: `589390x3312x1`.
    package var description: String {
        "\(value >> 40)x\(value >> 16 & 0xff_ffff)x\(value & 0xffff)"
    }
}
