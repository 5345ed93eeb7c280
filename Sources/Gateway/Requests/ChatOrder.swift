package import Conversation
package import OpenAIChat

/// What a chat request asks for, as far as a job of LCP v0.1 can carry it.
///
/// Nothing is dropped in silence: a field that would change the answer and has no place in a job is
/// refused, and the refusal names it.
package struct ChatOrder: Equatable, Sendable {
    /// Which model is to answer.
    package let model: String
    /// What was said so far.
    package let conversation: Conversation
    /// The sampling temperature in thousandths; nil leaves it to the provider.
    package let temperatureMilli: UInt32?
    /// The most tokens of the answer; nil leaves it to the provider.
    package let maxOutputTokens: UInt32?
    /// Whether the answer comes as an event stream.
    package let isStream: Bool
    /// Whether the stream ends with the usage.
    package let wantsUsage: Bool

    /// Reads a request.
    ///
    /// - Throws: `ChatError` `invalid_request_error`, whose `param` is the field to blame.
    package init(_ request: ChatRequest) throws(ChatError) {
        try CarriedFields.check(request)
        guard !request.model.isEmpty else {
            throw Self.invalid("model", "model is empty")
        }
        model = request.model
        conversation = Conversation(try Self.messages(request.messages))
        temperatureMilli = try request.temperature.map { value throws(ChatError) in
            guard (0...2).contains(value) else {
                throw Self.invalid("temperature", "temperature must be 0 to 2")
            }
            return UInt32((value * 1_000).rounded())
        }
        maxOutputTokens = try request.outputTokenLimit.map { limit throws(ChatError) in
            guard let tokens = UInt32(exactly: limit), tokens > 0 else {
                let name = limit == request.maxTokens ? "max_tokens" : "max_completion_tokens"
                throw Self.invalid(name, "\(name) must be 1 to \(UInt32.max)")
            }
            return tokens
        }
        isStream = request.stream ?? false
        wantsUsage = request.streamOptions?.includeUsage ?? false
    }

    private static func messages(
        _ messages: [ChatMessage]
    ) throws(ChatError) -> [Conversation.Message] {
        var said: [Conversation.Message] = []
        for (index, message) in messages.enumerated() {
            let param = "messages[\(index)]"
            let role: Conversation.Role =
                switch message.role {
                case .system, .developer: .system
                case .user: .user
                case .assistant: .assistant
                case .tool: throw CarriedFields.refusal(of: "\(param).role")
                }
            for (name, value) in message.others.sorted(by: { $0.key < $1.key }) {
                guard isSilent(name, value) else {
                    throw CarriedFields.refusal(of: "\(param).\(name)")
                }
            }
            guard let content = message.content else {
                throw invalid("\(param).content", "\(param).content is missing")
            }
            guard let text = content.text else {
                throw CarriedFields.refusal(of: "\(param).content")
            }
            if case .parts(let parts) = content { try check(parts, "\(param).content") }
            said.append(.init(role, text))
        }
        guard said.contains(where: { $0.role != .system && !$0.text.isEmpty }) else {
            throw invalid("messages", "messages has nothing that a user said")
        }
        return said
    }

    /// What earlier answers carry when a client sends them back.
    private static func isSilent(_ field: String, _ value: JSONValue) -> Bool {
        field == "annotations" || (field == "tool_calls" && value == .array([]))
    }

    private static func check(_ parts: [ChatMessage.Part], _ param: String) throws(ChatError) {
        for (index, part) in parts.enumerated() {
            guard case .text(_, let others) = part else { continue }
            // Where a cache may begin is about the price, not about the answer.
            if let name = others.keys.sorted().first(where: { $0 != "cache_control" }) {
                throw CarriedFields.refusal(of: "\(param)[\(index)].\(name)")
            }
        }
    }

    private static func invalid(_ param: String, _ message: String) -> ChatError {
        ChatError(.invalidRequest, message, param: param)
    }
}
