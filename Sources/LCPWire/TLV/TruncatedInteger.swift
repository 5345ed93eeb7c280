/// Truncated integers tu16, tu32 and tu64 (BOLT #1): big-endian without leading zero bytes.
///
/// Zero is no byte at all; the length is that of the TLV record around it.
package enum TruncatedInteger {
    /// The number of bytes a value takes: 0 to 8.
    package static func count(_ value: UInt64) -> Int {
        (UInt64.bitWidth - value.leadingZeroBitCount + 7) / 8
    }

    /// Appends a value without leading zero bytes.
    package static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        // BOLT #1 [tu-written-minimal]
        for index in (0..<count(value)).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
        }
    }

    /// Reads a whole value of a record as one integer.
    ///
    /// - Parameters:
    ///   - bytes: The record's value.
    ///   - limit: The width of the type in bytes: 2, 4 or 8.
    /// - Returns: The integer.
    /// - Throws: ``WireError`` with reason `integerTooLong` or `leadingZero`.
    package static func read(_ bytes: ArraySlice<UInt8>, limit: Int) throws(WireError) -> UInt64 {
        // BOLT #1 [tu-width]
        guard bytes.count <= limit else {
            throw WireError(.integerTooLong(actual: bytes.count, limit: limit))
        }
        // BOLT #1 [tu-minimal]
        guard bytes.first != 0 else { throw WireError(.leadingZero) }
        var value: UInt64 = 0
        for byte in bytes { value = value << 8 | UInt64(byte) }
        return value
    }
}
