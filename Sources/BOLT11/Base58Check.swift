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

    /// Reads a version byte and what follows it; nil when text or checksum are wrong.
    static func decode(_ text: String) -> (version: UInt8, payload: [UInt8])? {
        // Far longer than any address; the work grows with the square.
        guard text.utf8.count <= 64 else { return nil }
        var number: [UInt8] = []  // big-endian, without leading zeros
        for character in text.utf8 {
            guard var carry = alphabet.firstIndex(of: character) else { return nil }
            for index in number.indices.reversed() {
                carry += Int(number[index]) * 58
                number[index] = UInt8(carry & 0xff)
                carry >>= 8
            }
            if carry > 0 { number.insert(UInt8(carry), at: 0) }
        }
        let zeros = text.utf8.prefix { $0 == alphabet[0] }.count
        let bytes = [UInt8](repeating: 0, count: zeros) + number
        guard bytes.count > 5 else { return nil }
        let body = bytes.dropLast(4)
        let checksum = SHA256.hash(SHA256.hash(Array(body)).bytes).bytes.prefix(4)
        guard checksum.elementsEqual(bytes.suffix(4)) else { return nil }
        return (bytes[0], Array(body.dropFirst()))
    }

    private static let alphabet = Array(
        "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8
    )
}
