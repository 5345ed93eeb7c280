import FoundationEssentials
import Glibc

/// The temporary directory of one demonstration, and of those that could not remove theirs.
struct DemoDirectory: ~Copyable {
    let path: String
    private let isKept: Bool
    private let lock: CInt

    /// Makes a fresh directory, and removes what killed demonstrations left behind.
    init(keeping isKept: Bool) throws {
        Self.sweep()
        var template = Array("\(Self.parent)/\(Self.prefix)XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw CommandError(
                code: "no-directory",
                detail: "can't make a directory in \(Self.parent)",
                status: ExitStatus.inputOutput
            )
        }
        path = String(cString: made)
        self.isKept = isKept
        // Held as long as this process lives: a later demonstration sees who is dead.
        lock = open("\(path)/\(Self.lockName)", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        _ = flock(lock, LOCK_EX | LOCK_NB)
    }

    deinit {
        if !isKept { try? FileManager.default.removeItem(atPath: path) }
        close(lock)
    }

    // Short, and always there: the path of a Unix socket has at most 107 bytes.
    private static let parent = "/tmp"
    private static let prefix = "lcp-demo-"
    private static let lockName = "lock"
    private static let keptName = "kept"

    /// Removes directories whose owners were killed; never one of another user or one to be kept.
    private static func sweep() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        for name in names where name.hasPrefix(prefix) {
            let path = "\(parent)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
                status.st_uid == getuid(), access("\(path)/\(keptName)", F_OK) != 0
            else { continue }
            let lock = open("\(path)/\(lockName)", O_RDWR | O_CLOEXEC)
            guard lock >= 0 else { continue }
            if flock(lock, LOCK_EX | LOCK_NB) == 0 {
                try? FileManager.default.removeItem(atPath: path)
            }
            close(lock)
        }
    }

    /// Marks the directory, so that no later demonstration removes it.
    func markIfKept() {
        guard isKept else { return }
        close(open("\(path)/\(Self.keptName)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
    }
}
