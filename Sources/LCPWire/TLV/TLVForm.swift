package import LightningTypes

/// How one kind of value stands in a TLV record, such as a tu64, 32 bytes or UTF-8 text.
///
/// `read` refuses every encoding that `write` would not produce. Forms are empty types, so that
/// the tables cost no more than the loops somebody would write by hand.
package protocol TLVForm<Value>: Sendable {
    /// What the form reads and writes.
    associatedtype Value: Sendable

    /// Appends a value's bytes.
    func write(_ value: Value, to bytes: inout [UInt8]) throws(WireError)

    /// The number of bytes `write` appends, where it is known before; else nil.
    func byteCount(_ value: Value) -> Int?

    /// Takes the whole value of a record.
    func read(_ bytes: ArraySlice<UInt8>) throws(WireError) -> Value

    /// Whether a value must not be written.
    func refusesWriting(_ value: Value) -> Bool

    /// Whether a value must not be read.
    func refusesReading(_ value: Value) -> Bool
}

extension TLVForm {
    /// By default the count is known only afterwards.
    package func byteCount(_ value: Value) -> Int? { nil }

    /// By default what may not be read may not be written.
    package func refusesWriting(_ value: Value) -> Bool { refusesReading(value) }

    /// By default every value may be read.
    package func refusesReading(_ value: Value) -> Bool { false }
}

