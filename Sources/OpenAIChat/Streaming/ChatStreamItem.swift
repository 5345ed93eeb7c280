import FoundationEssentials

/// What an event in a stream of chunks says.
package enum ChatStreamItem: Equatable, Sendable {
    /// The next piece of the answer.
    case chunk(ChatCompletionChunk)
    /// Instead of the rest: the server failed in the middle.
    case error(ChatError)
    /// Nothing more comes.
    case done

    private static let end = Array("[DONE]".utf8)

    /// Reads an event.
    ///
    /// - Throws: ``ChatError`` when it is none of the three.
    package init(_ event: ServerSentEvent) throws(ChatError) {
        guard event.data != Self.end else {
            self = .done
            return
        }
        self = try ChatJSON.decode(ChunkOrError.self, from: Data(event.data)).item
    }

    /// The event that says it.
    ///
    /// - Throws: `EncodingError` for a number that JSON does not have; a chunk has none.
    package func event() throws -> ServerSentEvent {
        switch self {
        case .chunk(let chunk): ServerSentEvent(data: try ChatJSON.encode(chunk))
        case .error(let error): ServerSentEvent(data: try ChatJSON.encode(error))
        case .done: ServerSentEvent(data: Self.end)
        }
    }

    private struct ChunkOrError: Decodable {
        let item: ChatStreamItem

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: FieldName.self)
            // Some servers send `"error": null` in every chunk.
            let isError = try fields.value("error", as: JSONValue.self) != nil
            item =
                isError
                ? .error(try ChatError(from: decoder))
                : .chunk(try ChatCompletionChunk(from: decoder))
        }
    }
}
