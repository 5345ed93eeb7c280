import CLinux
import Glibc

/// A listening socket: binds in `init`, accepts on an event loop, closes exactly once.
struct Listener: ~Copyable, Sendable {
    let address: SocketAddress
    let descriptor: Int32
    private let socket: Socket
    private let path: String?

    /// Binds and listens.
    ///
    /// - Throws: `addressUnavailable`.
    init(_ wanted: ListenAddress) throws(GRPCTransportError) {
        let target = try Self.systemAddress(of: wanted)
        let socket = try Socket(for: target)
        try Self.bind(socket.descriptor, to: target)
        guard listen(socket.descriptor, SOMAXCONN) == 0 else {
            throw .system(.addressUnavailable, "can't listen on \(target)")
        }
        address = socket.localAddress ?? target
        descriptor = socket.descriptor
        path = if case .unix(let path) = target { path } else { nil }
        self.socket = socket
    }

    deinit {
        if let path { unlink(path) }
    }

    private static func systemAddress(
        of wanted: ListenAddress
    ) throws(GRPCTransportError) -> SocketAddress {
        switch wanted {
        case .unix(let path): return .unix(path)
        case .ip(let text, let port):
            guard let address = SocketAddress(ip: text, port: port) else {
                throw GRPCTransportError(.addressUnavailable, "\(text) is not an IP address")
            }
            return address
        }
    }

    /// What accepting gave.
    enum Accepted: ~Copyable {
        case connection(Socket)
        /// Nobody waits.
        case none
        /// The system has no descriptor to give; try again later.
        case exhausted
    }

    /// Takes a connection that waits.
    static func accept(_ descriptor: Int32) -> Accepted {
        while true {
            let accepted = lcp_accept(descriptor)
            if accepted >= 0 { return .connection(Socket(taking: accepted)) }
            switch errno {
            case EINTR, ECONNABORTED: continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
            default: return .none
            }
        }
    }

    private static func bind(
        _ descriptor: Int32,
        to address: SocketAddress
    ) throws(GRPCTransportError) {
        var one: Int32 = 1
        if case .unix = address {
            // The option is for ports; a socket file is handled below.
        } else {
            let size = socklen_t(MemoryLayout<Int32>.size)
            _ = setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, size)
        }
        if try bindOnce(descriptor, address) { return }
        // Left over from a process that was killed? Only if nobody answers there.
        guard case .unix(let path) = address, errno == EADDRINUSE else {
            throw .system(.addressUnavailable, "can't bind \(address)")
        }
        let probe = try Socket(for: address)
        do {
            _ = try probe.connect(to: address)
        } catch  where error.code == .connectionRefused {
            unlink(path)
            if try bindOnce(descriptor, address) { return }
            throw .system(.addressUnavailable, "can't bind \(address)")
        }
        throw GRPCTransportError(.addressUnavailable, "another process listens on \(address)")
    }

    private static func bindOnce(
        _ descriptor: Int32,
        _ address: SocketAddress
    ) throws(GRPCTransportError) -> Bool {
        guard let status = address.withSystemAddress({ Glibc.bind(descriptor, $0, $1) }) else {
            throw GRPCTransportError(.addressUnavailable, "the path of \(address) is too long")
        }
        return status == 0
    }
}
