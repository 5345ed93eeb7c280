import Glibc

/// Where a socket binds.
///
/// There is no `tcp` without CURVE keys: whoever reaches a port would otherwise have every right
/// of the endpoint. Over `ipc` the rights are those of the directory.
package enum Binding: Sendable {
    /// A Unix socket at a path of at most 107 bytes.
    ///
    /// A socket file that a dead process left behind is replaced; one that a live process
    /// answers on is refused.
    case ipc(path: String)
    /// An address of this machine, or `*` for all; port 0 takes a free one.
    case tcp(host: String, port: UInt16, CurveServer)
    /// Both, of one socket: this machine's processes by the path, other machines' by the port.
    case ipcAndTCP(path: String, host: String, port: UInt16, CurveServer)
}

/// Where a socket connects to, again and again until it is closed.
package enum Connection: Sendable {
    /// A Unix socket at a path of at most 107 bytes.
    case ipc(path: String)
    /// A host name or address and a port.
    case tcp(host: String, port: UInt16, CurveClient)
}

extension Connection {
    var text: String {
        get throws(ZeroMQError) {
            switch self {
            case .ipc(let path): try IPCPath.endpoint(path)
            case .tcp(let host, let port, _): try TCPAddress.endpoint(host, port)
            }
        }
    }
}

enum TCPAddress {
    static func endpoint(_ host: String, _ port: UInt16) throws(ZeroMQError) -> String {
        // A `;` starts a source address and a `/` a path in libzmq's syntax.
        let allowed = host.utf8.allSatisfy { byte in
            byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: ";") && byte != UInt8(ascii: "/")
        }
        guard !host.isEmpty, allowed else {
            throw ZeroMQError(.addressInvalid, "the host of a tcp endpoint is not a host")
        }
        let isBareIPv6 = host.contains(":") && !host.hasPrefix("[")
        return isBareIPv6 ? "tcp://[\(host)]:\(port)" : "tcp://\(host):\(port)"
    }
}

enum IPCPath {
    /// `sun_path` has 108 bytes, one of them for the zero at the end.
    static let maximumBytes = 107

    static func endpoint(_ path: String) throws(ZeroMQError) -> String {
        guard path.utf8.count <= maximumBytes else {
            throw ZeroMQError(
                .pathTooLong,
                "\(path) has \(path.utf8.count) bytes, a Unix socket's path at most \(maximumBytes)"
            )
        }
        // `*` makes libzmq invent a path, `@` takes a name that no directory protects.
        guard !path.isEmpty, path != "*", !path.hasPrefix("@"), !path.utf8.contains(0) else {
            throw ZeroMQError(.addressInvalid, "ipc://\(path) names no file")
        }
        return "ipc://\(path)"
    }

    /// Refuses a path that must not be taken over.
    ///
    /// libzmq unlinks whatever is at the path before it binds: a live socket of another process,
    /// and even a file that is no socket. Between this look and the bind another process could
    /// still bind; the journal's lock keeps two bridges apart.
    static func checkFree(_ path: String) throws(ZeroMQError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            let number = errno
            throw ZeroMQError(ZeroMQError.Code(number), "ipc://\(path): \(message(number))")
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw ZeroMQError(.notASocket, "\(path) exists and is not a socket")
        }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else {
            throw ZeroMQError(.exhausted, "ipc://\(path): \(message(errno))")
        }
        defer { close(probe) }
        // A listener with a full queue must not make us wait.
        _ = fcntl(probe, F_SETFL, O_NONBLOCK)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let connected = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(probe, $0, size) }
        }
        // Refused means that nobody listens any more: the file is what a dead process left.
        guard connected != 0, errno == ECONNREFUSED || errno == ENOENT else {
            throw ZeroMQError(.addressInUse, "a live process answers on ipc://\(path)")
        }
    }

    private static func message(_ number: Int32) -> String { String(cString: strerror(number)) }
}
