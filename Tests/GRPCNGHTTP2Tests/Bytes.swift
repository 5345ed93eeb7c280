import GRPCCore

/// Messages that are their own bytes.
struct BytesSerializer: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes {
        Bytes(message)
    }
}

struct BytesDeserializer: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        bytes.withUnsafeBytes { Array($0) }
    }
}

typealias ServerHandler =
    @Sendable (StreamingServerRequest<[UInt8]>, ServerContext) async throws
    -> StreamingServerResponse<[UInt8]>

/// A service whose methods a test writes down.
struct TestService: RegistrableRPCService {
    var handlers: [String: ServerHandler]

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for (name, handler) in handlers {
            router.registerHandler(
                forMethod: .test(name),
                deserializer: BytesDeserializer(),
                serializer: BytesSerializer()
            ) { request, context in try await handler(request, context) }
        }
    }

    /// Answers each message with itself.
    static let echo: ServerHandler = { request, _ in
        StreamingServerResponse(metadata: request.metadata.custom) { writer in
            for try await message in request.messages { try await writer.write(message) }
            return request.metadata.custom
        }
    }

    /// Answers with the number of messages and bytes received.
    static let count: ServerHandler = { request, _ in
        var messages = 0
        var bytes = 0
        for try await message in request.messages {
            messages += 1
            bytes += message.count
        }
        let answer = Array("\(messages) \(bytes)".utf8)
        return StreamingServerResponse { writer in
            try await writer.write(answer)
            return [:]
        }
    }
}

extension MethodDescriptor {
    static func test(_ name: String) -> MethodDescriptor {
        MethodDescriptor(fullyQualifiedService: "test.Service", method: name)
    }
}

extension Metadata {
    /// What a test put there, without what clients add.
    var custom: Metadata {
        var metadata = Metadata()
        for (key, value) in self where key.hasPrefix("test-") {
            switch value {
            case .string(let text): metadata.addString(text, forKey: key)
            case .binary(let bytes): metadata.addBinary(bytes, forKey: key)
            }
        }
        return metadata
    }
}

extension GRPCClient {
    /// A call with one message each way.
    func call(
        _ method: String,
        _ message: [UInt8],
        metadata: Metadata = [:],
        options: CallOptions = .defaults
    ) async throws -> ClientResponse<[UInt8]> {
        try await unary(
            request: ClientRequest(message: message, metadata: metadata),
            descriptor: .test(method),
            serializer: BytesSerializer(),
            deserializer: BytesDeserializer(),
            options: options
        ) { $0 }
    }

    /// A call with any number of messages each way.
    func stream<R: Sendable>(
        _ method: String,
        metadata: Metadata = [:],
        options: CallOptions = .defaults,
        writing: @escaping @Sendable (RPCWriter<[UInt8]>) async throws -> Void,
        reading: @escaping @Sendable (StreamingClientResponse<[UInt8]>) async throws -> R
    ) async throws -> R {
        try await bidirectionalStreaming(
            request: StreamingClientRequest(metadata: metadata, producer: writing),
            descriptor: .test(method),
            serializer: BytesSerializer(),
            deserializer: BytesDeserializer(),
            options: options,
            onResponse: reading
        )
    }
}
