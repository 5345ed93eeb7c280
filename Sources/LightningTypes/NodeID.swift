/// A Lightning node's identity: its public key, 33 bytes, compressed (BOLT #8).
///
/// Checked here only in form (length, first byte 2 or 3), so that a peer's key from lnd costs
/// nothing to hold; whoever verifies signatures learns whether it is a point on the curve.
package struct NodeID: Hashable, Sendable {
    private let prefix: UInt8
    private let x: Bytes32

    /// Takes 33 bytes that begin with 2 or 3; nil for anything else.
    package init?(_ bytes: ArraySlice<UInt8>) {
        guard let prefix = bytes.first, prefix == 2 || prefix == 3,
            let x = Bytes32(bytes.dropFirst())
        else { return nil }
        self.prefix = prefix
        self.x = x
    }

    /// Takes 33 bytes that begin with 2 or 3; nil for anything else.
    package init?(_ bytes: some Collection<UInt8>) { self.init(Array(bytes)[...]) }

    /// Reads 66 hex digits of either case; nil for anything else.
    package init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    /// The 33 bytes in order.
    package var bytes: [UInt8] { [prefix] + x.bytes }

    /// 66 lower-case hex digits, as lnd prints it.
    package var hex: String { Hex.encode(bytes) }
}

extension NodeID: CustomStringConvertible, Comparable {
    /// The same as ``hex``.
    package var description: String { hex }

    /// The order of the bytes, so that lists of peers are stable.
    package static func < (left: NodeID, right: NodeID) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
