import Glibc
import LightningTypes
import Synchronization

/// The macaroon of one file, read when first needed and again when lnd refuses it.
///
/// lnd's operator may bake a new macaroon into the same path at any time; nobody restarts us for
/// that.
final class MacaroonFile: Sendable {
    private let path: String
    private let known = Mutex<Redacted<String>?>(nil)

    /// Names the file; reads nothing yet.
    init(path: String) { self.path = path }

    /// The macaroon as lnd wants it in the metadata: lower-case hex.
    func current() throws(LndError) -> Redacted<String> {
        if let value = known.withLock({ $0 }) { return value }
        let value = try read()
        known.withLock { $0 = value }
        return value
    }

    /// The file's macaroon if it is another one than lnd refused; nil if it is the same.
    func afterRefusal(of refused: Redacted<String>) throws(LndError) -> Redacted<String>? {
        let value = try read()
        known.withLock { $0 = value }
        return value == refused ? nil : value
    }

    private func read() throws(LndError) -> Redacted<String> {
        let bytes = try contents()
        // The binary form begins with its version, 2; lnd refuses the older one.
        guard bytes.first == 2 else {
            let isHex = bytes.allSatisfy { byte in
                Hex.decode("0\(Character(UnicodeScalar(byte)))") != nil || byte == 0x0a
            }
            throw refuse(
                bytes.isEmpty
                    ? "is empty"
                    : isHex
                        ? "is hex text, not the binary file that lnd writes"
                        : "is not a macaroon (version 2, binary)"
            )
        }
        return Redacted(Hex.encode(bytes))
    }

    /// The whole file, at most ``maximumSize`` bytes.
    private func contents() throws(LndError) -> [UInt8] {
        // Without O_NONBLOCK a named pipe would hold the thread for ever.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            throw refuse(errno == ENOENT ? "does not exist" : "can't be opened: \(lastError)")
        }
        defer { close(file) }

        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw refuse("is not a regular file")
        }
        var buffer = [UInt8](repeating: 0, count: Self.maximumSize + 1)
        var count = 0
        while count < buffer.count {
            // The pointer is used only during the call and bounded by the buffer's own size.
            let length = buffer.withUnsafeMutableBytes { bytes in
                Glibc.read(file, bytes.baseAddress?.advanced(by: count), bytes.count - count)
            }
            if length == 0 { break }
            guard length > 0 else { throw refuse("can't be read: \(lastError)") }
            count += length
        }
        guard count <= Self.maximumSize else {
            throw refuse("has more than \(Self.maximumSize) bytes, which no macaroon has")
        }
        return [UInt8](buffer[..<count])
    }

    private static let maximumSize = 65_536

    private var lastError: String { String(cString: strerror(errno)) }

    private func refuse(_ what: String) -> LndError {
        LndError(.macaroonFile, "the macaroon file \(path) \(what)")
    }
}
