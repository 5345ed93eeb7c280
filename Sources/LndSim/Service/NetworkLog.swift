import Glibc

/// The file that lets a network survive SIGKILL: a snapshot, then every batch of changes.
///
/// Written with plain `write(2)` and never synced: it guards against the death of the process, not
/// of the machine. Rewritten as a snapshot at every start, so it grows with one run only.
struct NetworkLog: ~Copyable {
    private let file: Descriptor
    private let lock: Descriptor
    private let path: String

    private static func path(_ directory: String) -> String { "\(directory)/network.log" }

    /// Reads the changes of a log.
    ///
    /// - Returns: The changes, none when there is no log, and how many bytes of it are whole.
    private static func read(
        _ directory: String
    ) throws(SimnetError) -> (changes: [Change], length: Int) {
        let path = path(directory)
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            guard errno == ENOENT else { throw Self.refused(path) }
            return ([], 0)
        }
        defer { Glibc.close(file) }
        var bytes: [UInt8] = []
        while true {
            let chunk = [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
                // `read` fills at most what the buffer has and says how much.
                count = max(0, Glibc.read(file, buffer.baseAddress, buffer.count))
            }
            guard !chunk.isEmpty else { break }
            bytes += chunk
        }
        do {
            return try ChangeLog.decode(bytes)
        } catch {
            throw SimnetError(.logUnreadable, "\(path): \(error.detail)")
        }
    }

    /// Takes the directory for this process, reads its log and begins it anew.
    ///
    /// - Parameters:
    ///   - directory: An existing directory, locked until the process ends.
    ///   - restore: Takes the changes of the old log and how many bytes they took; gives the
    ///     snapshot that the new log begins with.
    /// - Returns: The log, open for appending.
    /// - Throws: ``SimnetError``; the old log is unchanged then.
    static func begin(
        in directory: String,
        restore: ([Change], Int) -> [Change]
    ) throws(SimnetError) -> NetworkLog {
        let lock = try Descriptor(opening: "\(directory)/lock", O_RDWR | O_CREAT)
        guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
            throw SimnetError(.directoryInUse, "\(directory) is locked")
        }
        let (changes, length) = try read(directory)
        let path = path(directory)
        let fresh = path + ".new"
        let file = try Descriptor(opening: fresh, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND)
        let log = NetworkLog(file: file, lock: lock, path: path)
        log.append(restore(changes, length))
        // Whoever dies before this line leaves the old log, which says the same.
        guard rename(fresh, path) == 0 else { throw refused(fresh) }
        return log
    }

    /// Writes one batch.
    ///
    /// Ends the process when it can't: going on would answer for what a restart forgets.
    func append(_ changes: [Change]) {
        let bytes = ChangeLog.encode(changes)
        var written = 0
        while written < bytes.count {
            // The slice is within the array, which lives through the call.
            let count = bytes.withUnsafeBytes { buffer in
                write(
                    file.number,
                    buffer.baseAddress?.advanced(by: written),
                    buffer.count - written
                )
            }
            if count < 0 {
                if errno == EINTR { continue }
                // A node must not answer for what is not on disk.
                fatalError("\(path) can't be written: \(String(cString: strerror(errno)))")
            }
            written += count
        }
    }

    fileprivate static func refused(_ path: String) -> SimnetError {
        SimnetError(.fileRefused, "\(path): \(String(cString: strerror(errno)))")
    }
}

/// An open file, closed with its owner.
private struct Descriptor: ~Copyable {
    let number: Int32

    init(opening path: String, _ flags: Int32) throws(SimnetError) {
        number = open(path, flags | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw NetworkLog.refused(path) }
    }

    deinit {
        if number >= 0 { close(number) }
    }
}
