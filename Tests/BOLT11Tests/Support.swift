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
