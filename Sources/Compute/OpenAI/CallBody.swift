import NIOCore
import Synchronization

/// A request's body that notes when the connection begins to take it.
///
/// Until then the server can't have computed anything, whatever goes wrong.
struct CallBody: AsyncSequence, Sendable {
    /// Whether the body was handed over.
    final class Record: Sendable {
        private let flag = Atomic(false)

        /// Whether it was.
        var isSent: Bool { flag.load(ordering: .acquiring) }

        fileprivate func note() { flag.store(true, ordering: .releasing) }
    }

    let bytes: ByteBuffer
    let record: Record

    func makeAsyncIterator() -> Iterator { Iterator(body: self) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let body: CallBody
        private var isAtEnd = false

        fileprivate init(body: CallBody) { self.body = body }

        mutating func next() async -> ByteBuffer? {
            guard !isAtEnd else { return nil }
            isAtEnd = true
            body.record.note()
            return body.bytes
        }
    }
}
