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

    /// Reads one value from the front of some bytes and removes it.
    ///
    /// - Parameters:
    ///   - bytes: Where to read; after an error its start is unspecified.
    ///   - part: What the value means, for the error.
    /// - Returns: The value.
    /// - Throws: ``WireError`` with reason `truncated` when the bytes end inside the value or
    ///   before it, `bigSizeNotMinimal` when a shorter form exists.
    package static func read(
        from bytes: inout ArraySlice<UInt8>,
        as part: WireError.Part
    ) throws(WireError) -> UInt64 {
        guard let first = bytes.popFirst() else { throw WireError(.truncated(part)) }
        let (width, least): (Int, UInt64) =
            switch first {
            case 0xfd: (2, 0xfd)
            case 0xfe: (4, 0x1_0000)
            case 0xff: (8, 0x1_0000_0000)
            default: (0, 0)
            }
        guard width > 0 else { return UInt64(first) }
        guard bytes.count >= width else { throw WireError(.truncated(part)) }
        var value: UInt64 = 0
        for byte in bytes.prefix(width) { value = value << 8 | UInt64(byte) }
        bytes.removeFirst(width)
        guard value >= least else { throw WireError(.bigSizeNotMinimal(part)) }
        return value
    }

    private static func append(_ value: UInt64, width: Int, to bytes: inout [UInt8]) {
        for index in (0..<width).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
        }
    }
}
