import LightningTypes

extension LndError {
    /// A foreign text made fit for a log: one line, bounded, without what may be a secret.
    ///
    /// Public keys stay readable. Left out are invoices, every word longer than a public key, and
    /// every word of 64 hex digits, since a preimage looks like a hash.
    static func bounded(_ text: String) -> String {
        var result = ""
        var word: [UInt8] = []
        var length = 0

        func endWord() {
            if mayBeSecret(word) {
                result += "(\(word.count) characters left out)"
            } else {
                // Letters and digits of ASCII only, so this reads them all.
                result += String(decoding: word, as: UTF8.self)
            }
            word.removeAll(keepingCapacity: true)
        }

        for byte in text.utf8 {
            guard length < maximumDetail else {
                // The word begun is dropped: half a secret would no longer look like one.
                return result + " …"
            }
            length += 1
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"):
                word.append(byte)
            default:
                endWord()
                // Control characters and parts of longer characters could forge a log line.
                result += byte >= 0x20 && byte < 0x7f ? String(UnicodeScalar(byte)) : "?"
            }
        }
        endWord()
        return result
    }

    private static let maximumDetail = 400

    private static func mayBeSecret(_ word: [UInt8]) -> Bool {
        guard word.count >= 24 else { return false }
        let start = String(decoding: word.prefix(2), as: UTF8.self).lowercased()
        if start == "ln" || word.count > 66 { return true }
        return word.count == 64 && Hex.decode(String(decoding: word, as: UTF8.self)) != nil
    }
}
