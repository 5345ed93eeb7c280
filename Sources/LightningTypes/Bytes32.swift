/// Exactly 32 bytes, stored inline: the body of every hash and identifier in Lightning and LCP.
///
/// Values with a meaning have types of their own (see ``Identifier32``), so that a payment hash
/// can't be passed where a job is meant.
package struct Bytes32: Hashable, Sendable {
    // Four big-endian words instead of an array: no allocation, and equality is four compares.
    // Not SIMD4<UInt64>: debug builds of Swift 6.3.1 crash in swift_task_dealloc after a function
    // with `async throws(SomeError)` has returned a struct that contains such a vector.
    private var first: UInt64 = 0
    private var second: UInt64 = 0
    private var third: UInt64 = 0
    private var fourth: UInt64 = 0

    /// Takes exactly 32 bytes; nil for any other count.
    package init?(_ bytes: some Sequence<UInt8>) {
        // Other modules call this unspecialized, where an iterator costs a call for each byte; the
        // bytes of an array or its slice are read in place instead.
        let fromStorage = bytes.withContiguousStorageIfAvailable { Self(reading: $0) }
        guard let value = fromStorage ?? Self(reading: bytes) else { return nil }
        self = value
    }

    @inline(__always)
    private init?(reading bytes: some Sequence<UInt8>) {
        var count = 0
        for byte in bytes {
            guard count < 32 else { return nil }
            // One register of 256 bits, moved up by a byte.
            first = first << 8 | second >> 56
            second = second << 8 | third >> 56
            third = third << 8 | fourth >> 56
            fourth = fourth << 8 | UInt64(byte)
            count += 1
        }
        guard count == 32 else { return nil }
    }

    /// Reads 64 hex digits of either case; nil for anything else.
    package init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    /// 32 zero bytes.
    package static let zero = Bytes32()

    /// The 32 bytes in order.
    package var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            // The closure writes all 32 bytes that it then declares.
            for byte in 0..<8 {
                let shift = UInt64(56 - 8 * byte)
                buffer[byte] = UInt8(truncatingIfNeeded: first >> shift)
                buffer[byte + 8] = UInt8(truncatingIfNeeded: second >> shift)
                buffer[byte + 16] = UInt8(truncatingIfNeeded: third >> shift)
                buffer[byte + 24] = UInt8(truncatingIfNeeded: fourth >> shift)
            }
            count = 32
        }
    }

    /// 64 lower-case hex digits.
    package var hex: String { Hex.encode(bytes) }

    private init() {}
}

/// A 32-byte value with a meaning of its own: a hash or an identifier that may be shown and logged.
///
/// Distinct meanings are distinct types; none of them converts into another.
package protocol Identifier32: Hashable, Sendable, CustomStringConvertible {
    /// The 32 bytes of the value.
    var bytes: Bytes32 { get }

    /// Gives 32 bytes this meaning.
    init(_ bytes: Bytes32)
}

extension Identifier32 {
    /// Reads 64 hex digits of either case; nil for anything else.
    package init?(hex: some StringProtocol) {
        guard let bytes = Bytes32(hex: hex) else { return nil }
        self.init(bytes)
    }

    /// 64 lower-case hex digits.
    package var hex: String { bytes.hex }

    /// The same as ``hex``.
    package var description: String { hex }
}
