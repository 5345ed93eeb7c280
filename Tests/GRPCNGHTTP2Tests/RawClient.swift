import COpenSSL
import Glibc
import NGHTTP2

/// A client of a test's own making, on a blocking socket: for tests of what a server bears.
final class RawClient {
    private let descriptor: Int32
    let session: HTTP2Session
    private(set) var events: [HTTP2Event] = []
    private(set) var isClosed = false

    static let request = [
        HeaderField(":method", "POST"), HeaderField(":scheme", "http"),
        HeaderField(":path", "/test.Service/echo"), HeaderField(":authority", "here"),
        HeaderField("content-type", "application/grpc"), HeaderField("te", "trailers"),
    ]

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        session = try HTTP2Session(role: .client)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure("connect") }
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8]) { _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    func read() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return Array(buffer.prefix(max(0, count)))
    }

    /// Sends what the session has to say.
    func flush() throws {
        var output: [UInt8] = []
        try session.produce(into: &output, upTo: .max)
        events += session.takeEvents()
        if !output.isEmpty { write(output) }
    }

    /// Exchanges bytes until an event matches, or the server closes.
    func exchange(until matches: (HTTP2Event) -> Bool) throws {
        while true {
            try flush()
            if events.contains(where: matches) { return }
            let input = read()
            guard !input.isEmpty else {
                isClosed = true
                return
            }
            try session.receive(input)
            events += session.takeEvents()
            if events.contains(where: matches) { return }
        }
    }
}

/// Does the server's half of a TLS handshake that knows nothing of ALPN.
func acceptTLSWithoutALPN(_ descriptor: Int32, certificateFile: String, keyFile: String) {
    // OpenSSL writes without MSG_NOSIGNAL; the signal would come to this thread.
    var pipe = sigset_t()
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &pipe, nil)
    let context = SSL_CTX_new(TLS_server_method())
    defer { SSL_CTX_free(context) }
    SSL_CTX_use_certificate_chain_file(context, certificateFile)
    SSL_CTX_use_PrivateKey_file(context, keyFile, SSL_FILETYPE_PEM)
    let ssl = SSL_new(context)
    defer { SSL_free(ssl) }
    SSL_set_fd(ssl, descriptor)
    SSL_accept(ssl)
    var byte: UInt8 = 0
    SSL_read(ssl, &byte, 1)
}
