import Glibc

/// The right to be the journal's only writer: a lock on a file beside it, for as long as this lives.
///
/// The kernel lets go when the process ends, however it ends. The file holds the owner's process id
/// for whoever finds it locked, and stays behind.
struct FileLock: ~Copyable {
    private let descriptor: CInt

    /// Takes the lock or says who has it.
    ///
    /// - Parameter path: The journal's path; the lock stands beside it as `PATH.lock`.
    /// - Throws: `lockedByAnotherProcess`, or `pathUnusable`.
    init(besides path: String) throws(JournalError) {
        let file = path + ".lock"
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("open", file, errno) }
        // Not fcntl: its locks vanish when anything in this process closes the file.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let cause = errno
            let owner = Self.owner(descriptor)
            close(descriptor)
            guard cause == EWOULDBLOCK else { throw .system("flock", file, cause) }
            throw JournalError(.lockedByAnotherProcess, "\(path) is in use by \(owner)")
        }
        self.descriptor = descriptor
        let text = Array("\(getpid())\n".utf8)
        // For people only: a full disk here must not keep the journal from opening.
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
    }

    deinit {
        // Closing alone would leave the lock with a child that is between fork and exec.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func owner(_ descriptor: CInt) -> String {
        var text = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &text, text.count, 0)
        let digits = text.prefix(max(count, 0)).prefix { $0 >= 0x30 && $0 <= 0x39 }
        return digits.isEmpty
            ? "another process" : "process \(String(decoding: digits, as: UTF8.self))"
    }
}

extension JournalError {
    /// What a system call on the journal's files said.
    static func system(_ call: StaticString, _ path: String, _ number: CInt) -> Self {
        let text = String(cString: strerror(number))
        let full = number == ENOSPC || number == EDQUOT || number == EFBIG
        return JournalError(full ? .diskFull : .pathUnusable, "\(call) \(path): \(text)")
    }
}
