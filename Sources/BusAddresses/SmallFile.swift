import Glibc
import ZeroMQ

/// Files of a few lines, some of which hold a secret key.
enum SmallFile {
    /// Reads a whole file of less than 1 MiB.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - isSecret: Whether nobody but its owner may be able to read it.
    /// - Returns: Its bytes.
    /// - Throws: ``BusAddressError`` `unreadable`, `tooOpen`, or `malformed` when it is too long.
    static func read(_ path: String, isSecret: Bool) throws(BusAddressError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure(path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw BusAddressError(.unreadable, "\(path) is not a file")
        }
        guard !isSecret || status.st_mode & 0o077 == 0 else {
            throw BusAddressError(.tooOpen, "others may read \(path), which holds a secret key")
        }
        guard status.st_size < 1 << 20 else {
            throw BusAddressError(.malformed, "\(path) is too long")
        }
        // One byte more, so that the last read finds the end.
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size) + 1)
        var count = 0
        while count < bytes.count {
            let more = bytes.withUnsafeMutableBytes { buffer in
                // Safe: the rest of one live array.
                Glibc.read(file, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            if more < 0, errno == EINTR { continue }
            guard more >= 0 else { throw failure(path) }
            if more == 0 { break }
            count += more
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Writes a new file for its owner alone: some lines, then one that ends with a secret key.
    ///
    /// - Parameters:
    ///   - path: The file, which must not exist.
    ///   - lines: The first lines.
    ///   - prefix: What stands before the key.
    ///   - keys: Whose secret half is written.
    /// - Throws: ``BusAddressError`` `exists` or `unreadable`.
    static func create(
        _ path: String,
        lines: [String],
        keyAfter prefix: String,
        _ keys: CurveKeyPair
    ) throws(BusAddressError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw errno == EEXIST
                ? BusAddressError(.exists, "\(path) exists already") : failure(path)
        }
        defer { close(file) }
        var text = Array((lines.map { $0 + "\n" }.joined() + prefix).utf8)
        keys.revealSecret("its file") { secret in
            for index in 0..<40 { text.append(UInt8(bitPattern: secret[index])) }
        }
        text.append(UInt8(ascii: "\n"))
        defer { wipe(&text) }
        guard write(file, text, text.count) == text.count, fsync(file) == 0 else {
            let failure = failure(path)
            unlink(path)
            throw failure
        }
    }

    /// The text without white space around it.
    static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
        let start = text.drop(while: isSpace)
        return start[..<((start.lastIndex { !isSpace($0) }).map { $0 + 1 } ?? start.startIndex)]
    }

    /// Overwrites what held a secret.
    static func wipe(_ text: inout [UInt8]) {
        text.withUnsafeMutableBytes { buffer in
            // Safe: base and count are those of one live array. A compiler may drop a plain loop.
            if let base = buffer.baseAddress { explicit_bzero(base, buffer.count) }
        }
    }

    private static func failure(_ path: String) -> BusAddressError {
        BusAddressError(.unreadable, "\(path): \(String(cString: strerror(errno)))")
    }
}
