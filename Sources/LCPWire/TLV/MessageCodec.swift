/// A message as a table of its records, from which encoding, decoding and error texts follow.
///
/// Unknown records are ignored in reading (LCP v0.1 §2) and never written.
package struct MessageCodec<Message: Sendable>: Sendable {
    /// The types of the table's records, ascending, as they stand on the wire.
    package let types: [UInt64]

    private let appendFields: @Sendable (Message, inout [UInt8]) throws(WireError) -> Void
    private let readFields: @Sendable (inout TLVReader) throws(WireError) -> Message

    /// Declares a message.
    ///
    /// - Parameters:
    ///   - make: Makes the message from its values, in the order of the rows; refuses what breaks a
    ///     rule that spans several records.
    ///   - row: The rows, in ascending order of type.
    package init<each Value>(
        _ make: @escaping @Sendable (repeat each Value) throws(WireError) -> Message,
        _ row: repeat TLVRow<Message, each Value>
    ) {
        var types: [UInt64] = []
        for row in repeat each row { types.append(row.type) }
        self.types = types
        appendFields = { (message, bytes) throws(WireError) in
            // BOLT #1 [tlv-tables-ascend]
            for row in repeat each row { try row.append(message, &bytes) }
        }
        readFields = { (reader) throws(WireError) in
            try make(repeat try (each row).read(&reader))
        }
    }

    /// Whether a type is one of the table's.
    func knows(_ type: UInt64) -> Bool { types.contains(type) }

    /// Appends the message's records.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - bytes: The stream so far; all its types are lower.
    /// - Throws: ``WireError`` when the message must not be written.
    func append(_ message: Message, to bytes: inout [UInt8]) throws(WireError) {
        try appendFields(message, &bytes)
    }

    /// Reads the message's records from a stream whose framing is known to be right.
    ///
    /// - Parameter reader: Stands before the first record of the message.
    /// - Returns: The message.
    /// - Throws: ``WireError`` for the first record that is missing or malformed.
    func read(_ reader: inout TLVReader) throws(WireError) -> Message {
        try readFields(&reader)
    }

    /// Reads a whole stream as this message.
    ///
    /// Framing is checked over the whole stream first, so that the first defect found does not
    /// depend on which records this version knows.
    ///
    /// - Parameter bytes: The stream.
    /// - Returns: The message.
    /// - Throws: ``WireError`` for the first broken rule.
    package func decode(_ bytes: ArraySlice<UInt8>) throws(WireError) -> Message {
        try TLVReader.checkFraming(bytes)
        var reader = TLVReader(bytes)
        return try read(&reader)
    }

    /// Writes the message as a stream of its own.
    ///
    /// - Parameter message: The message.
    /// - Returns: The stream.
    /// - Throws: ``WireError`` when the message must not be written.
    package func encode(_ message: Message) throws(WireError) -> [UInt8] {
        var bytes: [UInt8] = []
        try append(message, to: &bytes)
        return bytes
    }
}
