import Glibc

/// Where a socket is or goes: an IP address with a port, or a unix socket's path.
enum SocketAddress: Hashable, Sendable {
    /// Four bytes.
    case v4([UInt8], port: UInt16)
    /// Sixteen bytes; `scope` is the interface of a link-local address.
    case v6([UInt8], port: UInt16, scope: UInt32)
    case unix(String)

    /// Reads an IP address; nil for anything else, host names included.
    init?(ip text: String, port: UInt16) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self = .v4(withUnsafeBytes(of: four) { Array($0) }, port: port)
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self = .v6(withUnsafeBytes(of: six) { Array($0) }, port: port, scope: 0)
        } else {
            return nil
        }
    }

    /// Reads what the system filled in; nil for other families.
    init?(_ storage: sockaddr_storage, length: socklen_t) {
        var storage = storage
        let parsed = withUnsafePointer(to: &storage) { pointer -> SocketAddress? in
            switch Int32(pointer.pointee.ss_family) {
            case AF_INET:
                // The family says which structure the storage holds.
                pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    .v4(
                        withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) },
                        port: UInt16(bigEndian: $0.pointee.sin_port)
                    )
                }
            case AF_INET6:
                pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    .v6(
                        withUnsafeBytes(of: $0.pointee.sin6_addr) { Array($0) },
                        port: UInt16(bigEndian: $0.pointee.sin6_port),
                        scope: $0.pointee.sin6_scope_id
                    )
                }
            case AF_UNIX:
                pointer.withMemoryRebound(to: sockaddr_un.self, capacity: 1) { address in
                    let size = max(0, Int(length) - MemoryLayout<sa_family_t>.size)
                    return withUnsafeBytes(of: address.pointee.sun_path) { path in
                        .unix(String(decoding: path.prefix(size).prefix { $0 != 0 }, as: UTF8.self))
                    }
                }
            default: nil
            }
        }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Whether text is an IP address rather than a name.
    static func isIP(_ text: String) -> Bool { SocketAddress(ip: text, port: 0) != nil }

    /// An IP address as text; for other lengths than 4 and 16 the bytes in hex.
    static func text(ofIP bytes: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard bytes.count == 4 || bytes.count == 16,
            inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil
        else { return "an address of \(bytes.count) bytes" }
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }

    var family: Int32 {
        switch self {
        case .v4: AF_INET
        case .v6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    /// The port; nil for a unix socket.
    var port: UInt16? {
        switch self {
        case .v4(_, let port), .v6(_, let port, _): port
        case .unix: nil
        }
    }

    /// Whether only processes of this machine can reach it.
    var isLocal: Bool {
        switch self {
        case .v4(let bytes, _): bytes.first == 127
        case .v6(let bytes, _, _):
            bytes.dropLast() == [UInt8](repeating: 0, count: 15)[...] && bytes.last == 1
                || bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
                    && bytes[12] == 127
        case .unix: true
        }
    }

    /// Lends the address in the system's form; nil when a unix path is too long.
    func withSystemAddress<R>(_ use: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R? {
        var storage = sockaddr_storage()
        let length: Int
        switch self {
        case .v4(let bytes, let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes.prefix(4)) }
            length = MemoryLayout<sockaddr_in>.size
            withUnsafeBytes(of: address) { source in
                withUnsafeMutableBytes(of: &storage) { $0.copyMemory(from: source) }
            }
        case .v6(let bytes, let port, let scope):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_scope_id = scope
            withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes.prefix(16)) }
            length = MemoryLayout<sockaddr_in6>.size
            withUnsafeBytes(of: address) { source in
                withUnsafeMutableBytes(of: &storage) { $0.copyMemory(from: source) }
            }
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let bytes = Array(path.utf8)
            // The last byte stays zero.
            guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
            length = MemoryLayout<sockaddr_un>.size
            withUnsafeBytes(of: address) { source in
                withUnsafeMutableBytes(of: &storage) { $0.copyMemory(from: source) }
            }
        }
        return withUnsafePointer(to: storage) { pointer in
            // Every system address begins as `sockaddr` does.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { use($0, socklen_t(length)) }
        }
    }
}

extension SocketAddress: CustomStringConvertible {
    /// As gRPC writes peers: `ipv4:127.0.0.1:10009`, `ipv6:[::1]:10009`, `unix:/path`.
    var description: String {
        switch self {
        case .v4(let bytes, let port): "ipv4:\(Self.text(ofIP: bytes)):\(port)"
        case .v6(let bytes, let port, _): "ipv6:[\(Self.text(ofIP: bytes))]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
