/// BigSize: the variable-length integer of BOLT #1 in which TLV types and lengths are written.
///
/// One byte up to 0xfc, else a marker byte and 2, 4 or 8 big-endian bytes; only the shortest form
/// is valid.
package enum BigSize {
    /// The number of bytes a value takes: 1, 3, 5 or 9.
    package static func count(_ value: UInt64) -> Int {
        switch value {
        case ..<0xfd: 1
        case ...0xffff: 3
        case ...0xffff_ffff: 5
        default: 9
        }
    }

    /// Appends the shortest form of a value.
    package static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        switch value {
        // BOLT #1 [bigsize-written-minimal]
        case ..<0xfd:
            bytes.append(UInt8(value))
        case ...0xffff:
            bytes.append(0xfd)
            append(value, width: 2, to: &bytes)
        case ...0xffff_ffff:
            bytes.append(0xfe)
            append(value, width: 4, to: &bytes)
        default:
            bytes.append(0xff)
            append(value, width: 8, to: &bytes)
        }
    }

    /// Reads a whole value: nothing may follow it.
    ///
    /// - Parameter bytes: One value.
    /// - Returns: The value.
    /// - Throws: ``WireError`` when the bytes end inside it, when a shorter form exists, or when
    ///   bytes follow it.
    package static func read(_ bytes: [UInt8]) throws(WireError) -> UInt64 {
        var reader = ByteReader(bytes[...])
        let value = try reader.bigSize(.value)
        guard reader.isAtEnd else { throw WireError(.trailingBytes) }
        return value
    }

    private static func append(_ value: UInt64, width: Int, to bytes: inout [UInt8]) {
        for index in (0..<width).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
        }
    }
}
