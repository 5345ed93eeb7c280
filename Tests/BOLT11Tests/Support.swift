import BOLT11
import LCPTesting
import LightningCrypto
import LightningTypes
import Testing

/// The key of BOLT #11's examples.
func specKey() throws -> SecretKey {
    let hex = "e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734"
    let bytes = try #require(Hex.decode(hex))
    return try #require(SecretKey(bytes))
}

func bytes32(_ hex: String) throws -> Bytes32 { try #require(Bytes32(hex: hex)) }

/// A field of a type with the data as it is.
func field(_ tag: TaggedField.Tag, _ groups: [UInt8]) throws -> TaggedField {
    try #require(TaggedField(type: tag.rawValue, groups: groups))
}

/// An ordinary regtest invoice of 1000 sat, with its fields changed before it is signed.
func invoice(
    amount: MilliSatoshi? = MilliSatoshi(msat: 1_000_000),
    timestamp: UInt64 = 1_767_225_600,
    features: Features = Features([8, 14]),
    _ change: (inout [TaggedField]) throws -> Void = { _ in }
) throws -> String {
    let ordinary = try InvoiceDraft(
        network: .regtest,
        amount: amount,
        timestamp: UnixTime(seconds: timestamp),
        paymentHash: PaymentHash(bytes32(String(repeating: "01", count: 32))),
        paymentSecret: bytes32(String(repeating: "02", count: 32)),
        description: .hash(bytes32(String(repeating: "03", count: 32))),
        features: features
    )
    var fields = ordinary.fields
    try change(&fields)
    let changed = try InvoiceDraft(
        network: .regtest,
        amount: amount,
        timestamp: UnixTime(seconds: timestamp),
        fields: fields
    )
    return try changed.signed(with: specKey())
}

/// Why an invoice is refused; nil when it is accepted.
func refusal(
    of text: String,
    _ policy: DecodingPolicy = .strict,
    network: Network? = nil
) -> BOLT11Error.Kind? {
    do {
        _ = try BOLT11Invoice(decoding: text, policy: policy, network: network)
        return nil
    } catch { return error.kind }
}

extension SeededGenerator {
    /// A value that is nil as often as not.
    mutating func perhaps<Value>(_ make: (inout Self) throws -> Value) rethrows -> Value? {
        Bool.random(using: &self) ? try make(&self) : nil
    }

    mutating func bytes32() throws -> Bytes32 { try #require(Bytes32(bytes(32))) }

    mutating func key() throws -> SecretKey { try #require(SecretKey(bytes(32))) }
}
