import Foundation

/// Sixteen random bytes that nobody can guess: a session's nonce or an item's lease.
struct Token: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// Draws a new token.
    init(using random: inout some RandomNumberGenerator) {
        high = random.next()
        low = random.next()
    }

    /// Takes exactly 16 bytes; nil for another count.
    init?(_ bytes: Data) {
        guard bytes.count == 16 else { return nil }
        var words = (UInt64(0), UInt64(0))
        for byte in bytes.prefix(8) { words.0 = words.0 << 8 | UInt64(byte) }
        for byte in bytes.suffix(8) { words.1 = words.1 << 8 | UInt64(byte) }
        (high, low) = words
    }

    /// The 16 bytes.
    var data: Data {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Data($0) }
    }
}
