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

    /// Takes datagrams until one has a line, and returns all lines until then.
    func lines(until line: String, within seconds: Int = 60) async throws -> [String] {
        let lines: [String] = await withCheckedContinuation { continuation in
            // A blocking wait, apart from the tasks.
            DispatchQueue.global().async {
                continuation.resume(returning: self.wait(line, seconds))
            }
        }
        try #require(lines.last?.hasPrefix(line) == true, "no \(line), but \(lines)")
        return lines
    }

    private func wait(_ line: String, _ seconds: Int) -> [String] {
        let deadline = ContinuousClock.now + .seconds(seconds)
        var lines: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while ContinuousClock.now < deadline {
            var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&event, 1, 1_000) > 0 else { continue }
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { continue }
            let text = String(decoding: buffer[..<count], as: UTF8.self)
            for part in text.split(separator: "\n") {
                lines.append(String(part))
                if part.hasPrefix(line) { return lines }
            }
        }
        return lines
    }
}
