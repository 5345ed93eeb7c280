import Dispatch
import Foundation
import Glibc
import Testing

/// A named pipe that test programs hold open: its end is the end of all of them.
final class LifeLine: Sendable {
    let path: String
    private let file: Int32

    init() throws {
        path = "/tmp/lcp-life-\(UUID().uuidString.prefix(8))"
        try #require(mkfifo(path, 0o600) == 0)
        // Does not wait for a writer, as a blocking open would.
        file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        try #require(file >= 0)
    }

    deinit {
        close(file)
        unlink(path)
    }

    /// The next line; nil when nobody holds the pipe any more, `cancelled` when the task is.
    func line() async -> String? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async { continuation.resume(returning: self.read()) }
            }
        } onCancel: {
            try? Data("cancelled\n".utf8).write(to: URL(filePath: path))
        }
    }

    private func read() -> String? {
        var text: [UInt8] = []
        while true {
            var item = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
            _ = poll(&item, 1, -1)
            var byte: UInt8 = 0
            guard Glibc.read(file, &byte, 1) == 1 else { return nil }
            if byte == UInt8(ascii: "\n") { return String(decoding: text, as: UTF8.self) }
            text.append(byte)
        }
    }
}
