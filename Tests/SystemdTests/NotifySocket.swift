import Dispatch
import Glibc
import Testing

/// The service manager's end of sd_notify(3), open to every user.
final class NotifySocket: Sendable {
    let path: String
    private let descriptor: Int32

    init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let bound = withUnsafePointer(to: &name) { name in
            name.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        try #require(bound == 0 && chmod(path, 0o666) == 0)
    }

    deinit { close(descriptor) }

    /// Takes datagrams until each of the beginnings has been seen, in whatever order: the parts of
    /// a process tell without waiting for each other.
    func wait(for beginnings: String..., within seconds: Int = 300) async throws {
        let lines: [String] = await withCheckedContinuation { continuation in
            // A blocking wait, apart from the tasks.
            DispatchQueue.global().async {
                continuation.resume(returning: self.lines(untilEach: beginnings, seconds))
            }
        }
        for beginning in beginnings {
            try #require(lines.contains { $0.hasPrefix(beginning) }, "no \(beginning) in \(lines)")
        }
    }

    private func lines(untilEach beginnings: [String], _ seconds: Int) -> [String] {
        let deadline = ContinuousClock.now + .seconds(seconds)
        var missing = beginnings
        var lines: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while !missing.isEmpty, ContinuousClock.now < deadline {
            var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&event, 1, 1_000) > 0 else { continue }
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { continue }
            let text = String(decoding: buffer[..<count], as: UTF8.self)
            for part in text.split(separator: "\n") {
                lines.append(String(part))
                missing.removeAll { part.hasPrefix($0) }
            }
        }
        return lines
    }
}
