package import GRPCCore
package import SwiftProtobuf

/// Writes a protobuf message as the bytes of one gRPC message.
///
/// The stubs that the gRPC generator writes look for a type of this name; taking it from
/// grpc-swift-protobuf would compile all of protoc with the product.
package struct ProtobufSerializer<Message: SwiftProtobuf.Message>: MessageSerializer {
    /// Makes a serializer; it holds nothing.
    package init() {}

    /// Writes a message.
    ///
    /// - Parameter message: The message; past 2 GiB it can't be written.
    /// - Returns: The bytes of the message, without gRPC's length prefix.
    /// - Throws: `RPCError` with code `internalError`.
    package func serialize<Bytes: GRPCContiguousBytes>(_ message: Message) throws -> Bytes {
        do {
            let bytes: ContiguousBytes<Bytes> = try message.serializedBytes()
            return bytes.wrapped
        } catch {
            // The cause may quote the message, so only its type is named.
            throw RPCError(
                code: .internalError,
                message: "\(Message.protoMessageName) can't be serialized"
            )
        }
    }
}

/// Reads a protobuf message from the bytes of one gRPC message.
package struct ProtobufDeserializer<Message: SwiftProtobuf.Message>: MessageDeserializer {
    /// Makes a deserializer; it holds nothing.
    package init() {}

    /// Reads a message; unknown fields are kept, as protobuf asks.
    ///
    /// - Parameter serializedMessageBytes: The bytes of the message, without gRPC's length prefix.
    /// - Returns: The message.
    /// - Throws: `RPCError` with code `internalError`, as other gRPC libraries do.
    package func deserialize<Bytes: GRPCContiguousBytes>(
        _ serializedMessageBytes: Bytes
    ) throws -> Message {
        do {
            return try Message(serializedBytes: ContiguousBytes(wrapped: serializedMessageBytes))
        } catch {
            throw RPCError(
                code: .internalError,
                message: "the bytes received are not a \(Message.protoMessageName)"
            )
        }
    }
}

/// Makes gRPC's buffers into buffers of SwiftProtobuf, which asks for the same under its own name.
private struct ContiguousBytes<Wrapped: GRPCContiguousBytes>: SwiftProtobufContiguousBytes {
    var wrapped: Wrapped

    init(wrapped: Wrapped) { self.wrapped = wrapped }
    init(repeating byte: UInt8, count: Int) { wrapped = Wrapped(repeating: byte, count: count) }
    init(_ sequence: some Sequence<UInt8>) { wrapped = Wrapped(sequence) }

    var count: Int { wrapped.count }

    func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try wrapped.withUnsafeBytes(body)
    }

    mutating func withUnsafeMutableBytes<Result>(
        _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try wrapped.withUnsafeMutableBytes(body)
    }
}
