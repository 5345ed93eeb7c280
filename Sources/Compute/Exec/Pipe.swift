import CGuard
import Glibc

/// A file descriptor with one owner, closed exactly once.
struct OwnedFile: ~Copyable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }
}

/// A pipe between us and a child; both ends are closed in programs that are started.
struct Pipe: ~Copyable {
    let readEnd: OwnedFile
    let writeEnd: OwnedFile

    /// Makes a pipe whose ends are above the standard streams and the guard's report.
    ///
    /// - Throws: ``SystemError`` when the process has no file left.
    init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard lcp_guard_pipe(&ends) == 0 else { throw SystemError("pipe") }
        // Owned before anything can fail.
        let lowRead = OwnedFile(ends[0])
        let lowWrite = OwnedFile(ends[1])
        let highRead = try Self.raised(lowRead)
        let highWrite = try Self.raised(lowWrite)
        readEnd = highRead
        writeEnd = highWrite
    }

    /// Closes the other end; ours does not block.
    consuming func intoReadEnd() -> OwnedFile {
        Self.unblock(readEnd)
        return readEnd
    }

    /// Closes the other end; ours does not block.
    consuming func intoWriteEnd() -> OwnedFile {
        Self.unblock(writeEnd)
        return writeEnd
    }

    private static func unblock(_ file: borrowing OwnedFile) {
        // Changing the flags of an open pipe can't fail.
        _ = fcntl(file.number, F_SETFL, O_NONBLOCK)
    }

    private static func raised(_ file: borrowing OwnedFile) throws(SystemError) -> OwnedFile {
        let number = fcntl(file.number, F_DUPFD_CLOEXEC, 4)
        guard number >= 0 else { throw SystemError("fcntl") }
        return OwnedFile(number)
    }
}

/// A call of the system that failed.
struct SystemError: Error {
    let call: StaticString
    let number: Int32

    init(_ call: StaticString, _ number: Int32 = errno) {
        self.call = call
        self.number = number
    }
}

extension SystemError: CustomStringConvertible {
    var description: String { "\(call): \(String(cString: strerror(number)))" }
}
