extension V01 {
    /// `lcp_quote_request`: a job, and the question what it costs (LCP v0.1 §5.2).
    ///
    /// Exists only when it is valid, so that nobody has to ask again. The envelope (§4.1) travels
    /// beside the body.
    package struct QuoteRequest: Equatable, Sendable {
        /// The kind of task; never empty.
        package let taskKind: String
        /// What to work on; for `llm.chat` a prompt in UTF-8.
        package let input: [UInt8]
        /// For `llm.chat` a params stream; opaque for other kinds, and nil when absent.
        package let params: [UInt8]?
        /// The params of an `llm.chat` task, decoded; nil for other kinds.
        package let chatParams: LLMChatParams?

        /// Makes a request.
        ///
        /// - Parameters:
        ///   - taskKind: The kind of task; an empty one is refused in encoding.
        ///   - input: What to work on.
        ///   - params: The raw params.
        /// - Throws: ``WireError`` when the kind is `llm.chat` and the input is not UTF-8, or the
        ///   params are absent or not a valid params stream.
        package init(taskKind: String, input: [UInt8], params: [UInt8]?) throws(WireError) {
            // LCP v0.1 §5.2.1 [chat-input-is-utf8]
            if taskKind == V01.llmChat, !Text.isValid(input) {
                throw WireError(.notUTF8, record: .init(type: 21, name: "input"))
            }
            chatParams = try LLMChatParams(decoding: params, of: taskKind)
            self.taskKind = taskKind
            self.input = input
            self.params = params
        }

        /// The table of `lcp_quote_request`.
        package static let codec = MessageCodec<QuoteRequest>(
            { (kind, input, params) throws(WireError) in
                try QuoteRequest(taskKind: kind, input: input, params: params)
            },
            // LCP v0.1 §5.2 [request-records]
            TLV.required(20, "task_kind", \.taskKind, .nonEmptyUTF8),
            TLV.required(21, "input", \.input, .bytes),
            TLV.optional(22, "params", \.params, .bytes)
        )
    }
}
