import CLinux
import Glibc

/// A non-blocking stream socket: exactly one owner, closed exactly once.
struct Socket: ~Copyable, Sendable {
    let descriptor: Int32

    /// Takes over a descriptor that is non-blocking already.
    init(taking descriptor: Int32) { self.descriptor = descriptor }

    /// A fresh socket for an address.
    init(for address: SocketAddress) throws(GRPCTransportError) {
        let type =
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = socket(address.family, type, 0)
        guard descriptor >= 0 else { throw .system(.resourcesExhausted, "can't make a socket") }
    }

    deinit { close(descriptor) }

    /// Begins to connect.
    ///
    /// - Returns: True when connected at once; otherwise the socket becomes writable later.
    func connect(to address: SocketAddress) throws(GRPCTransportError) -> Bool {
        let status = address.withSystemAddress { Glibc.connect(descriptor, $0, $1) }
        guard let status else {
            throw GRPCTransportError(.unreachable, "the path of \(address) is too long")
        }
        if status == 0 { return true }
        guard errno == EINPROGRESS else { throw Self.connectError(errno, address) }
        return false
    }

    /// Why a connection attempt that became writable has failed; nil when it succeeded.
    func pendingError(_ address: SocketAddress) -> GRPCTransportError? {
        var number: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &length) == 0 else {
            return Self.connectError(errno, address)
        }
        return number == 0 ? nil : Self.connectError(number, address)
    }

    /// Sends small frames at once.
    func disableDelay() {
        var one: Int32 = 1
        // A unix socket has no such option, and needs none.
        _ = setsockopt(
            descriptor,
            Int32(IPPROTO_TCP),
            TCP_NODELAY,
            &one,
            socklen_t(MemoryLayout<Int32>.size)
        )
    }

    /// Our own address.
    var localAddress: SocketAddress? { address(getsockname) }

    /// The other side's address.
    var peerAddress: SocketAddress? { address(getpeername) }

    private func address(
        _ get: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                get(descriptor, $0, &length)
            }
        }
        return status == 0 ? SocketAddress(storage, length: length) : nil
    }

    private static func connectError(
        _ number: Int32,
        _ address: SocketAddress
    ) -> GRPCTransportError {
        let code: GRPCTransportError.Code =
            switch number {
            case ECONNREFUSED, ENOENT: .connectionRefused
            case ETIMEDOUT: .timedOut
            default: .unreachable
            }
        return .system(code, "can't connect to \(address)", number)
    }
}