/// Exactly two big-endian bytes that are not 0.
package struct NonZeroU16Form: TLVForm {
    /// Appends the two bytes.
    package func write(_ value: UInt16, to bytes: inout [UInt8]) {
        bytes.append(UInt8(value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    /// Takes exactly two bytes.
    package func read(_ bytes: ArraySlice<UInt8>) throws(WireError) -> UInt16 {
        guard bytes.count == 2 else {
            throw WireError(.length(actual: bytes.count, expected: 2))
        }
        return UInt16(bytes[bytes.startIndex]) << 8 | UInt16(bytes[bytes.startIndex + 1])
    }

    /// Refuses 0.
    package func refusesReading(_ value: UInt16) -> Bool { value == 0 }
}

/// A `protocol_version`: two bytes of any value in reading; 0 is never sent
/// (LCP v0.1 §2 [version-zero-unsent]).
package struct VersionForm: TLVForm {
    /// Whether 0 may be written: only into terms, which are hashed and not sent.
    let allowsZero: Bool

    /// Appends the two bytes.
    package func write(_ value: UInt16, to bytes: inout [UInt8]) {
        NonZeroU16Form().write(value, to: &bytes)
    }

    /// Takes exactly two bytes.
    package func read(_ bytes: ArraySlice<UInt8>) throws(WireError) -> UInt16 {
        try NonZeroU16Form().read(bytes)
    }

    /// Refuses 0 in messages.
    package func refusesWriting(_ value: UInt16) -> Bool { value == 0 && !allowsZero }
}

/// A truncated integer of at most 4 bytes.
package struct TU32Form: TLVForm {
    /// Appends the integer without leading zero bytes.
    package func write(_ value: UInt32, to bytes: inout [UInt8]) {
        TruncatedInteger.append(UInt64(value), to: &bytes)
    }

    /// Takes at most 4 bytes.
    package func read(_ bytes: ArraySlice<UInt8>) throws(WireError) -> UInt32 {
        UInt32(truncatingIfNeeded: try TruncatedInteger.read(bytes, limit: 4))
    }
}

/// A truncated integer of at most 8 bytes that counts millisatoshis.
package struct MsatForm: TLVForm {
    /// Appends the integer without leading zero bytes.
    package func write(_ value: MilliSatoshi, to bytes: inout [UInt8]) {
        TruncatedInteger.append(value.msat, to: &bytes)
    }

    /// Takes at most 8 bytes.
    package func read(_ bytes: ArraySlice<UInt8>) throws(WireError) -> MilliSatoshi {
        MilliSatoshi(msat: try TruncatedInteger.read(bytes, limit: 8))
    }
}

/// A truncated integer of at most 8 bytes that counts seconds since 1970.
package struct UnixTimeForm: TLVForm {
    /// Appends the integer without leading zero bytes.
    package func write(_ value: UnixTime, to bytes: inout [UInt8]) {
        TruncatedInteger.append(value.seconds, to: &bytes)
    }

    /// Takes at most 8 bytes.
    package func read(_ bytes: ArraySlice<UInt8>) throws(WireError) -> UnixTime {
        UnixTime(seconds: try TruncatedInteger.read(bytes, limit: 8))
    }
}

/// Exactly 32 bytes.
package struct Bytes32Form<Value: Identifier32>: TLVForm {
    /// Appends the 32 bytes.
    package func write(_ value: Value, to bytes: inout [UInt8]) {
        value.bytes.append(to: &bytes)
    }

    /// Takes exactly 32 bytes.
    package func read(_ bytes: ArraySlice<UInt8>) throws(WireError) -> Value {
        // BOLT #1 [tlv-value-exact]
        guard let value = Bytes32(bytes) else {
            throw WireError(.length(actual: bytes.count, expected: 32))
        }
        return Value(value)
    }
}

/// Any bytes.
package struct BytesForm: TLVForm {
    /// Appends the bytes.
    package func write(_ value: [UInt8], to bytes: inout [UInt8]) { bytes += value }

    /// As many as there are.
    package func byteCount(_ value: [UInt8]) -> Int? { value.count }

    /// Copies the bytes.
    package func read(_ bytes: ArraySlice<UInt8>) -> [UInt8] { Array(bytes) }
}

/// Text in valid UTF-8, kept byte for byte.
package struct UTF8Form: TLVForm {
    /// Whether there must be some text.
    let isNonEmpty: Bool

    /// Appends the text.
    package func write(_ value: String, to bytes: inout [UInt8]) { bytes += value.utf8 }

    /// As many as the text has in UTF-8.
    package func byteCount(_ value: String) -> Int? { value.utf8.count }

    /// Takes valid UTF-8.
    package func read(_ bytes: ArraySlice<UInt8>) throws(WireError) -> String {
        try Text.read(bytes)
    }

    /// Refuses no text where there must be some.
    package func refusesReading(_ value: String) -> Bool { isNonEmpty && value.isEmpty }
}

/// A `bytes_list` whose items are streams of their own.
package struct ListForm<Item: Sendable>: TLVForm {
    /// The table of one item.
    let codec: MessageCodec<Item>

    /// Appends the count and every item behind its length.
    package func write(_ items: [Item], to bytes: inout [UInt8]) throws(WireError) {
        guard items.count <= List.maximumItems else {
            throw WireError(.tooManyItems(UInt64(items.count)))
        }
        var encoded: [[UInt8]] = []
        for item in items { encoded.append(try codec.encode(item)) }
        List.append(encoded, to: &bytes)
    }

    /// Takes a whole list.
    package func read(_ bytes: ArraySlice<UInt8>) throws(WireError) -> [Item] {
        var items: [Item] = []
        for item in try List.readBytes(bytes) { items.append(try codec.decode(item)) }
        return items
    }
}

// MARK: - The names that tables use

extension TLVForm where Self == NonZeroU16Form {
    /// Exactly two bytes that are not 0.
    package static var nonZeroU16: NonZeroU16Form { NonZeroU16Form() }
}

extension TLVForm where Self == VersionForm {
    /// A `protocol_version` that is sent.
    package static var version: VersionForm { VersionForm(allowsZero: false) }
    /// A `protocol_version` that is only hashed.
    package static var hashedVersion: VersionForm { VersionForm(allowsZero: true) }
}

extension TLVForm where Self == TU32Form {
    /// A truncated integer of at most 4 bytes.
    package static var tu32: TU32Form { TU32Form() }
}

extension TLVForm where Self == MsatForm {
    /// A tu64 of millisatoshis.
    package static var msat: MsatForm { MsatForm() }
}

extension TLVForm where Self == UnixTimeForm {
    /// A tu64 of seconds since 1970.
    package static var unixTime: UnixTimeForm { UnixTimeForm() }
}

extension TLVForm where Self == BytesForm {
    /// Any bytes.
    package static var bytes: BytesForm { BytesForm() }
}

extension TLVForm where Self == UTF8Form {
    /// Text that may be empty.
    package static var utf8: UTF8Form { UTF8Form(isNonEmpty: false) }
    /// Text that must not be empty.
    package static var nonEmptyUTF8: UTF8Form { UTF8Form(isNonEmpty: true) }
}

extension TLVForm {
    /// Exactly 32 bytes.
    package static func bytes32<ID>() -> Bytes32Form<ID> where Self == Bytes32Form<ID> {
        Bytes32Form()
    }

    /// A `bytes_list` whose items are streams of their own.
    package static func list<Item>(
        of codec: MessageCodec<Item>
    ) -> ListForm<Item> where Self == ListForm<Item> {
        ListForm(codec: codec)
    }
}
