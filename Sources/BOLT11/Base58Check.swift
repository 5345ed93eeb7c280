import LightningCrypto
import LightningTypes

/// Base58 with a checksum: the text of addresses older than segwit.
enum Base58Check {
    /// Writes a version byte and a 20-byte hash.
    static func encode(version: UInt8, hash: [UInt8]) -> String {
        let body = [version] + hash
        let checksum = SHA256.hash(SHA256.hash(body).bytes).bytes.prefix(4)
        var number = body + checksum
        let zeros = number.prefix { $0 == 0 }.count

        // Long division of the big-endian number by 58, one digit of text a round.
        var digits: [UInt8] = []
        while number.contains(where: { $0 != 0 }) {
            var remainder = 0
            for index in number.indices {
                let value = remainder << 8 | Int(number[index])
                number[index] = UInt8(value / 58)
                remainder = value % 58
            }
            digits.append(alphabet[remainder])
        }
        // Leading zero bytes do not change the number; each is written as a `1`.
        digits += [UInt8](repeating: alphabet[0], count: zeros)
        return String(decoding: digits.reversed(), as: UTF8.self)
    }

    private static let alphabet = Array(
        "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8
    )
}
