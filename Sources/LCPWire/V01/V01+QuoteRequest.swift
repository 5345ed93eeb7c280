extension V01 {
    /// `lcp_quote_request`: a job, and the question what it costs (LCP v0.1 §5.2).
    ///
    /// The envelope (§4.1) travels beside the body.
    package struct QuoteRequest: Equatable, Sendable {
        /// The kind of task; never empty.
        package var taskKind: String
        /// What to work on; for `llm.chat` a prompt in UTF-8.
        package var input: [UInt8]
        /// For `llm.chat` a params stream, required; opaque for other kinds.
        package var params: [UInt8]?

        /// Makes a request.
        package init(taskKind: String, input: [UInt8], params: [UInt8]?) {
            self.taskKind = taskKind
            self.input = input
            self.params = params
        }

        /// The table of `lcp_quote_request`.
        package static let codec = MessageCodec<QuoteRequest>(
            { QuoteRequest(taskKind: $0, input: $1, params: $2) },
            TLV.required(20, "task_kind", \.taskKind, .utf8.nonEmpty),
            TLV.required(21, "input", \.input, .bytes),
            TLV.optional(22, "params", \.params, .bytes),
            check: { (request) throws(WireError) in
                if request.taskKind == V01.llmChat, !Text.isValid(request.input) {
                    throw WireError(.notUTF8, record: .init(type: 21, name: "input"))
                }
                try LLMChatParams.check(request.params, of: request.taskKind)
            }
        )
    }
}
