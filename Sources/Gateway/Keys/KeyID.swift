package import LightningTypes

/// Names a key to people, files and logs: 12 hex digits, the beginning of its hash.
///
/// 48 bits of the hash of 256 random bits say nothing about those.
package struct KeyID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The digits.
    package let description: String

    /// The name of the key with a hash.
    package init(of hash: Bytes32) { description = String(hash.hex.prefix(Self.length)) }

    /// Reads 12 lower-case hex digits; nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count == Self.length,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        description = text
    }

    private init(name: String) { description = name }

    /// Everybody, at a gateway without keys; no key has this name.
    package static let anyone = KeyID(name: "anyone")

    /// By their digits.
    package static func < (left: KeyID, right: KeyID) -> Bool {
        left.description < right.description
    }

    private static let length = 12
}
