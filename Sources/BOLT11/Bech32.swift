/// Bech32 text: a human-readable part, the digit 1, data in groups of five bits, a checksum
/// (BIP 173, and BIP 350 for bech32m).
///
/// The limit of 90 characters is the caller's: invoices are longer, addresses shorter.
package enum Bech32 {
    /// The two checksums that exist; the raw value is what a valid text's state ends in.
    package enum Variant: UInt32, Sendable {
        /// Invoices and version 0 witness programs.
        case bech32 = 1
        /// Witness programs from version 1 on.
        case bech32m = 0x2bc8_30a3
    }

    /// The longest invoice lnd reads, which is our limit too: bytes of text.
    static let maximumInvoiceLength = 7089

    /// Reads bech32 text: its human-readable part in lower case and its groups without checksum.
    ///
    /// Never tries to correct an error: a corrected invoice is an invoice nobody signed.
    ///
    /// - Parameter text: At most 7089 bytes; with the checksum of ``Variant/bech32``.
    /// - Returns: The part before the last `1`, and values below 32.
    /// - Throws: ``BOLT11Error`` with `too_long`, `mixed_case`, `bad_character`,
    ///   `missing_separator` or `bad_checksum`.
    package static func decode(
        _ text: String
    ) throws(BOLT11Error) -> (humanReadablePart: String, groups: [UInt8]) {
        let (prefix, groups) = try split(text)
        // BOLT #11 [bech32-checksum] [bech32-not-m]
        guard checksumState(prefix, groups) == Variant.bech32.rawValue else {
            let right = checksum(prefix, groups.dropLast(checksumLength), .bech32)
            throw BOLT11Error(
                .badChecksum,
                "the checksum does not match the text",
                lnd: "checksum failed. Expected \(string(right)), "
                    + "got \(string(groups.suffix(checksumLength)))."
            )
        }
        return (String(decoding: prefix, as: UTF8.self), groups.dropLast(checksumLength))
    }

    /// Reads bech32 text with either checksum, as addresses have it.
    static func decodeEither(
        _ text: String
    ) throws(BOLT11Error) -> (humanReadablePart: String, groups: [UInt8], variant: Variant) {
        let (prefix, groups) = try split(text)
        guard let variant = Variant(rawValue: checksumState(prefix, groups)) else {
            throw BOLT11Error(.badChecksum, "the checksum does not match the text")
        }
        return (String(decoding: prefix, as: UTF8.self), groups.dropLast(checksumLength), variant)
    }

    /// The lower-case prefix, and the groups with their checksum, which nobody has checked.
    private static func split(
        _ text: String
    ) throws(BOLT11Error) -> (prefix: ArraySlice<UInt8>, groups: [UInt8]) {
        guard text.utf8.count <= maximumInvoiceLength else {
            throw BOLT11Error(
                .tooLong,
                "\(text.utf8.count) characters, more than \(maximumInvoiceLength)",
                lnd: "invoice is too large"
            )
        }
        let characters = try lowerCased(text)
        guard let separator = characters.lastIndex(of: UInt8(ascii: "1")),
            separator >= 1, characters.count - separator > checksumLength
        else {
            throw BOLT11Error(
                .missingSeparator,
                "no separator 1 between a prefix and at least 6 data characters",
                lnd: characters.count < 8
                    ? "invalid bech32 string length \(characters.count)" : "invalid index of 1"
            )
        }
        return (characters[..<separator], try groups(of: characters[(separator + 1)...]))
    }

    /// Writes bech32 text in lower case.
    ///
    /// - Parameters:
    ///   - humanReadablePart: At least one character, printable ASCII in lower case.
    ///   - groups: Values below 32.
    ///   - variant: The checksum to append.
    /// - Returns: The text with its checksum.
    package static func encode(
        _ humanReadablePart: String,
        _ groups: [UInt8],
        _ variant: Variant
    ) -> String {
        let prefix = Array(humanReadablePart.utf8)
        let checksum = checksum(prefix[...], groups[...], variant)
        return humanReadablePart + "1" + string(groups + checksum)
    }

    /// The character that stands for a group: the letter of a tagged field.
    static func character(_ group: UInt8) -> Character {
        Character(Unicode.Scalar(alphabet[Int(group & 31)]))
    }

    private static let checksumLength = 6
    private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

    /// The group of each ASCII character; 0xff where there is none.
    private static let groupOfCharacter: [UInt8] = {
        var table = [UInt8](repeating: 0xff, count: 128)
        for (group, character) in alphabet.enumerated() { table[Int(character)] = UInt8(group) }
        return table
    }()

    private static func string(_ groups: some Sequence<UInt8>) -> String {
        String(decoding: groups.map { alphabet[Int($0 & 31)] }, as: UTF8.self)
    }

    /// The text as lower-case ASCII; refuses mixed case before anything else.
    private static func lowerCased(_ text: String) throws(BOLT11Error) -> [UInt8] {
        var characters = Array(text.utf8)
        var (hasLower, hasUpper, strange) = (false, false, UInt8?.none)
        for index in characters.indices {
            switch characters[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): hasLower = true
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                hasUpper = true
                characters[index] |= 0x20
            case 33...126: break
            case let other: strange = strange ?? other
            }
        }
        // BOLT #11 [bech32-case]
        guard !(hasLower && hasUpper) else {
            throw BOLT11Error(
                .mixedCase,
                "upper and lower case letters are mixed",
                lnd: "string not all lowercase or all uppercase"
            )
        }
        if let strange {
            throw BOLT11Error(
                .badCharacter,
                "a byte of value \(strange) stands in the text, outside of 33 to 126",
                lnd: "invalid character in string: '\(Unicode.Scalar(strange))'"
            )
        }
        return characters
    }

    private static func groups(of characters: ArraySlice<UInt8>) throws(BOLT11Error) -> [UInt8] {
        let table = groupOfCharacter
        var groups: [UInt8] = []
        groups.reserveCapacity(characters.count)
        for character in characters {
            // Printable ASCII only, as checked before, so the table has an entry.
            let group = table[Int(character & 0x7f)]
            // BOLT #11 [bech32-alphabet]
            guard group != 0xff else {
                throw BOLT11Error(
                    .badCharacter,
                    "the data has a character outside of the bech32 alphabet",
                    lnd: "failed converting data to bytes: invalid character not part of charset: "
                        + "\(character)"
                )
            }
            groups.append(group)
        }
        return groups
    }

    private static func checksum(
        _ prefix: ArraySlice<UInt8>,
        _ groups: ArraySlice<UInt8>,
        _ variant: Variant
    ) -> [UInt8] {
        let padded = groups + [UInt8](repeating: 0, count: checksumLength)
        let state = checksumState(prefix, padded) ^ variant.rawValue
        return (0..<checksumLength).map { UInt8(state >> (5 * (5 - $0)) & 31) }
    }

    /// The state of the BCH code after prefix and groups (BIP 173, `bech32_polymod`).
    private static func checksumState(
        _ prefix: ArraySlice<UInt8>,
        _ groups: some Sequence<UInt8>
    ) -> UInt32 {
        let feedback = feedback
        var state: UInt32 = 1
        func advance(by group: UInt8) {
            state = (state & 0x1ff_ffff) << 5 ^ UInt32(group) ^ feedback[Int(state >> 25)]
        }
        for character in prefix { advance(by: character >> 5) }
        advance(by: 0)
        for character in prefix { advance(by: character & 31) }
        for group in groups { advance(by: group) }
        return state
    }

    /// What the five bits that leave the 30-bit state at the top change in the rest.
    ///
    /// A table of all 32 cases: each step waits for the one before, and one load is the shortest.
    private static let feedback: [UInt32] = (0..<32).map { top in
        let generators: [UInt32] = [
            0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3,
        ]
        return generators.indices.reduce(0) { $0 ^ (top >> $1 & 1 == 1 ? generators[$1] : 0) }
    }
}
