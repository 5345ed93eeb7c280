/// One row of a message's table: a record's type, and how it is written and read.
///
/// Closures instead of a generic form: each is compiled for its message and form where the table
/// stands, while code that walks a pack of generic rows asks the runtime for metadata at every step.
package struct TLVRow<Message, Value>: Sendable {
    let type: UInt64
    let append: @Sendable (Message, inout [UInt8]) throws(WireError) -> Void
    let read: @Sendable (inout TLVReader) throws(WireError) -> Value
}

/// A record's type and name, in a form that costs nothing to pass around.
struct TLVRecordName: Sendable {
    /// The TLV type.
    let type: UInt64
    /// The field's name in the specification.
    let name: StaticString

    /// The same for an error.
    var forError: WireError.Record { WireError.Record(type: type, name: "\(name)") }

    /// Refuses a value that is too long for a record.
    func check(_ count: Int) throws(WireError) {
        guard count <= TLVStream.maximumRecordBytes else {
            throw WireError(.recordTooLarge(bytes: UInt64(count)), record: forError)
        }
    }
}

/// Declares the rows of a message's table.
package enum TLV {
    /// A record that must be there.
    ///
    /// - Parameters:
    ///   - type: The TLV type.
    ///   - name: The field's name in the specification.
    ///   - value: Where the value stands in the message.
    ///   - form: How the value is written.
    /// - Returns: The row.
    package static func required<Message, Form: TLVForm>(
        _ type: UInt64,
        _ name: StaticString,
        _ value: @escaping @Sendable (Message) -> Form.Value,
        _ form: Form
    ) -> TLVRow<Message, Form.Value> {
        let record = TLVRecordName(type: type, name: name)
        return TLVRow(
            type: type,
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

    /// A record that may be absent.
    ///
    /// - Parameters:
    ///   - type: The TLV type.
    ///   - name: The field's name in the specification.
    ///   - value: Where the value stands in the message; nil means absent.
    ///   - form: How the value is written.
    /// - Returns: The row.
    package static func optional<Message, Form: TLVForm>(
        _ type: UInt64,
        _ name: StaticString,
        _ value: @escaping @Sendable (Message) -> Form.Value?,
        _ form: Form
    ) -> TLVRow<Message, Form.Value?> {
        let record = TLVRecordName(type: type, name: name)
        return TLVRow(
            type: type,
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

    /// A record of the job envelope, which must not be there.
    ///
    /// - Parameters:
    ///   - type: The TLV type.
    ///   - name: The field's name in the specification.
    /// - Returns: The row; it stands for no value.
    package static func forbidden<Message>(
        _ type: UInt64,
        _ name: StaticString
    ) -> TLVRow<Message, Void> {
        TLVRow(
            type: type,
            append: { (_, _) throws(WireError) in },
            read: { (reader) throws(WireError) in
                guard try reader.value(of: type) == nil else {
                    let record = WireError.Record(type: type, name: "\(name)")
                    throw WireError(.jobScopeInManifest, record: record)
                }
            }
        )
    }
}

extension TLVForm {
    fileprivate func appendRecord(
        _ value: Value,
        _ record: TLVRecordName,
        to bytes: inout [UInt8]
    ) throws(WireError) {
        if refusesWriting(value) { throw WireError(.required, record: record.forError) }
        BigSize.append(record.type, to: &bytes)
        if let count = byteCount(value) {
            try record.check(count)
            BigSize.append(UInt64(count), to: &bytes)
            try write(value, record, to: &bytes)
            return
        }
        // Nearly every value is short: leave one byte for its length and make room when it isn't.
        let place = bytes.endIndex
        bytes.append(0)
        try write(value, record, to: &bytes)
        let count = bytes.endIndex - place - 1
        try record.check(count)
        if count < 0xfd {
            bytes[place] = UInt8(count)
        } else {
            var length: [UInt8] = []
            BigSize.append(UInt64(count), to: &length)
            bytes.replaceSubrange(place...place, with: length)
        }
    }

    private func write(
        _ value: Value,
        _ record: TLVRecordName,
        to bytes: inout [UInt8]
    ) throws(WireError) {
        do {
            try write(value, to: &bytes)
        } catch {
            throw error.inside(record.forError)
        }
    }

    fileprivate func readRecord(
        _ bytes: ArraySlice<UInt8>,
        _ record: TLVRecordName
    ) throws(WireError) -> Value {
        let value: Value
        do {
            value = try read(bytes)
        } catch {
            throw error.inside(record.forError)
        }
        if refusesReading(value) {
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
