import CZeroMQ
import Glibc
import Testing
import ZeroMQ

/// A directory of its own for the sockets of one test.
struct BusDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/lcp-zmq-XXXXXX".utf8CString)
        path = String(cString: try #require(mkdtemp(&template)))
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Removes it with what a test may have put there; libzmq leaves its socket files.
    func remove() {
        for name in ["a", "b", "c"] { unlink(file(name)) }
        rmdir(path)
    }
}

/// A peer that does what our own sockets never would.
struct RawPeer: ~Copyable {
    private let context: UnsafeMutableRawPointer
    private let socket: UnsafeMutableRawPointer

    init(_ type: Int32, connectingTo endpoint: String) throws {
        let context = try #require(zmq_ctx_new())
        let socket = try #require(zmq_socket(context, type))
        var linger: Int32 = 0
        zmq_setsockopt(socket, ZMQ_LINGER, &linger, 4)
        try #require(zmq_connect(socket, endpoint) == 0)
        self.context = context
        self.socket = socket
    }

    func send(_ bytes: [UInt8], more: Bool = false) {
        zmq_send(socket, bytes, bytes.count, more ? ZMQ_SNDMORE : 0)
    }

    /// Receives without waiting.
    func poll() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = zmq_recv(socket, &bytes, bytes.count, ZMQ_DONTWAIT)
        return count < 0 ? nil : Array(bytes.prefix(Int(count)))
    }

    deinit {
        zmq_close(socket)
        zmq_ctx_term(context)
    }
}

/// Takes batches until a number of messages has arrived.
func collect(_ count: Int, from socket: some ReceivingSocket) async throws -> [Message] {
    var messages: [Message] = []
    while messages.count < count { messages += try await socket.receive() }
    return messages
}

/// The one event that comes next.
func nextEvent(_ socket: XPubSocket) async throws -> SubscriptionEvent {
    let events = try await socket.events()
    try #require(events.count == 1, "\(events)")
    return events[0]
}

/// The subscription that starts next.
func nextStart(_ socket: XPubSocket) async throws -> Subscription {
    let event = try await nextEvent(socket)
    guard case .started(let subscription) = event else {
        throw UnexpectedEvent(event: event)
    }
    return subscription
}

struct UnexpectedEvent: Error { var event: SubscriptionEvent }

/// Runs a call that must fail and gives its code.
func code(_ body: () async throws -> Void) async -> ZeroMQError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? ZeroMQError)?.code
    }
}
