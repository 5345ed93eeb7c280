/// `POST /v1/chat/completions`: what a client asks for.
///
/// A field that is `null` counts as not there. Whatever this module gives no type of its own is kept
/// in ``others``, so that whoever serves the request can refuse what it does not carry, by name,
/// and nothing meaningful is dropped in silence.
package struct ChatRequest: Equatable, Sendable {
    /// Which model is to answer.
    package var model: String
    /// The conversation, oldest first.
    package var messages: [ChatMessage]
    /// The most tokens of the answer, by the older name.
    package var maxTokens: Int?
    /// The most tokens of the answer, those of a model's reasoning included.
    package var maxCompletionTokens: Int?
    /// 0 to 2; lower is more predictable.
    package var temperature: Double?
    /// The share of probability that tokens are drawn from, 0 to 1.
    package var topP: Double?
    /// Texts that end the answer; nil when the field is not there.
    package var stop: [String]?
    /// -2 to 2; more for new subjects.
    package var presencePenalty: Double?
    /// -2 to 2; more against repetition.
    package var frequencyPenalty: Double?
    /// The same seed asks for the same answer.
    package var seed: Int?
    /// How many answers; nil is one.
    package var n: Int?
    /// Whether the answer comes in chunks.
    package var stream: Bool?
    /// What the chunks hold besides.
    package var streamOptions: StreamOptions?
    /// Every other field that has a value: `tools`, `tool_choice`, `response_format`, `logprobs`,
    /// `user`, and those that are not known here.
    package var others: [String: JSONValue] = [:]

    /// Makes a request with nothing but what it must have.
    package init(model: String, messages: [ChatMessage]) {
        self.model = model
        self.messages = messages
    }
}

extension ChatRequest {
    /// `stream_options`.
    package struct StreamOptions: Equatable, Sendable {
        /// Whether a last chunk tells the usage.
        package var includeUsage: Bool?
        /// Every other field that has a value.
        package var others: [String: JSONValue] = [:]

        /// Takes the one option there is.
        package init(includeUsage: Bool? = nil) { self.includeUsage = includeUsage }
    }

    /// How many tokens the answer may have, whichever name the client used: the smaller of both.
    package var outputTokenLimit: Int? {
        [maxTokens, maxCompletionTokens].compactMap { $0 }.min()
    }
}

extension ChatRequest: Codable {
    private static let known: Set = [
        "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop",
        "presence_penalty", "frequency_penalty", "seed", "n", "stream", "stream_options",
    ]

    /// Reads a request.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: FieldName.self)
        model = try fields.decode(String.self, forKey: FieldName("model"))
        messages = try fields.decode([ChatMessage].self, forKey: FieldName("messages"))
        maxTokens = try fields.value("max_tokens")
        maxCompletionTokens = try fields.value("max_completion_tokens")
        temperature = try fields.value("temperature")
        topP = try fields.value("top_p")
        stop = try fields.value("stop", as: StopTexts.self)?.texts
        presencePenalty = try fields.value("presence_penalty")
        frequencyPenalty = try fields.value("frequency_penalty")
        seed = try fields.value("seed")
        n = try fields.value("n")
        stream = try fields.value("stream")
        streamOptions = try fields.value("stream_options")
        others = try fields.others(than: Self.known)
    }

    /// Writes the fields that have a value.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: FieldName.self)
        try fields.write(model, "model")
        try fields.write(messages, "messages")
        try fields.write(maxTokens, "max_tokens")
        try fields.write(maxCompletionTokens, "max_completion_tokens")
        try fields.write(temperature, "temperature")
        try fields.write(topP, "top_p")
        try fields.write(stop, "stop")
        try fields.write(presencePenalty, "presence_penalty")
        try fields.write(frequencyPenalty, "frequency_penalty")
        try fields.write(seed, "seed")
        try fields.write(n, "n")
        try fields.write(stream, "stream")
        try fields.write(streamOptions, "stream_options")
        for (name, value) in others { try fields.write(value, name) }
    }
}

extension ChatRequest.StreamOptions: Codable {
    /// Reads the options.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: FieldName.self)
        includeUsage = try fields.value("include_usage")
        others = try fields.others(than: ["include_usage"])
    }

    /// Writes the options that have a value.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: FieldName.self)
        try fields.write(includeUsage, "include_usage")
        for (name, value) in others { try fields.write(value, name) }
    }
}

/// `stop` on the wire: one text or a list of them.
private struct StopTexts: Decodable {
    let texts: [String]

    init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if let text = try? single.decode(String.self) {
            texts = [text]
        } else {
            texts = try single.decode([String].self)
        }
    }
}
