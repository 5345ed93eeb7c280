/// One row of a message's table: a record's type and name, its form, and where it stands in the
/// message.
package struct TLVField<Message, Value: Sendable>: Sendable {
    let record: TLV.RecordName
    let presence: TLV.Presence
    let append: @Sendable (Message, inout [UInt8]) throws(WireError) -> Void
    let read: @Sendable (inout TLVReader) throws(WireError) -> Value
}

/// Declares the rows of a message's table.
package enum TLV {
    /// Whether a record must, may or must not be in a stream.
    package enum Presence: Sendable {
        /// It must be there.
        case required
        /// It may be absent.
        case optional
        /// It must not be there.
        case forbidden
    }

    /// A record's type and name, in a form that costs nothing to pass around.
    struct RecordName: Sendable {
        let type: UInt64
        let name: StaticString

        /// The same for an error.
        var forError: WireError.Record { WireError.Record(type: type, name: "\(name)") }
    }

    /// A record that must be there.
    ///
    /// - Parameters:
    ///   - type: The TLV type.
    ///   - name: The field's name in the specification.
    ///   - value: Where the value stands in the message.
    ///   - form: How the value is written.
    /// - Returns: The row.
    package static func required<Message, Value: Sendable>(
        _ type: UInt64,
        _ name: StaticString,
        _ value: @escaping @Sendable (Message) -> Value,
        _ form: TLVForm<Value>
    ) -> TLVField<Message, Value> {
        let record = RecordName(type: type, name: name)
        return TLVField(
            record: record,
            presence: .required,
            append: { (message, bytes) throws(WireError) in
                try form.appendRecord(value(message), record, to: &bytes)
            },
            read: { (reader) throws(WireError) in
                guard let bytes = try reader.value(of: type) else {
                    throw WireError(.missing, record: record.forError)
                }
                return try form.readRecord(bytes, record)
            }
        )
    }

    /// A record of the job envelope, which must not be there.
    ///
    /// - Parameters:
    ///   - type: The TLV type.
    ///   - name: The field's name in the specification.
    /// - Returns: The row; it stands for no value.
    package static func forbidden<Message>(
        _ type: UInt64,
        _ name: StaticString
    ) -> TLVField<Message, Void> {
        let record = RecordName(type: type, name: name)
        return TLVField(
            record: record,
            presence: .forbidden,
            append: { (_, _) throws(WireError) in },
            read: { (reader) throws(WireError) in
                guard try reader.value(of: type) == nil else {
                    throw WireError(.jobScopeInManifest, record: record.forError)
                }
            }
        )
    }

    /// A record that may be absent.
    ///
    /// - Parameters:
    ///   - type: The TLV type.
    ///   - name: The field's name in the specification.
    ///   - value: Where the value stands in the message; nil means absent.
    ///   - form: How the value is written.
    /// - Returns: The row.
    package static func optional<Message, Value: Sendable>(
        _ type: UInt64,
        _ name: StaticString,
        _ value: @escaping @Sendable (Message) -> Value?,
        _ form: TLVForm<Value>
    ) -> TLVField<Message, Value?> {
        let record = RecordName(type: type, name: name)
        return TLVField(
            record: record,
            presence: .optional,
            append: { (message, bytes) throws(WireError) in
                guard let value = value(message) else { return }
                try form.appendRecord(value, record, to: &bytes)
            },
            read: { (reader) throws(WireError) in
                guard let bytes = try reader.value(of: type) else { return nil }
                return try form.readRecord(bytes, record)
            }
        )
    }
}

extension TLVForm {
    fileprivate func appendRecord(
        _ value: Value,
        _ record: TLV.RecordName,
        to bytes: inout [UInt8]
    ) throws(WireError) {
        if let isRefused, isRefused(value) { throw WireError(.required, record: record.forError) }
        BigSize.append(record.type, to: &bytes)
        // Nearly every value is short: leave one byte for its length and make room when it isn't.
        let place = bytes.endIndex
        bytes.append(0)
        do {
            try write(value, &bytes)
        } catch {
            throw error.inside(record.forError)
        }
        let count = bytes.endIndex - place - 1
        guard count <= TLVStream.maximumRecordBytes else {
            throw WireError(.recordTooLarge(bytes: UInt64(count)), record: record.forError)
        }
        if count < 0xfd {
            bytes[place] = UInt8(count)
        } else {
            var length: [UInt8] = []
            BigSize.append(UInt64(count), to: &length)
            bytes.replaceSubrange(place...place, with: length)
        }
    }

    fileprivate func readRecord(
        _ bytes: ArraySlice<UInt8>,
        _ record: TLV.RecordName
    ) throws(WireError) -> Value {
        let value: Value
        do {
            value = try read(bytes)
        } catch {
            throw error.inside(record.forError)
        }
        if refusesReading, let isRefused, isRefused(value) {
            throw WireError(.required, record: record.forError)
        }
        return value
    }
}

extension WireError {
    /// Adds the record in whose value this error happened.
    ///
    /// A value that breaks its own form is named itself; for a value that holds a list or a stream
    /// it becomes part of the path.
    fileprivate func inside(_ record: Record) -> WireError {
        var error = self
        switch reason {
        case .length, .leadingZero, .integerTooLong, .notUTF8, .required:
            if error.record == nil {
                error.record = record
                return error
            }
        case .truncated, .bigSizeNotMinimal, .typeOrder, .recordTooLarge, .missing,
            .jobScopeInManifest, .tooManyItems, .itemPastEnd, .trailingBytes:
            break
        }
        error.path.insert(record.name, at: 0)
        return error
    }
}
