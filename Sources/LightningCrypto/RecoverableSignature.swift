import CSecp256k1
package import LightningTypes

/// An ECDSA signature over secp256k1 with the hint that lets a reader recover the signer's key.
///
/// 65 bytes in an invoice: R, S and the recovery ID (BOLT #11). Any bytes can be held, so that an
/// invalid signature can be shown; the questions about it are answered `nil` or `false`.
package struct RecoverableSignature: Hashable, Sendable {
    /// The x coordinate of the nonce point, big-endian; valid in 1 ..< curve order.
    package let r: Bytes32
    /// The proof, big-endian; valid in 1 ..< curve order.
    package let s: Bytes32
    /// Which of up to four nonce points has the coordinate `r`; valid up to 3.
    package let recoveryID: UInt8

    /// Takes R, S and the recovery ID as they were read.
    package init(r: Bytes32, s: Bytes32, recoveryID: UInt8) {
        self.r = r
        self.s = s
        self.recoveryID = recoveryID
    }

    /// Takes 65 bytes: R, S, recovery ID; nil for any other count.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 65, let recoveryID = bytes.dropFirst(64).first,
            let r = Bytes32(bytes.prefix(32)), let s = Bytes32(bytes.dropFirst(32).prefix(32))
        else { return nil }
        self.init(r: r, s: s, recoveryID: recoveryID)
    }

    init(_ signature: secp256k1_ecdsa_recoverable_signature) {
        var signature = signature
        var compact = [UInt8](repeating: 0, count: 64)
        var recoveryID: Int32 = 0
        let serialized = secp256k1_ecdsa_recoverable_signature_serialize_compact(
            Curve.context,
            &compact,
            &recoveryID,
            &signature
        )
        // The library always returns 1 and writes 64 bytes, of which each half is 32.
        guard serialized == 1, let r = Bytes32(compact[..<32]), let s = Bytes32(compact[32...])
        else { preconditionFailure("a signature of the library has 64 bytes") }
        self.init(r: r, s: s, recoveryID: UInt8(truncatingIfNeeded: recoveryID))
    }

    /// The 65 bytes: R, S, recovery ID.
    package var bytes: [UInt8] { r.bytes + s.bytes + [recoveryID] }

    /// Whether S is above half the curve's order.
    ///
    /// Signers write the lower of the two values that verify, else anyone could make a second
    /// signature from the first.
    package var hasHighS: Bool {
        Self.halfOrder.lexicographicallyPrecedes(s.bytes)
    }

    /// The key that made this signature of `hash`; nil when none can have.
    ///
    /// S is taken as it stands, high or low: normalizing it without flipping the recovery ID would
    /// give another key.
    package func recoverPublicKey(signing hash: Bytes32) -> NodeID? {
        // The library aborts the process for an ID outside of 0 ... 3.
        guard recoveryID <= 3 else { return nil }
        let context = Curve.context
        var signature = secp256k1_ecdsa_recoverable_signature()
        var point = secp256k1_pubkey()
        let parsed = secp256k1_ecdsa_recoverable_signature_parse_compact(
            context,
            &signature,
            r.bytes + s.bytes,
            Int32(recoveryID)
        )
        guard parsed == 1, secp256k1_ecdsa_recover(context, &point, &signature, hash.bytes) == 1
        else { return nil }
        return Curve.nodeID(of: point)
    }

    /// Whether R and S are a signature of `hash` by `key`, with high or low S.
    ///
    /// The recovery ID plays no part. Whoever must refuse a high S asks ``hasHighS``.
    package func verifies(_ hash: Bytes32, by key: NodeID) -> Bool {
        let context = Curve.context
        var signature = secp256k1_ecdsa_signature()
        guard var point = Curve.point(key),
            secp256k1_ecdsa_signature_parse_compact(context, &signature, r.bytes + s.bytes) == 1
        else { return false }
        // The library's verification refuses a high S by itself.
        var normalized = secp256k1_ecdsa_signature()
        secp256k1_ecdsa_signature_normalize(context, &normalized, &signature)
        return secp256k1_ecdsa_verify(context, &normalized, hash.bytes, &point) == 1
    }

    /// Half of the curve's order, rounded down, big-endian (SEC 2, section 2.4.1).
    private static let halfOrder: [UInt8] =
        [0x7f] + [UInt8](repeating: 0xff, count: 15) + [
            0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d,
            0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
        ]
}
