import BOLT11
import LightningCrypto

extension FuzzTarget {
    static func invoice(_ bytes: [UInt8]) throws(FuzzFinding) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return }
        try check(text)
        // No change at random keeps the checksum, so the fields are reached only with a new one.
        if let corrected = withChecksum(text) { try check(corrected) }
    }

    private static func check(_ text: String) throws(FuzzFinding) {
        let strict = try? BOLT11Invoice(decoding: text, policy: .strict)
        let lenient = try? BOLT11Invoice(decoding: text, policy: .lnd)
        if let strict {
            try hold(strict == lenient, "what the strict policy accepts, lnd reads alike")
        }
        guard let invoice = lenient else { return }
        let written = try mustNotThrow("what was read can be written") {
            try invoice.draft.encoded(with: invoice.signature)
        }
        try hold(written == text.lowercased(), "an invoice is written character for character")
        guard invoice.payeeField == nil, let key else { return }
        let signed = try mustNotThrow("what was read can be signed") {
            try invoice.draft.signed(with: key)
        }
        let again = try mustNotThrow("what was signed can be read") {
            try BOLT11Invoice(decoding: signed, policy: .lnd)
        }
        try hold(
            again.payee == key.publicKey && again.draft == invoice.draft,
            "an invoice signed again differs in its signer alone"
        )
    }

    private static let key = SecretKey([UInt8](repeating: 7, count: 32))

    /// The text with the checksum that belongs to its other characters.
    private static func withChecksum(_ text: String) -> String? {
        let characters = Array(text.lowercased().utf8)
        guard let separator = characters.lastIndex(of: UInt8(ascii: "1")), separator > 0,
            characters[..<separator].allSatisfy({ (33...126).contains($0) })
        else { return nil }
        let data = characters[(separator + 1)...].dropLast(6)
        let groups = data.compactMap { alphabet.firstIndex(of: $0).map { UInt8($0) } }
        guard groups.count == data.count else { return nil }
        let prefix = String(decoding: characters[..<separator], as: UTF8.self)
        return Bech32.encode(prefix, groups, .bech32)
    }

    private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
}
