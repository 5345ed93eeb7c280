/// What an invoice asks to be paid for: SHA-256 of the ``Preimage`` (BOLT #11 tag `p`).
package struct PaymentHash: Identifier32 {
    /// The 32 bytes of the hash.
    package let bytes: Bytes32

    /// Gives 32 bytes this meaning.
    package init(_ bytes: Bytes32) { self.bytes = bytes }
}

/// The secret whose hash an invoice carries; knowing it proves that the invoice was paid.
///
/// Never printed: whoever holds it before the payment can take the money on the way.
package struct Preimage: Hashable, Sendable {
    /// The 32 secret bytes.
    package let secret: Redacted<Bytes32>

    /// Takes the 32 secret bytes.
    package init(_ bytes: Bytes32) { secret = Redacted(bytes) }
}
