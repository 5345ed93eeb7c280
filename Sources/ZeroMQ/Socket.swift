import CZeroMQ
import Glibc

/// A ZeroMQ context, which, unlike its sockets, any thread may use.
struct ContextPointer: @unchecked Sendable {
    // Sendable: libzmq documents contexts as thread safe; the reactor alone terminates it, once.
    let raw: UnsafeMutableRawPointer
}

/// A ZeroMQ socket: exactly one owner, closed exactly once, used on one thread.
struct Socket: ~Copyable {
    /// Nil once closed; libzmq answers every call on it with `ENOTSOCK` then.
    private(set) var raw: UnsafeMutableRawPointer?

    init(_ kind: SocketKind, in context: ContextPointer) throws(ZeroMQError) {
        guard let raw = zmq_socket(context.raw, kind.number) else {
            throw ZeroMQError(during: "opening a socket")
        }
        self.raw = raw
    }

    deinit {
        if let raw { zmq_close(raw) }
    }

    mutating func close() {
        if let raw { zmq_close(raw) }
        raw = nil
    }

    func set(_ option: Int32, _ value: Int32) throws(ZeroMQError) {
        var value = value
        let done = zmq_setsockopt(raw, option, &value, MemoryLayout<Int32>.size)
        guard done == 0 else { throw ZeroMQError(during: "socket option \(option)") }
    }

    func set(_ option: Int32, wide value: Int64) throws(ZeroMQError) {
        var value = value
        let done = zmq_setsockopt(raw, option, &value, MemoryLayout<Int64>.size)
        guard done == 0 else { throw ZeroMQError(during: "socket option \(option)") }
    }

    func set(_ option: Int32, _ value: [UInt8]) throws(ZeroMQError) {
        let done = zmq_setsockopt(raw, option, value, value.count)
        guard done == 0 else { throw ZeroMQError(during: "socket option \(option)") }
    }

    func secure(as server: CurveServer, domain: String) throws(ZeroMQError) {
        try set(ZMQ_CURVE_SERVER, 1)
        try set(server.keys)
        // Without a domain libzmq would let every key in.
        try set(ZMQ_ZAP_DOMAIN, Array(domain.utf8))
    }

    func secure(as client: CurveClient) throws(ZeroMQError) {
        let server = client.serverKey.description
        let own = client.keys.publicKey.description
        // 41 bytes with the zero at the end mean Z85.
        guard
            zmq_setsockopt(raw, ZMQ_CURVE_SERVERKEY, server, 41) == 0,
            zmq_setsockopt(raw, ZMQ_CURVE_PUBLICKEY, own, 41) == 0
        else { throw ZeroMQError(.curveUnusable, "libzmq refuses the public keys") }
        try set(client.keys)
    }

    private func set(_ keys: CurveKeyPair) throws(ZeroMQError) {
        let done = keys.revealSecret("libzmq does the handshake") { secret in
            zmq_setsockopt(raw, ZMQ_CURVE_SECRETKEY, secret, 41)
        }
        guard done == 0 else { throw ZeroMQError(.curveUnusable, "libzmq refuses the secret key") }
    }

    func bind(_ endpoint: String) throws(ZeroMQError) {
        guard zmq_bind(raw, endpoint) == 0 else { throw ZeroMQError(during: "binding \(endpoint)") }
    }

    func connect(_ endpoint: String) throws(ZeroMQError) {
        guard zmq_connect(raw, endpoint) == 0 else {
            throw ZeroMQError(during: "connecting to \(endpoint)")
        }
    }

    /// An option that is a number, such as `ZMQ_EVENTS`.
    func number(_ option: Int32) throws(ZeroMQError) -> Int32 {
        var value: Int32 = 0
        var size = MemoryLayout<Int32>.size
        guard zmq_getsockopt(raw, option, &value, &size) == 0 else {
            throw ZeroMQError(during: "reading socket option \(option)")
        }
        return value
    }

    /// The endpoint as bound, with the port that was taken for port 0.
    func lastEndpoint() throws(ZeroMQError) -> String {
        var text = [UInt8](repeating: 0, count: 256)
        var size = text.count
        guard zmq_getsockopt(raw, ZMQ_LAST_ENDPOINT, &text, &size) == 0 else {
            throw ZeroMQError(during: "reading the endpoint")
        }
        return String(decoding: text.prefix(max(0, size - 1)), as: UTF8.self)
    }

    /// Receives one frame without waiting; nil when there is none.
    ///
    /// - Parameter space: Where to.
    /// - Returns: The frame.
    /// - Throws: ``ZeroMQError``.
    func receive(into space: inout ReceivingSpace) throws(ZeroMQError) -> ReceivedFrame? {
        while true {
            let size = zmq_msg_recv(space.next, raw, ZMQ_DONTWAIT)
            if size >= 0 { return space.take(size) }
            let number = zmq_errno()
            if number == EAGAIN { return nil }
            guard number == EINTR else { throw ZeroMQError(during: "receiving", number) }
        }
    }

    /// Hands one frame to libzmq without waiting; false when the high-water mark is reached.
    func send(_ frame: Frame, more: Bool) throws(ZeroMQError) -> Bool {
        var message = zmq_msg_t()
        try frame.initialize(&message)
        guard zmq_msg_send(&message, raw, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) < 0 else {
            return true  // libzmq owns and closes it
        }
        let number = zmq_errno()
        zmq_msg_close(&message)
        if number == EAGAIN || number == EINTR { return false }
        throw ZeroMQError(during: "sending", number)
    }
}
