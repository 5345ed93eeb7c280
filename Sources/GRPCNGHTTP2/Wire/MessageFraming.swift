package import GRPCCore

/// gRPC's length-prefixed messages: a compressed flag, four bytes of length, the message.
package enum MessageFraming {
    static let prefixSize = 5

    // Below this a copy costs less than a second chunk.
    private static let joinLimit = 16_384

    /// The chunks to send for a message; a large one is not copied.
    package static func frame(_ message: [UInt8]) -> [[UInt8]] {
        var prefix: [UInt8] = [0]
        if message.count <= joinLimit { prefix.reserveCapacity(prefixSize + message.count) }
        let length = UInt32(message.count)
        for shift: UInt32 in [24, 16, 8, 0] {
            prefix.append(UInt8(truncatingIfNeeded: length >> shift))
        }
        guard message.count <= joinLimit else { return [prefix, message] }
        prefix += message
        return [prefix]
    }
}

/// Puts messages together again from bytes split in any way.
package struct MessageDeframer {
    /// The largest message accepted, in bytes.
    package let limit: Int

    private var prefix: [UInt8] = []
    private var message: [UInt8] = []
    private var missing = 0

    /// Begins a stream of messages, none of them larger than the limit in bytes.
    package init(limit: Int) { self.limit = limit }

    /// Whether the bytes so far end in the middle of a message.
    package var isMidMessage: Bool { !prefix.isEmpty }

    /// Takes bytes and returns the messages they complete.
    ///
    /// - Parameter bytes: What follows the bytes of the last call.
    /// - Returns: The messages in order, often none.
    /// - Throws: `resourceExhausted` for a message above the limit, `unimplemented` for a
    ///   compressed one. Nothing more can be read after that.
    package mutating func append(_ bytes: [UInt8]) throws(RPCError) -> [[UInt8]] {
        var messages: [[UInt8]] = []
        var position = 0
        while position < bytes.count {
            if prefix.count < MessageFraming.prefixSize {
                let count = min(MessageFraming.prefixSize - prefix.count, bytes.count - position)
                prefix += bytes[position..<(position + count)]
                position += count
                guard prefix.count == MessageFraming.prefixSize else { break }
                missing = try length()
                message = []
                // The length is a claim: memory follows the bytes that really come.
                message.reserveCapacity(min(missing, 1 << 16))
            }
            let count = min(missing, bytes.count - position)
            bytes.withUnsafeBufferPointer { bytes in
                let part = UnsafeBufferPointer(rebasing: bytes[position..<(position + count)])
                message.append(contentsOf: part)
            }
            position += count
            missing -= count
            guard missing == 0 else { break }
            messages.append(message)
            message = []
            prefix.removeAll(keepingCapacity: true)
        }
        return messages
    }

    private func length() throws(RPCError) -> Int {
        guard prefix[0] == 0 else {
            throw RPCError(
                code: .unimplemented,
                message: "the message is compressed; only identity is supported"
            )
        }
        let length = prefix[1...].reduce(0) { $0 << 8 | Int($1) }
        guard length <= limit else {
            throw .messageTooLarge(length, limit: limit, "received")
        }
        return length
    }
}

extension RPCError {
    /// The error for a message above a limit, on either side.
    static func messageTooLarge(_ size: Int, limit: Int, _ verb: String) -> RPCError {
        RPCError(
            code: .resourceExhausted,
            message: "message of \(size) bytes is larger than the limit of \(limit) bytes for "
                + "messages \(verb)"
        )
    }
}
