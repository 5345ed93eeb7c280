/// Exactly 32 bytes, stored inline: the body of every hash and identifier in Lightning and LCP.
///
/// Values with a meaning have types of their own (see ``Identifier32``), so that a payment hash
/// can't be passed where a job is meant.
package struct Bytes32: Hashable, Sendable {
    // Four big-endian words instead of an array: no allocation, and equality is four compares.
    // Not SIMD4<UInt64>: debug builds of Swift 6.3.1 crash in swift_task_dealloc after a function
    // with `async throws(SomeError)` has returned a struct that contains such a vector.
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// Takes exactly 32 bytes; nil for any other count.
    package init?(_ bytes: [UInt8]) { self.init(bytes[...]) }

    /// Takes exactly 32 bytes; nil for any other count.
    package init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count == 32 else { return nil }
        // Slices are contiguous, and 32 bytes were just counted: four unaligned words.
        (first, second, third, fourth) = bytes.withUnsafeBytes { buffer in
            func word(_ index: Int) -> UInt64 {
                UInt64(
                    bigEndian: buffer.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
                )
            }
            return (word(0), word(1), word(2), word(3))
        }
    }

    /// Takes exactly 32 bytes; nil for any other count.
    package init?(_ bytes: some Sequence<UInt8>) { self.init(Array(bytes)[...]) }

    /// Reads 64 hex digits of either case; nil for anything else.
    package init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    /// 32 zero bytes.
    package static let zero = Bytes32()

    /// The 32 bytes in order.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        append(to: &bytes)
        return bytes
    }

    /// Appends the 32 bytes in order.
    package func append(to buffer: inout [UInt8]) {
        // The pointer ends with the closure; the four words are 32 bytes.
        withUnsafeBytes(
            of: (first.bigEndian, second.bigEndian, third.bigEndian, fourth.bigEndian)
        ) { buffer.append(contentsOf: $0) }
    }

    /// 64 lower-case hex digits.
    package var hex: String { Hex.encode(bytes) }

    private init() { (first, second, third, fourth) = (0, 0, 0, 0) }
}

extension Bytes32: Comparable {
    /// The order of the bytes, so that what is walked by name is walked in the same order always.
    package static func < (left: Bytes32, right: Bytes32) -> Bool {
        (left.first, left.second, left.third, left.fourth)
            < (right.first, right.second, right.third, right.fourth)
    }
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
