import NIOCore
import NIOPosix

/// A connection to a server, byte by byte, as no library would behave.
final class Wire {
    /// A response as it came.
    struct Answer: Sendable {
        var status: Int
        /// By their names in lower case.
        var headers: [String: String]
        var body: String

        init(_ text: String) {
            let parts = text.split(separator: "\r\n\r\n", maxSplits: 1)
            let lines = (parts.first ?? "").split(separator: "\r\n")
            let words = (lines.first ?? "").split(separator: " ")
            status = words.count > 1 ? Int(words[1]) ?? 0 : 0
            var headers: [String: String] = [:]
            for line in lines.dropFirst() {
                let field = line.split(separator: ":", maxSplits: 1)
                guard let name = field.first, let value = field.last else { continue }
                headers[name.lowercased()] = value.drop { $0 == " " }.description
            }
            self.headers = headers
            body = parts.count > 1 ? String(parts[1]) : ""
        }
    }

    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    /// What came and was not asked for yet.
    private var text = ""

    private init(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.inbound = inbound.makeAsyncIterator()
        self.outbound = outbound
    }

    /// Connects to a port of this machine while a closure runs.
    static func with<Result: Sendable>(
        _ port: Int,
        _ body: @Sendable (Wire) async throws -> Result
    ) async throws -> Result {
        // A fixed buffer: by itself the kernel would take tens of megabytes for who reads nothing.
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.socketOption(.so_rcvbuf), value: 65_536)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel
                    )
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await body(Wire(inbound, outbound))
        }
    }

    /// A request as it goes over the wire.
    static func request(
        _ method: String,
        _ path: String,
        _ headers: [String] = [],
        _ body: String? = nil,
        host: String = "127.0.0.1"
    ) -> String {
        let length = body.map { ["content-length: \($0.utf8.count)"] } ?? []
        return (["\(method) \(path) HTTP/1.1", "host: \(host)"] + headers + length + ["", ""])
            .joined(separator: "\r\n") + (body ?? "")
    }

    /// Sends a text; waits while the server takes nothing.
    func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    /// Reads up to a text, that included; less when the connection ends before.
    func read(upTo end: String) async throws -> String {
        while true {
            if let range = text.firstRange(of: end) {
                defer { text = String(text[range.upperBound...]) }
                return String(text[..<range.upperBound])
            }
            guard let piece = try await inbound.next() else {
                defer { text = "" }
                return text
            }
            text += String(buffer: piece)
        }
    }

    /// Reads until the server ends the connection.
    func rest() async throws -> String {
        while let piece = try await inbound.next() { text += String(buffer: piece) }
        defer { text = "" }
        return text
    }
}
