/// The queued bytes of one stream, and how the stream ends.
final class OutgoingBody {
    /// How the body ends once its bytes are out.
    enum Ending {
        case open
        case endOfStream
        case trailers([HeaderField])
    }

    private var chunks: [[UInt8]] = []
    private var head = 0
    private var offset = 0
    var ending = Ending.open

    /// Whether nghttp2 was told to ask again later, and so must be woken by new bytes.
    var isDeferred = false

    var isEmpty: Bool { head == chunks.count }

    func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        chunks.append(bytes)
    }

    /// Moves at most as many bytes as fit; returns how many.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var written = 0
        while written < buffer.count, head < chunks.count {
            let count = min(buffer.count - written, chunks[head].count - offset)
            chunks[head].withUnsafeBytes { chunk in
                let source = UnsafeRawBufferPointer(rebasing: chunk[offset..<(offset + count)])
                let target = UnsafeMutableRawBufferPointer(
                    rebasing: buffer[written..<(written + count)]
                )
                target.copyMemory(from: source)
            }
            written += count
            offset += count
            guard offset == chunks[head].count else { continue }
            // Free a large message as soon as it is out, not when the queue is.
            chunks[head] = []
            head += 1
            offset = 0
        }
        if head == chunks.count {
            chunks.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 64 {
            chunks.removeFirst(head)
            head = 0
        }
        return written
    }
}
