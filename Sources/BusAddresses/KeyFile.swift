package import ZeroMQ

/// A file with the secret key of one process: 40 characters of Z85 and a line feed.
///
/// Only its owner may read it.
package enum KeyFile {
    /// Reads the key of a file.
    ///
    /// - Parameter path: The file.
    /// - Returns: The key pair.
    /// - Throws: ``BusAddressError`` `unreadable`, `tooOpen` or `malformed`.
    package static func read(_ path: String) throws(BusAddressError) -> CurveKeyPair {
        var text = try SmallFile.read(path, isSecret: true)
        defer { SmallFile.wipe(&text) }
        do {
            return try CurveKeyPair(secretKey: SmallFile.trimmed(text[...]))
        } catch {
            throw BusAddressError(.malformed, "\(path) is not a secret key of 40 characters")
        }
    }

    /// Writes a new key into a new file, for its owner alone.
    ///
    /// - Parameter path: The file, which must not exist.
    /// - Returns: The key pair.
    /// - Throws: ``BusAddressError`` `exists` or `unreadable`.
    package static func create(_ path: String) throws(BusAddressError) -> CurveKeyPair {
        let keys: CurveKeyPair
        do { keys = try CurveKeyPair() } catch {
            throw BusAddressError(.unreadable, "no key for \(path): \(error)")
        }
        try SmallFile.create(path, lines: [], keyAfter: "", keys)
        return keys
    }
}
