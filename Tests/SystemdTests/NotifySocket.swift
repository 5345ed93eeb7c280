import Foundation
import Glibc
import Synchronization
import Testing

/// The service manager's end of sd_notify(3), open to every user.
///
/// Reads all the time, as systemd does: the kernel keeps ten datagrams, which the watchdogs of three
/// services fill in seconds, and what finds no room is lost.
final class NotifySocket: Sendable {
    let path: String
    private let inbox: Inbox

    /// What has come and was not taken; shared with the thread that reads.
    private final class Inbox: Sendable {
        private struct State {
            var datagrams: [[String]] = []
            var isClosed = false
        }

        private let state = Mutex(State())

        var isClosed: Bool { state.withLock { $0.isClosed } }

        func close() { state.withLock { $0.isClosed = true } }

        func put(_ lines: [String]) { state.withLock { $0.datagrams.append(lines) } }

        func take() -> [String]? {
            state.withLock { $0.datagrams.isEmpty ? nil : $0.datagrams.removeFirst() }
        }
    }

    init(_ path: String) throws {
        self.path = path
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let bound = withUnsafePointer(to: &name) { name in
            name.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        let inbox = Inbox()
        self.inbox = inbox
        try #require(bound == 0 && chmod(path, 0o666) == 0)
        // Blocking, so on a thread of its own, which the descriptor belongs to.
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while !inbox.isClosed {
                var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&event, 1, 100) > 0 else { continue }
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { continue }
                let text = String(decoding: buffer[..<count], as: UTF8.self)
                inbox.put(text.split(separator: "\n").map { String($0) })
            }
            close(descriptor)
        }
    }

    deinit { inbox.close() }

    /// Takes datagrams until each of the beginnings has been seen, in whatever order: the parts of
    /// a process tell without waiting for each other.
    func wait(for beginnings: String..., within limit: Duration = .seconds(300)) async throws {
        let deadline = ContinuousClock.now + limit
        var missing = beginnings
        var lines: [String] = []
        while !missing.isEmpty, .now < deadline {
            guard let datagram = inbox.take() else {
                try await Task.sleep(for: .milliseconds(10))
                continue
            }
            lines += datagram
            missing.removeAll { beginning in datagram.contains { $0.hasPrefix(beginning) } }
        }
        try #require(missing.isEmpty, "no \(missing) in \(lines)")
    }
}
