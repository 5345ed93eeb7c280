import Glibc

/// Asks a person who sits at the terminal, whatever standard input is.
enum Question {
    /// Whether somebody is there to be asked.
    static var isPossible: Bool {
        isatty(STDERR_FILENO) == 1 && access("/dev/tty", R_OK | W_OK) == 0
    }

    /// Asks for a yes; everything else is a no.
    ///
    /// - Parameter question: One line without an end.
    /// - Returns: Whether the answer began with `y`.
    /// - Throws: `CancellationError`.
    static func confirm(_ question: String) async throws -> Bool {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else { return false }
        defer { close(terminal) }
        try StandardOutput.write(Array("\(question) [y/N] ".utf8), to: terminal)
        // Nobody types faster than this looks, and no thread has to block.
        var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
        while poll(&waiting, 1, 0) == 0 { try await Task.sleep(for: .milliseconds(50)) }
        var line = [UInt8](repeating: 0, count: 256)
        let count = read(terminal, &line, line.count)
        return count > 0 && (line[0] == UInt8(ascii: "y") || line[0] == UInt8(ascii: "Y"))
    }
}
