/// A piece of an answer that comes in chunks.
package struct ChatCompletionChunk: Equatable, Sendable {
    /// The server's name for the answer, the same in each of its chunks.
    package var id: String
    /// When the answer was begun, in Unix seconds.
    package var created: Int
    /// Which model answers.
    package var model: String
    /// What is new in each answer; none in the chunk that tells the usage.
    package var choices: [Choice]
    /// What it took: in the last chunk, when the request asks for it.
    package var usage: TokenUsage?

    /// What is new in one answer.
    package struct Choice: Equatable, Sendable {
        /// Its place among the answers, from 0.
        package var index: Int
        /// What is new.
        package var delta: Delta
        /// Why it ended; nil while it goes on.
        package var finishReason: FinishReason?

        /// Takes all of it.
        package init(index: Int = 0, delta: Delta, finishReason: FinishReason? = nil) {
            self.index = index
            self.delta = delta
            self.finishReason = finishReason
        }
    }

    /// What is new of a message.
    package struct Delta: Equatable, Sendable, Codable {
        /// Who speaks; in the first chunk.
        package var role: String?
        /// The next piece of text.
        package var content: String?
        /// The next piece of the words in which the model refuses.
        package var refusal: String?

        /// Takes all of it.
        package init(role: String? = nil, content: String? = nil, refusal: String? = nil) {
            self.role = role
            self.content = content
            self.refusal = refusal
        }
    }

    /// Takes all of it.
    package init(
        id: String,
        created: Int,
        model: String,
        choices: [Choice],
        usage: TokenUsage? = nil
    ) {
        self.id = id
        self.created = created
        self.model = model
        self.choices = choices
        self.usage = usage
    }
}

extension ChatCompletionChunk: Codable {
    private enum CodingKeys: String, CodingKey {
        case id, object, created, model, choices, usage
    }

    /// Reads a chunk; whatever is missing is empty.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            id: try fields.decodeIfPresent(String.self, forKey: .id) ?? "",
            created: try fields.decodeIfPresent(Int.self, forKey: .created) ?? 0,
            model: try fields.decodeIfPresent(String.self, forKey: .model) ?? "",
            choices: try fields.decodeIfPresent([Choice].self, forKey: .choices) ?? [],
            usage: try fields.decodeIfPresent(TokenUsage.self, forKey: .usage)
        )
    }

    /// Writes the chunk as an object `chat.completion.chunk`.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(id, forKey: .id)
        try fields.encode("chat.completion.chunk", forKey: .object)
        try fields.encode(created, forKey: .created)
        try fields.encode(model, forKey: .model)
        try fields.encode(choices, forKey: .choices)
        try fields.encodeIfPresent(usage, forKey: .usage)
    }
}

extension ChatCompletionChunk.Choice: Codable {
    private enum CodingKeys: String, CodingKey {
        case index, delta
        case finishReason = "finish_reason"
    }

    /// Reads what is new; a missing index is 0, a missing delta empty.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            index: try fields.decodeIfPresent(Int.self, forKey: .index) ?? 0,
            delta: try fields.decodeIfPresent(ChatCompletionChunk.Delta.self, forKey: .delta)
                ?? ChatCompletionChunk.Delta(),
            finishReason: try fields.decodeIfPresent(FinishReason.self, forKey: .finishReason)
        )
    }

    /// Writes what is new; `finish_reason` is `null` while the answer goes on, as clients expect.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(index, forKey: .index)
        try fields.encode(delta, forKey: .delta)
        try fields.encode(finishReason, forKey: .finishReason)
    }
}
