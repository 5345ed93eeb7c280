package import BridgeProtocol
package import ZeroMQ

/// Whom a bridge lets in over tcp, and to what.
///
/// A file with a line for each key:
///
///     compute <public key, 40 characters of Z85> gpu-1
///     control,query,feed-events <public key> the desk upstairs
///
/// The rights, the key, and whatever helps the reader. Lines that begin with `#` are comments.
package struct AllowedKeys: Sendable {
    /// The keys of each right; rights that nobody has are missing.
    package private(set) var keys: [BusRight: Set<CurvePublicKey>] = [:]

    /// Reads a file.
    ///
    /// - Parameter path: The file, 1 MiB at most.
    /// - Throws: ``BusAddressError`` `unreadable` or `malformed`.
    package init(path: String) throws(BusAddressError) {
        let bytes = try SmallFile.read(path, isSecret: false)
        try self.init(text: String(decoding: bytes, as: UTF8.self), name: path)
    }

    /// Reads the text of such a file.
    ///
    /// - Parameters:
    ///   - text: The lines.
    ///   - name: What errors call it.
    /// - Throws: ``BusAddressError`` `malformed`.
    package init(text: String, name: String) throws(BusAddressError) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let words = line.split(maxSplits: 2, whereSeparator: \.isWhitespace)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            let place = "\(name): line \(index + 1)"
            guard words.count > 1, let key = CurvePublicKey(String(words[1])) else {
                throw BusAddressError(.malformed, "\(place) has no public key of 40 characters")
            }
            for word in first.split(separator: ",", omittingEmptySubsequences: false) {
                guard let right = BusRight(rawValue: String(word)) else {
                    let known = BusRight.allCases.map(\.rawValue).joined(separator: ", ")
                    throw BusAddressError(.malformed, "\(place): rights are \(known)")
                }
                keys[right, default: []].insert(key)
            }
        }
    }
}
