import Glibc
import NGHTTP2
import Synchronization
import Testing

/// A server of a test's own making: a socket, and a script for what is sent over it.
///
/// Serves one connection after the other on a thread until it is dropped.
final class RawServer: Sendable {
    /// One connection: reads and writes block.
    struct Peer {
        let descriptor: Int32

        func read() -> [UInt8] {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            return Array(buffer.prefix(max(0, count)))
        }

        func write(_ bytes: [UInt8]) {
            _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        }

        /// Speaks HTTP/2 until the other side closes or the script says stop.
        func serve(_ script: (HTTP2Session, HTTP2Event) throws -> Bool) throws {
            let session = try HTTP2Session(role: .server)
            while true {
                var output: [UInt8] = []
                try session.produce(into: &output, upTo: .max)
                if !output.isEmpty { write(output) }
                let input = read()
                if input.isEmpty { return }
                try session.receive(input)
                for event in session.takeEvents() where !(try script(session, event)) {
                    var last: [UInt8] = []
                    try session.produce(into: &last, upTo: .max)
                    return write(last)
                }
            }
        }
    }

    let port: UInt16
    private let descriptor: Int32
    private let accepted = Atomic<Int>(0)

    /// How many connections came.
    var connections: Int { accepted.load(ordering: .relaxed) }

    init(_ script: @escaping @Sendable (Peer, Int) throws -> Void) throws {
        (descriptor, port) = try Self.listen()
        startThread { [descriptor, weak self] in
            while true {
                let peer = accept(descriptor, nil, nil)
                guard peer >= 0 else { return }
                guard let number = self?.count() else { return }
                try? script(Peer(descriptor: peer), number)
                close(peer)
            }
        }
    }

    private static func listen() throws -> (Int32, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && Glibc.listen(descriptor, 8) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard isListening else { throw Failure("can't listen") }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    private func count() -> Int {
        accepted.wrappingAdd(1, ordering: .relaxed).newValue
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

func startThread(_ run: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let body = Unmanaged.passRetained(ThreadBody(run))
    pthread_create(
        &thread,
        nil,
        { body in
            if let body { Unmanaged<ThreadBody>.fromOpaque(body).takeRetainedValue().run() }
            return nil
        },
        body.toOpaque()
    )
    pthread_detach(thread)
}
