import Glibc

/// The service manager that started this process, such as systemd: told by one datagram a message.
///
/// sd_notify(3) is the protocol. A manager that is away or does not listen changes nothing here.
package struct ServiceManager: Sendable {
    /// What a manager is told.
    package enum Message: Equatable, Sendable {
        /// The start is done.
        case ready
        /// The end has begun.
        case stopping
        /// Still alive.
        case watchdog
        /// For people, in one line.
        case status(String)

        /// As it travels.
        var text: String {
            switch self {
            case .ready: "READY=1"
            case .stopping: "STOPPING=1"
            case .watchdog: "WATCHDOG=1"
            // A line feed would begin another assignment.
            case .status(let text):
                "STATUS=" + text.map { $0.isNewline ? " " : String($0) }.joined()
            }
        }
    }

    /// The socket's path, or `@` and a name that is no file.
    let address: String
    /// How long the manager waits for a sign of life; nil when it does not.
    package let watchdog: Duration?

    /// The manager that the environment names; nil when nobody listens.
    ///
    /// - Parameters:
    ///   - environment: The process's environment.
    ///   - process: This process's number: another one's watchdog is none of ours.
    package init?(environment: [String: String], process: Int32) {
        guard let address = environment["NOTIFY_SOCKET"], Self.longest >= address.utf8.count,
            address.hasPrefix("/") || address.hasPrefix("@"), address.utf8.count > 1
        else { return nil }
        self.address = address
        let isOurs = environment["WATCHDOG_PID"].map { $0 == "\(process)" } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        watchdog = isOurs && microseconds > 0 ? .microseconds(microseconds) : nil
    }

    /// Sends one datagram with all messages, a line each.
    ///
    /// Never waits: a manager whose queue is full hears the next one.
    package func tell(_ messages: [Message]) {
        let datagram = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard datagram >= 0 else { return }
        defer { close(datagram) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            path.copyBytes(from: self.address.utf8)
            // The kernel's sign for a name that is no file.
            if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        }
        // A name that is no file ends with the address, a path with a zero.
        let size = socklen_t(
            MemoryLayout<sa_family_t>.size + self.address.utf8.count
                + (self.address.hasPrefix("@") ? 0 : 1)
        )
        let text = Array(messages.map(\.text).joined(separator: "\n").utf8)
        // The pointer is used only during the call, as a sockaddr, which a sockaddr_un begins with.
        withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
                _ = sendto(datagram, text, text.count, flags, address, size)
            }
        }
    }

    /// `sun_path` has 108 bytes, one of them for the zero at the end.
    private static let longest = 107
}
