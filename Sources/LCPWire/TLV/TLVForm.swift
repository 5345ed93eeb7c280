package import LightningTypes

/// How one kind of value stands in a TLV record, such as a tu64, 32 bytes or UTF-8 text.
///
/// `read` refuses every encoding that `write` would not produce. A class only because the tables
/// hand forms from closure to closure, and one reference costs less than four.
package final class TLVForm<Value: Sendable>: Sendable {
    /// Appends the value's bytes.
    let write: @Sendable (Value, inout [UInt8]) throws(WireError) -> Void
    /// Takes the whole value of a record.
    let read: @Sendable (ArraySlice<UInt8>) throws(WireError) -> Value
    /// Values that are refused although they could be written.
    let isRefused: (@Sendable (Value) -> Bool)?
    /// Whether such values are refused in reading too, or only in writing.
    let refusesReading: Bool

    init(
        write: @escaping @Sendable (Value, inout [UInt8]) throws(WireError) -> Void,
        read: @escaping @Sendable (ArraySlice<UInt8>) throws(WireError) -> Value,
        isRefused: (@Sendable (Value) -> Bool)? = nil,
        refusesReading: Bool = true
    ) {
        self.write = write
        self.read = read
        self.isRefused = isRefused
        self.refusesReading = refusesReading
    }
}

extension TLVForm where Value == UInt16 {
    /// Exactly two big-endian bytes.
    package static let u16 = TLVForm(
        write: { (value, bytes) throws(WireError) in
            bytes.append(UInt8(value >> 8))
            bytes.append(UInt8(truncatingIfNeeded: value))
        },
        read: { (bytes) throws(WireError) in
            guard bytes.count == 2 else {
                throw WireError(.length(actual: bytes.count, expected: 2))
            }
            return UInt16(bytes[bytes.startIndex]) << 8 | UInt16(bytes[bytes.startIndex + 1])
        }
    )
}

extension TLVForm where Value == UInt32 {
    /// A truncated integer of at most 4 bytes.
    package static let tu32 = TLVForm(
        write: { (value, bytes) throws(WireError) in
            TruncatedInteger.append(UInt64(value), to: &bytes)
        },
        read: { (bytes) throws(WireError) in
            UInt32(truncatingIfNeeded: try TruncatedInteger.read(bytes, limit: 4))
        }
    )
}

extension TLVForm where Value == MilliSatoshi {
    /// A tu64 of millisatoshis.
    package static let msat = TLVForm(
        write: { (value, bytes) throws(WireError) in
            TruncatedInteger.append(value.msat, to: &bytes)
        },
        read: { (bytes) throws(WireError) in
            MilliSatoshi(msat: try TruncatedInteger.read(bytes, limit: 8))
        }
    )
}

extension TLVForm where Value == UnixTime {
    /// A tu64 of seconds since 1970.
    package static let unixTime = TLVForm(
        write: { (value, bytes) throws(WireError) in
            TruncatedInteger.append(value.seconds, to: &bytes)
        },
        read: { (bytes) throws(WireError) in
            UnixTime(seconds: try TruncatedInteger.read(bytes, limit: 8))
        }
    )
}

extension TLVForm where Value: Identifier32 {
    /// Exactly 32 bytes.
    package static var bytes32: TLVForm {
        TLVForm(
            write: { (value, bytes) throws(WireError) in value.bytes.append(to: &bytes) },
            read: { (bytes) throws(WireError) in
                guard let value = Bytes32(bytes) else {
                    throw WireError(.length(actual: bytes.count, expected: 32))
                }
                return Value(value)
            }
        )
    }
}

extension TLVForm where Value == [UInt8] {
    /// Any bytes.
    package static let bytes = TLVForm(
        write: { (value, bytes) throws(WireError) in bytes += value },
        read: { (bytes) throws(WireError) in Array(bytes) }
    )
}

extension TLVForm where Value == String {
    /// Text in valid UTF-8, kept byte for byte.
    package static let utf8 = TLVForm(
        write: { (value, bytes) throws(WireError) in bytes += value.utf8 },
        read: { (bytes) throws(WireError) in try Text.read(bytes) }
    )
}

extension TLVForm {
    /// A `bytes_list` whose items are streams of their own.
    package static func list<Item: Sendable>(of codec: MessageCodec<Item>) -> TLVForm
    where Value == [Item] {
        TLVForm(
            write: { (items, bytes) throws(WireError) in
                guard items.count <= List.maximumItems else {
                    throw WireError(.tooManyItems(UInt64(items.count)))
                }
                BigSize.append(UInt64(items.count), to: &bytes)
                for item in items {
                    let item = try codec.encode(item)
                    BigSize.append(UInt64(item.count), to: &bytes)
                    bytes += item
                }
            },
            read: { (bytes) throws(WireError) in
                var items: [Item] = []
                for item in try List.readBytes(bytes) {
                    items.append(try codec.decode(item))
                }
                return items
            }
        )
    }
}

extension TLVForm where Value: Collection {
    /// The same form, refusing what is empty.
    package var nonEmpty: TLVForm {
        TLVForm(write: write, read: read, isRefused: { $0.isEmpty })
    }
}

extension TLVForm where Value: FixedWidthInteger {
    /// The same form, refusing 0.
    package var nonZero: TLVForm {
        TLVForm(write: write, read: read, isRefused: { $0 == 0 })
    }

    /// The same form, reading 0 but never writing it.
    package var neverWrittenAsZero: TLVForm {
        TLVForm(write: write, read: read, isRefused: { $0 == 0 }, refusesReading: false)
    }
}
