extension V01 {
    /// One entry of a manifest's `supported_tasks`: a kind of task the provider accepts
    /// (LCP v0.1 §5.1).
    package struct TaskTemplate: Equatable, Sendable {
        /// The kind of task; never empty.
        package let taskKind: String
        /// For `llm.chat` a params stream; opaque for other kinds, and nil when absent.
        package let params: [UInt8]?
        /// The params of an `llm.chat` template, decoded; nil for other kinds.
        package let chatParams: LLMChatParams?

        /// Makes a template.
        ///
        /// - Parameters:
        ///   - taskKind: The kind of task; an empty one is refused in encoding.
        ///   - params: The raw params.
        /// - Throws: ``WireError`` when the kind is `llm.chat` and the params are absent or not a
        ///   valid params stream.
        package init(taskKind: String, params: [UInt8]?) throws(WireError) {
            // LCP v0.1 §5.1 [template-chat-params]
            chatParams = try LLMChatParams(decoding: params, of: taskKind)
            self.taskKind = taskKind
            self.params = params
        }

        /// The table of a template, a stream of its own inside the list.
        package static let codec = MessageCodec<TaskTemplate>(
            { (kind, params) throws(WireError) in try TaskTemplate(taskKind: kind, params: params)
            },
            // LCP v0.1 §5.1 [template-task-kind]
            TLV.required(20, "task_kind", \.taskKind, .nonEmptyUTF8),
            TLV.optional(22, "params", \.params, .bytes)
        )

        /// Whether a request is one this template offers (LCP v0.1 §5.1).
        ///
        /// The kinds must be equal; for `llm.chat` the request's params must hold every record of
        /// the template with an equal value. Templates of other kinds match by kind alone.
        ///
        /// - Parameter request: A request that has been decoded or could be encoded.
        /// - Returns: Whether it matches.
        package func matches(_ request: QuoteRequest) -> Bool {
            // Bytes, not Strings: String equality takes canonical equivalents for equal.
            guard taskKind.utf8.elementsEqual(request.taskKind.utf8) else { return false }
            guard taskKind == V01.llmChat else { return true }
            guard let wanted = try? TLVStream.records((params ?? [])[...]),
                let offered = try? TLVStream.records((request.params ?? [])[...])
            else { return false }
            // LCP v0.1 §5.1 [template-match]
            return wanted.allSatisfy(offered.contains)
        }
    }
}
