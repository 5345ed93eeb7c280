import BusClient
import Hummingbird
import NIOCore

/// What one client may send, and how slowly.
package struct RequestLimits: Equatable, Sendable {
    /// The largest body, in bytes; a prompt has 64 KiB at most, and JSON may write each byte as six.
    package var bodyBytes = 1 << 20
    /// The largest head, in bytes.
    package var headBytes = 32 << 10
    /// How long a head may take from its first byte on.
    package var headTime: Duration = .seconds(30)
    /// How long a body may take.
    package var bodyTime: Duration = .seconds(30)
    /// How long a connection may be idle between requests, or within one that is still sent.
    package var idleTime: Duration = .seconds(75)
    /// How long a client may take nothing of what waits for it.
    package var unreadTime: Duration = .seconds(60)

    /// The defaults above.
    package init() {}

    /// Reads a body.
    ///
    /// - Throws: ``Refusal`` 413, 408, or 400 when it breaks off.
    func body(of request: Request) async throws -> [UInt8] {
        let limit = bodyBytes
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw Refusal.tooLarge(limit)
        }
        let body = request.body
        let bytes = try await within(bodyTime) {
            var bytes: [UInt8] = []
            var pieces = body.makeAsyncIterator()
            while true {
                let piece: ByteBuffer?
                do { piece = try await pieces.next() } catch { throw Refusal.malformed }
                guard let piece else { return bytes }
                guard bytes.count + piece.readableBytes <= limit else {
                    throw Refusal.tooLarge(limit)
                }
                bytes += piece.readableBytesView
            }
        }
        guard let bytes else { throw Refusal.tooSlow }
        return bytes
    }
}
