import Glibc
package import ZeroMQ

/// A bridge on another machine, as the file `remote` in a bus directory names it.
///
/// Such a directory holds no sockets but this file, which only its owner may read:
///
///     bridge 10.0.0.1:9740
///     bridge-key <the bridge's public key, 40 characters of Z85>
///     key <this process's secret key, 40 characters of Z85>
///
/// Lines that begin with `#` are comments.
package struct RemoteBridge: Sendable {
    /// The file's name in a bus directory.
    package static let fileName = "remote"

    /// Where the bridge listens.
    package let address: BridgeAddress
    /// Whom we expect there, and who we are.
    package let curve: CurveClient

    /// Reads the file of a bus directory; nil when it has none.
    ///
    /// - Parameter directory: The bus directory.
    /// - Throws: ``BusAddressError``.
    package init?(directory: String) throws(BusAddressError) {
        let path = "\(directory)/\(Self.fileName)"
        guard access(path, F_OK) == 0 || errno == EACCES else { return nil }
        var text = try SmallFile.read(path, isSecret: true)
        defer { SmallFile.wipe(&text) }
        var address: BridgeAddress?
        var serverKey: CurvePublicKey?
        var keys: CurveKeyPair?
        for (index, line) in text.split(separator: UInt8(ascii: "\n")).enumerated() {
            let line = SmallFile.trimmed(line)
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            let name = line.prefix { $0 != 0x20 && $0 != 0x09 }
            let value = SmallFile.trimmed(line.dropFirst(name.count))
            // Never the line itself: it may be the secret.
            let error = BusAddressError(.malformed, "\(path): line \(index + 1) is not understood")
            switch String(decoding: name, as: UTF8.self) {
            case "bridge" where address == nil:
                guard let parsed = BridgeAddress(String(decoding: value, as: UTF8.self)) else {
                    throw error
                }
                address = parsed
            case "bridge-key" where serverKey == nil:
                guard let parsed = CurvePublicKey(String(decoding: value, as: UTF8.self)) else {
                    throw error
                }
                serverKey = parsed
            case "key" where keys == nil:
                guard let parsed = try? CurveKeyPair(secretKey: value) else { throw error }
                keys = parsed
            default: throw error
            }
        }
        guard let address, let serverKey, let keys else {
            throw BusAddressError(.malformed, "\(path) needs bridge, bridge-key and key")
        }
        self.address = address
        curve = CurveClient(keys: keys, serverKey: serverKey)
    }

    /// Writes the file of a bus directory, with a new key of this side's.
    ///
    /// - Parameters:
    ///   - directory: The bus directory, which exists and has no such file.
    ///   - address: Where the bridge listens.
    ///   - serverKey: The bridge's public key.
    /// - Returns: This side's public key, which the bridge's operator must allow.
    /// - Throws: ``BusAddressError`` `exists` or `unreadable`.
    package static func create(
        in directory: String,
        address: BridgeAddress,
        serverKey: CurvePublicKey
    ) throws(BusAddressError) -> CurvePublicKey {
        let path = "\(directory)/\(fileName)"
        let keys: CurveKeyPair
        do { keys = try CurveKeyPair() } catch {
            throw BusAddressError(.unreadable, "no key for \(path): \(error)")
        }
        try SmallFile.create(
            path,
            lines: ["bridge \(address)", "bridge-key \(serverKey)"],
            keyAfter: "key ",
            keys
        )
        return keys.publicKey
    }
}
