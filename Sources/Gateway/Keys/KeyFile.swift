import Foundation
import Glibc

/// The file of a gateway's keys: read by the gateway, changed by `lcp-gateway keys`.
package struct KeyFile: Sendable {
    /// Where it is.
    package let path: String

    /// Where the service has it.
    package static let systemPath = "/var/lib/lcp-gateway/keys.jsonl"

    /// No file of keys is as long, in bytes.
    private static let sizeLimit: off_t = 16 << 20

    /// Names a file, which need not be there.
    package init(path: String) { self.path = path }

    /// What changes whenever the file does: it is replaced and never written in place.
    struct Stamp: Equatable, Sendable {
        private var numbers: [Int]

        fileprivate init(_ status: stat) {
            numbers = [
                Int(bitPattern: UInt(status.st_ino)), status.st_size, status.st_mtim.tv_sec,
                status.st_mtim.tv_nsec,
            ]
        }
    }

    /// The file's present stamp; nil while there is none.
    var stamp: Stamp? {
        var status = stat()
        return stat(path, &status) == 0 ? Stamp(status) : nil
    }

    /// Reads all keys.
    ///
    /// - Returns: The keys; none when there is no file.
    /// - Throws: ``KeyRingError`` `unreadable`, `openToOthers` or `notAKeyFile`.
    package func read() throws(KeyRingError) -> KeyList {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw failure(.unreadable, "open") }
            return KeyList()
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(.unreadable, "fstat") }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.sizeLimit else {
            throw KeyRingError(.notAKeyFile, "\(path) is not a file of at most 16 MiB")
        }
        // Whoever can write a hash of their own has a key with any budget.
        guard status.st_mode & 0o022 == 0 else {
            throw KeyRingError(.openToOthers, "others than its owner may write to \(path)")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        guard let bytes = try? handle.readToEnd() ?? Data(),
            let text = String(validating: bytes, as: UTF8.self)
        else { throw KeyRingError(.notAKeyFile, "\(path) is not UTF-8") }
        return try KeyList(text, file: path)
    }

    /// Changes the keys: the file is replaced as a whole, and on disk when this returns.
    ///
    /// Two changes at a time wait for each other.
    ///
    /// - Parameter body: Makes the change.
    /// - Returns: What `body` returns.
    /// - Throws: ``KeyRingError``; the file is as it was.
    @discardableResult
    package func change<Result>(
        _ body: (inout KeyList) throws(KeyRingError) -> Result
    ) throws(KeyRingError) -> Result {
        // The folder is the lock: a file beside the keys could belong to another user.
        let folder = open(self.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure(.unreadable, "open", self.folder) }
        defer { close(folder) }
        while flock(folder, LOCK_EX) != 0 {
            guard errno == EINTR else { throw failure(.unreadable, "flock", self.folder) }
        }
        var keys = try read()
        let result = try body(&keys)
        guard let text = try? keys.text else {
            throw KeyRingError(.notWritten, "the keys can't be written as JSON")
        }
        try replace(with: Array(text.utf8), in: folder)
        return result
    }

    private func replace(with bytes: [UInt8], in folder: CInt) throws(KeyRingError) {
        let new = "\(path).new"
        // Left by a change that was killed: nobody else writes while the folder is locked.
        unlink(new)
        let file = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failure(.notWritten, "open", new) }
        defer { close(file) }
        do throws(KeyRingError) {
            try giveToOwner(file, in: folder)
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
                guard count > 0 else { throw failure(.notWritten, "write", new) }
                rest = rest.dropFirst(count)
            }
            guard fsync(file) == 0 else { throw failure(.notWritten, "fsync", new) }
            guard rename(new, path) == 0 else { throw failure(.notWritten, "rename", path) }
        } catch {
            unlink(new)
            throw error
        }
        guard fsync(folder) == 0 else { throw failure(.notWritten, "fsync", self.folder) }
    }

    /// What root makes belongs to whom the old file, or else the folder, belongs to: the gateway.
    private func giveToOwner(_ file: CInt, in folder: CInt) throws(KeyRingError) {
        guard geteuid() == 0 else { return }
        var owner = stat()
        guard stat(path, &owner) == 0 || fstat(folder, &owner) == 0,
            fchown(file, owner.st_uid, owner.st_gid) == 0
        else { throw failure(.notWritten, "fchown") }
    }

    private var folder: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private func failure(
        _ code: KeyRingError.Code,
        _ call: StaticString,
        _ path: String? = nil
    ) -> KeyRingError {
        KeyRingError(code, "\(call) \(path ?? self.path): \(String(cString: strerror(errno)))")
    }
}
