import LightningCrypto
package import LightningTypes

/// What a client of the gateway presents: `lcp-` and 64 hex digits, 256 bits of randomness.
///
/// It is shown once and stored as its SHA-256. A slow hash would protect secrets that people think
/// of; nobody guesses 256 random bits, however fast each guess is, and a slow hash on every request
/// would be a way to keep the gateway busy.
package struct BearerToken: Sendable {
    static let prefix = "lcp-"
    static let randomBytes = 32

    private let value: Redacted<String>

    /// Draws a new one from the system's random numbers.
    package static func random() -> BearerToken {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<randomBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return BearerToken(value: Redacted(prefix + Hex.encode(bytes)))
    }

    /// Reads what a client presents; nil for what can't be a key of ours.
    package init?(_ text: String) {
        guard text.hasPrefix(Self.prefix),
            Hex.decode(text.dropFirst(Self.prefix.count))?.count == Self.randomBytes
        else { return nil }
        self.init(value: Redacted(text))
    }

    private init(value: Redacted<String>) { self.value = value }

    /// The text to hand to the client.
    ///
    /// - Parameter why: The reason, for the reader of the code.
    /// - Returns: The token itself.
    package func reveal(_ why: StaticString) -> String { value.reveal(why) }

    /// What is stored instead of it.
    package var hash: Bytes32 { SHA256.hash(Array(value.reveal("only its hash leaves").utf8)) }
}
