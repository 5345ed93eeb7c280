import LightningTypes

/// A name for a request that nobody else's has: 128 random bits.
enum RequestName {
    /// The header that tells it.
    static let header = "x-request-id"

    /// Draws one.
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return "req_" + Hex.encode(bytes)
    }
}
