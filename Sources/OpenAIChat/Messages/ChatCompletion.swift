/// The answer to a ``ChatRequest`` that did not ask for chunks.
package struct ChatCompletion: Equatable, Sendable {
    /// The server's name for this answer: `chatcmpl-…`.
    package var id: String
    /// When it was made, in Unix seconds.
    package var created: Int
    /// Which model answered.
    package var model: String
    /// The answers.
    package var choices: [Choice]
    /// What it took; nil when the server does not say.
    package var usage: TokenUsage?

    /// One answer.
    package struct Choice: Equatable, Sendable {
        /// Its place among the answers, from 0.
        package var index: Int
        /// The answer.
        package var message: ChatMessage
        /// Why it ended.
        package var finishReason: FinishReason?

        /// Takes all of it.
        package init(index: Int = 0, message: ChatMessage, finishReason: FinishReason?) {
            self.index = index
            self.message = message
            self.finishReason = finishReason
        }
    }

    /// Takes all of it.
    package init(
        id: String,
        created: Int,
        model: String,
        choices: [Choice],
        usage: TokenUsage?
    ) {
        self.id = id
        self.created = created
        self.model = model
        self.choices = choices
        self.usage = usage
    }
}

/// Why an answer ended; servers have reasons of their own.
package struct FinishReason: RawRepresentable, Hashable, Sendable, Codable {
    /// As it is sent.
    package var rawValue: String

    /// Takes any text.
    package init(rawValue: String) { self.rawValue = rawValue }

    /// The model had said everything, or a stop text came.
    package static let stop = FinishReason(rawValue: "stop")
    /// The limit of tokens, or another of length, was reached.
    package static let length = FinishReason(rawValue: "length")
    /// A filter cut it.
    package static let contentFilter = FinishReason(rawValue: "content_filter")
    /// The model wants a tool to be called.
    package static let toolCalls = FinishReason(rawValue: "tool_calls")
}

extension ChatCompletion: Codable {
    private enum CodingKeys: String, CodingKey {
        case id, object, created, model, choices, usage
    }

    /// Reads an answer; only its choices must be there.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            id: try fields.decodeIfPresent(String.self, forKey: .id) ?? "",
            created: try fields.decodeIfPresent(Int.self, forKey: .created) ?? 0,
            model: try fields.decodeIfPresent(String.self, forKey: .model) ?? "",
            choices: try fields.decode([Choice].self, forKey: .choices),
            usage: try fields.decodeIfPresent(TokenUsage.self, forKey: .usage)
        )
    }

    /// Writes the answer as an object `chat.completion`.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(id, forKey: .id)
        try fields.encode("chat.completion", forKey: .object)
        try fields.encode(created, forKey: .created)
        try fields.encode(model, forKey: .model)
        try fields.encode(choices, forKey: .choices)
        try fields.encodeIfPresent(usage, forKey: .usage)
    }
}

extension ChatCompletion.Choice: Codable {
    private enum CodingKeys: String, CodingKey {
        case index, message
        case finishReason = "finish_reason"
    }

    /// Reads an answer; a missing index is 0.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            index: try fields.decodeIfPresent(Int.self, forKey: .index) ?? 0,
            message: try fields.decode(ChatMessage.self, forKey: .message),
            finishReason: try fields.decodeIfPresent(FinishReason.self, forKey: .finishReason)
        )
    }
}
