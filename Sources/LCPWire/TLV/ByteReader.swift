/// Walks over bytes by position, so that reading a number or skipping a value copies nothing.
struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// Whether every byte has been read.
    var isAtEnd: Bool { position == bytes.endIndex }

    /// How many bytes are left.
    var count: Int { bytes.endIndex - position }

    /// Reads one BigSize (BOLT #1).
    ///
    /// - Parameter part: What the value means, for the error.
    /// - Returns: The value.
    /// - Throws: ``WireError`` with reason `truncated` when the bytes end inside the value or
    ///   before it, `bigSizeNotMinimal` when a shorter form exists.
    mutating func bigSize(_ part: WireError.Part) throws(WireError) -> UInt64 {
        guard !isAtEnd else { throw WireError(.truncated(part)) }
        let first = bytes[position]
        position += 1
        // BOLT #1: one byte below 0xfd, else a marker and 2, 4 or 8 bytes.
        guard first >= 0xfd else { return UInt64(first) }
        let (width, least): (Int, UInt64) =
            switch first {
            case 0xfd: (2, 0xfd)
            case 0xfe: (4, 0x1_0000)
            default: (8, 0x1_0000_0000)
            }
        // BOLT #1 [bigsize-complete]
        guard count >= width else { throw WireError(.truncated(part)) }
        var value: UInt64 = 0
        for index in position..<position + width { value = value << 8 | UInt64(bytes[index]) }
        position += width
        // BOLT #1 [bigsize-minimal]
        guard value >= least else { throw WireError(.bigSizeNotMinimal(part)) }
        return value
    }

    /// Moves past some bytes and gives their place; nil, without moving, when fewer are left.
    mutating func skip(_ length: UInt64) -> Range<Int>? {
        guard length <= count else { return nil }
        let range = position..<position + Int(length)
        position = range.upperBound
        return range
    }

    /// The bytes at a place that ``skip(_:)`` gave.
    subscript(range: Range<Int>) -> ArraySlice<UInt8> { bytes[range] }
}
