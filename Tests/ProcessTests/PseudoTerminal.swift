import Foundation
import Glibc
import Subprocess
import SystemPackage
import Testing

/// A terminal with nobody at it but the test.
final class PseudoTerminal: Sendable {
    /// What somebody who has a program on the terminal can do.
    struct Session: Sendable {
        let terminal: PseudoTerminal
        let signal: @Sendable (Signal) throws -> Void
    }

    private let master: CInt
    private let slave: CInt
    private let seen = Seen()

    /// Everything that was written to the terminal so far.
    private actor Seen {
        var bytes: [UInt8] = []
        /// Where the next expectation begins.
        var place = 0

        func append(_ new: some Sequence<UInt8>) { bytes += new }

        func find(_ text: String) -> Bool {
            guard let range = bytes[place...].firstRange(of: Array(text.utf8)) else {
                return false
            }
            place = range.upperBound
            return true
        }

        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    init(rows: UInt16 = 24, columns: UInt16 = 80) throws {
        var (master, slave) = (CInt(0), CInt(0))
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try #require(openpty(&master, &slave, nil, nil, &size) == 0)
        (self.master, self.slave) = (master, slave)
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
    }

    deinit {
        close(master)
        close(slave)
    }

    /// Runs a program on the terminal, and a closure beside it, which must bring it to its end.
    ///
    /// With `isControlling` the program also finds it as `/dev/tty`.
    func run(
        _ program: Program,
        _ arguments: [String],
        isControlling: Bool = false,
        _ body: @escaping (Session) async throws -> Void
    ) async throws -> TerminationStatus {
        let end = FileDescriptor(rawValue: slave)
        let leader = ["--ctty", "--wait", program.path]
        let result = try await Subprocess.run(
            isControlling ? .path("/usr/bin/setsid") : program.executable,
            arguments: Arguments((isControlling ? leader : []) + arguments),
            environment: .inherit.updating(["TERM": "xterm-256color", "NO_COLOR": "1"]),
            input: .fileDescriptor(end, closeAfterSpawningProcess: false),
            output: .fileDescriptor(end, closeAfterSpawningProcess: false),
            error: .fileDescriptor(end, closeAfterSpawningProcess: false)
        ) { process in
            do {
                try await body(Session(terminal: self) { try process.send(signal: $0) })
            } catch {
                // Whatever the test found, the program must not go on.
                try? process.send(signal: .kill)
                throw error
            }
        }
        await drain()
        return result.terminationStatus
    }

    /// Types.
    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
    }

    /// Waits until something new shows; fails after two minutes, in which a program hangs.
    func expect(_ text: String) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while true {
            await drain()
            if await seen.find(text) { return }
            guard .now < deadline else {
                Issue.record("never saw \(text.debugDescription) in \(await self.text)")
                throw CancellationError()
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Everything that was seen, escape sequences included.
    var text: String { get async { await seen.text } }

    /// Whether keys come one by one and unseen, as a program has set it.
    var isRaw: Bool {
        var settings = termios()
        tcgetattr(slave, &settings)
        return settings.c_lflag & tcflag_t(ECHO | ICANON) == 0
    }

    private func drain() async {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(master, &buffer, buffer.count)
            guard count > 0 else { return }
            await seen.append(buffer.prefix(count))
        }
    }
}
