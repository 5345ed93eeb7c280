/// One record of a TLV stream as it stands on the wire.
package struct TLVRecord: Equatable, Sendable {
    /// The record's type.
    package var type: UInt64
    /// The record's value, at most 65535 bytes, a view into the stream.
    package var value: ArraySlice<UInt8>

    /// Makes a record.
    package init(type: UInt64, value: ArraySlice<UInt8>) {
        self.type = type
        self.value = value
    }
}

/// A TLV stream (BOLT #1): records of ascending type, each with a length and a value.
package enum TLVStream {
    /// No record may be longer (LCP v0.1 §2); checked before the stream is found too short.
    package static let maximumRecordBytes = 65535

    /// Reads a whole stream, known and unknown records alike.
    ///
    /// - Parameter bytes: The stream; may be empty.
    /// - Returns: Its records in order, at most one for two bytes of input.
    /// - Throws: ``WireError`` for the first record that breaks framing.
    package static func records(_ bytes: ArraySlice<UInt8>) throws(WireError) -> [TLVRecord] {
        var reader = TLVReader(bytes)
        var records: [TLVRecord] = []
        while let record = try reader.next() {
            records.append(TLVRecord(type: record.type, value: reader.bytes[record.place]))
        }
        return records
    }

    /// Writes records as a stream.
    ///
    /// - Parameter records: In ascending order of type, no type twice.
    /// - Returns: The stream.
    /// - Throws: ``WireError`` when the order is wrong or a value is too long.
    package static func encode(_ records: [TLVRecord]) throws(WireError) -> [UInt8] {
        var bytes: [UInt8] = []
        var previous: UInt64?
        for record in records {
            // BOLT #1 [tlv-written-ascending]
            if let previous, record.type <= previous {
                throw WireError(.typeOrder(type: record.type, previous: previous))
            }
            previous = record.type
            guard record.value.count <= maximumRecordBytes else {
                throw WireError(.recordTooLarge(bytes: UInt64(record.value.count)))
            }
            BigSize.append(record.type, to: &bytes)
            BigSize.append(UInt64(record.value.count), to: &bytes)
            bytes += record.value
        }
        return bytes
    }
}

/// Walks over the records of a stream and enforces its framing.
///
/// LCP ignores unknown records of either parity (LCP v0.1 §2), so there is no rule for even types
/// here; order, minimality, duplicates and truncation are fatal for known and unknown alike.
struct TLVReader {
    /// A record that has been read: its type, and where its value stands.
    typealias Record = (type: UInt64, place: Range<Int>)

    private(set) var bytes: ByteReader
    private var previous: UInt64?
    private var peeked: Record?

    init(_ stream: ArraySlice<UInt8>) { bytes = ByteReader(stream) }

    /// Walks over a whole stream and keeps nothing of it but the number of records.
    @discardableResult
    static func checkFraming(_ stream: ArraySlice<UInt8>) throws(WireError) -> Int {
        var reader = TLVReader(stream)
        var count = 0
        while try reader.next() != nil { count += 1 }
        return count
    }

    /// Reads the next record; nil at the end of the stream.
    mutating func next() throws(WireError) -> Record? {
        guard !bytes.isAtEnd else { return nil }
        // BOLT #1 [tlv-type-minimal]
        let type = try bytes.bigSize(.type)
        // BOLT #1 [tlv-ascending] [tlv-once]
        if let previous, type <= previous {
            throw WireError(.typeOrder(type: type, previous: previous))
        }
        previous = type
        // BOLT #1 [tlv-length-minimal]
        let length = try bytes.bigSize(.length)
        // LCP v0.1 §2 [record-limit]
        guard length <= TLVStream.maximumRecordBytes else {
            throw WireError(.recordTooLarge(bytes: length))
        }
        // BOLT #1 [tlv-value-complete]
        guard let place = bytes.skip(length) else { throw WireError(.truncated(.value)) }
        return (type, place)
    }

    /// Skips records below a type and gives the value of the record that has it, if there is one.
    ///
    /// Calls must ask for ascending types.
    mutating func value(of type: UInt64) throws(WireError) -> ArraySlice<UInt8>? {
        while true {
            let upcoming = if let peeked { Optional(peeked) } else { try next() }
            guard let record = upcoming else { return nil }
            // LCP v0.1 §2 [unknown-records-ignored]
            guard record.type <= type else {
                peeked = record
                return nil
            }
            peeked = nil
            if record.type == type { return bytes[record.place] }
        }
    }
}
