import Glibc

/// A terminal whose keys come one by one and unseen, until it is restored.
///
/// Signals from the keyboard are off: Ctrl-C is a key like others. Whoever holds it must call
/// ``restore()`` on every way out.
package struct TerminalMode: Sendable {
    private let descriptor: CInt
    private let saved: termios

    /// Takes the terminal over; nil when the descriptor is none.
    package init?(_ descriptor: CInt) {
        var settings = termios()
        guard tcgetattr(descriptor, &settings) == 0 else { return nil }
        saved = settings
        self.descriptor = descriptor
        settings.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG | IEXTEN)
        settings.c_iflag &= ~tcflag_t(IXON | ICRNL | INLCR | IGNCR | BRKINT | ISTRIP)
        guard tcsetattr(descriptor, TCSADRAIN, &settings) == 0 else { return nil }
    }

    /// Gives the terminal back as it was.
    package func restore() {
        var settings = saved
        // Nothing more can be done for a terminal that is gone.
        _ = tcsetattr(descriptor, TCSADRAIN, &settings)
    }
}

extension TerminalSize {
    /// The size of a terminal; 24 lines of 80 when it does not say.
    package init(of descriptor: CInt) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0
        else {
            self.init(rows: 24, columns: 80)
            return
        }
        self.init(rows: Int(size.ws_row), columns: Int(size.ws_col))
    }
}

/// Reads the bytes of a terminal, or a pipe, without holding a thread.
package enum TerminalInput {
    /// Waits until a read would not wait.
    ///
    /// - Parameters:
    ///   - descriptor: The terminal.
    ///   - patience: After how long to give up; nil for never.
    /// - Returns: Whether there is something to read, or the end.
    /// - Throws: `CancellationError`.
    package static func isReady(
        _ descriptor: CInt,
        within patience: Duration? = nil
    ) async throws -> Bool {
        let deadline = patience.map { ContinuousClock.now + $0 }
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // Nobody types faster than this looks, and no thread has to block.
        while poll(&waiting, 1, 0) == 0 {
            if let deadline, .now >= deadline { return false }
            try await Task.sleep(for: .milliseconds(10))
        }
        try Task.checkCancellation()
        return true
    }

    /// Waits for bytes.
    ///
    /// - Parameters:
    ///   - descriptor: The terminal.
    ///   - patience: After how long to give up; nil for never.
    /// - Returns: What came, at most 4096 bytes; empty at the end of the input; nil after the time.
    /// - Throws: `CancellationError`.
    package static func bytes(
        from descriptor: CInt,
        within patience: Duration? = nil
    ) async throws -> [UInt8]? {
        guard try await isReady(descriptor, within: patience) else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = read(descriptor, &buffer, buffer.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return nil }
        return count > 0 ? Array(buffer.prefix(count)) : []
    }
}
