import BusClient
import Hummingbird
import NIOCore

/// What one client may send, and how slowly.
package struct RequestLimits: Equatable, Sendable {
    /// The largest body, in bytes; a prompt has 64 KiB at most, and JSON may write each byte as six.
    package var bodyBytes = 1 << 20
    /// The largest head, in bytes.
    package var headBytes = 32 << 10
    /// How long a body may take.
    package var bodyTime: Duration = .seconds(30)
    /// How long a connection may be idle between requests, or within one that is still sent.
    package var idleTime: Duration = .seconds(75)

    /// The defaults above.
    package init() {}

    /// Reads a body.
    ///
    /// - Throws: ``Refusal`` 413 or 408.
    func body(of request: Request) async throws -> [UInt8] {
        let limit = bodyBytes
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw Refusal.tooLarge(limit)
        }
        let body = request.body
        let bytes = try await within(bodyTime) {
            var bytes: [UInt8] = []
            for try await piece in body {
                guard bytes.count + piece.readableBytes <= limit else {
                    throw Refusal.tooLarge(limit)
                }
                bytes += piece.readableBytesView
            }
            return bytes
        }
        guard let bytes else { throw Refusal.tooSlow }
        return bytes
    }
}
