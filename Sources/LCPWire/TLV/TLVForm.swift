package import LightningTypes

/// How one kind of value stands in a TLV record, such as a tu64, 32 bytes or UTF-8 text.
///
/// `read` refuses every encoding that `write` would not produce.
package struct TLVForm<Value: Sendable>: Sendable {
    /// The number of bytes `write` appends.
    let count: @Sendable (Value) throws(WireError) -> Int
    /// Appends the value's bytes.
    let write: @Sendable (Value, inout [UInt8]) throws(WireError) -> Void
    /// Takes the whole value of a record.
    let read: @Sendable (ArraySlice<UInt8>) throws(WireError) -> Value
    /// Values that are refused although they could be written.
    var isRefused: (@Sendable (Value) -> Bool)?
    /// Whether such values are refused in reading too, or only in writing.
    var refusesReading = true
}

extension TLVForm where Value == UInt16 {
    /// Exactly two big-endian bytes.
    package static let u16 = TLVForm(
        count: { (_) throws(WireError) in 2 },
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
    package static let tu32 = TLVForm<UInt64>.truncated(bytes: 4)
        .mapped(to: { UInt32(truncatingIfNeeded: $0) }, from: { UInt64($0) })
}

extension TLVForm where Value == MilliSatoshi {
    /// A tu64 of millisatoshis.
    package static let msat = TLVForm<UInt64>.truncated(bytes: 8)
        .mapped(to: { MilliSatoshi(msat: $0) }, from: { $0.msat })
}

extension TLVForm where Value == UnixTime {
    /// A tu64 of seconds since 1970.
    package static let unixTime = TLVForm<UInt64>.truncated(bytes: 8)
        .mapped(to: { UnixTime(seconds: $0) }, from: { $0.seconds })
}

extension TLVForm where Value: Identifier32 {
    /// Exactly 32 bytes.
    package static var bytes32: TLVForm {
        TLVForm(
            count: { (_) throws(WireError) in 32 },
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
        count: { (value) throws(WireError) in value.count },
        write: { (value, bytes) throws(WireError) in bytes += value },
        read: { (bytes) throws(WireError) in Array(bytes) }
    )
}

extension TLVForm where Value == String {
    /// Text in valid UTF-8, kept byte for byte.
    package static let utf8 = TLVForm(
        count: { (value) throws(WireError) in value.utf8.count },
        write: { (value, bytes) throws(WireError) in bytes += value.utf8 },
        read: { (bytes) throws(WireError) in try Text.read(bytes) }
    )
}

extension TLVForm {
    /// A `bytes_list` whose items are streams of their own.
    package static func list<Item: Sendable>(of codec: MessageCodec<Item>) -> TLVForm
    where Value == [Item] {
        TLVForm(
            count: { (items) throws(WireError) in
                var sum = BigSize.count(UInt64(items.count))
                for item in items {
                    let count = try codec.count(item)
                    sum += BigSize.count(UInt64(count)) + count
                }
                return sum
            },
            write: { (items, bytes) throws(WireError) in
                guard items.count <= List.maximumItems else {
                    throw WireError(.tooManyItems(UInt64(items.count)))
                }
                BigSize.append(UInt64(items.count), to: &bytes)
                for item in items {
                    BigSize.append(UInt64(try codec.count(item)), to: &bytes)
                    try codec.append(item, to: &bytes)
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

    /// The same form for a value wrapped in another type.
    fileprivate func mapped<Wrapped: Sendable>(
        to wrap: @escaping @Sendable (Value) -> Wrapped,
        from unwrap: @escaping @Sendable (Wrapped) -> Value
    ) -> TLVForm<Wrapped> {
        TLVForm<Wrapped>(
            count: { (value) throws(WireError) in try count(unwrap(value)) },
            write: { (value, bytes) throws(WireError) in try write(unwrap(value), &bytes) },
            read: { (bytes) throws(WireError) in wrap(try read(bytes)) }
        )
    }
}

extension TLVForm where Value == UInt64 {
    fileprivate static func truncated(bytes limit: Int) -> TLVForm {
        TLVForm(
            count: { (value) throws(WireError) in TruncatedInteger.count(value) },
            write: { (value, bytes) throws(WireError) in
                TruncatedInteger.append(value, to: &bytes)
            },
            read: { (bytes) throws(WireError) in
                try TruncatedInteger.read(bytes, limit: limit)
            }
        )
    }
}

extension TLVForm where Value: Collection {
    /// The same form, refusing what is empty.
    package var nonEmpty: TLVForm {
        var form = self
        form.isRefused = { $0.isEmpty }
        return form
    }
}

extension TLVForm where Value: FixedWidthInteger {
    /// The same form, refusing 0.
    package var nonZero: TLVForm {
        var form = self
        form.isRefused = { $0 == 0 }
        return form
    }

    /// The same form, reading 0 but never writing it.
    package var neverWrittenAsZero: TLVForm {
        var form = nonZero
        form.refusesReading = false
        return form
    }
}
