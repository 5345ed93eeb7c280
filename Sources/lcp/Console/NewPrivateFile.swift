import ArgumentParser
import Glibc

/// A file that did not exist before and that only its owner can read.
struct NewPrivateFile {
    private let path: String
    private let descriptor: CInt

    /// Makes it, empty.
    ///
    /// - Throws: ``CommandError`` when it exists or can't be made.
    init(path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw errno == EEXIST
                ? CommandError(
                    code: "file-exists",
                    detail: "\(path) exists and is left as it is; choose another name",
                    status: ExitStatus.cannotCreate
                )
                : Self.failure("can't make \(path)", ExitStatus.cannotCreate)
        }
        self.path = path
    }

    /// Writes everything, to the disk, and closes the file.
    ///
    /// - Throws: ``CommandError``.
    func write(_ bytes: [UInt8]) throws {
        defer { close(descriptor) }
        do {
            try StandardOutput.write(bytes, to: descriptor)
        } catch {
            throw Self.failure("can't write \(path)", ExitStatus.inputOutput)
        }
        guard fsync(descriptor) == 0 else {
            throw Self.failure("can't write \(path)", ExitStatus.inputOutput)
        }
    }

    /// Takes the file away again, when there is nothing to put into it.
    func remove() { unlink(path) }

    private static func failure(_ what: String, _ status: ExitCode) -> CommandError {
        CommandError(
            code: "input-output",
            detail: "\(what): \(String(cString: strerror(errno)))",
            status: status
        )
    }
}
