extension V01 {
    /// One entry of a manifest's `supported_tasks`: a kind of task the provider accepts
    /// (LCP v0.1 §5.1).
    package struct TaskTemplate: Equatable, Sendable {
        /// The kind of task; never empty.
        package var taskKind: String
        /// For `llm.chat` a params stream, required; opaque for other kinds.
        package var params: [UInt8]?

        /// Makes a template.
        package init(taskKind: String, params: [UInt8]?) {
            self.taskKind = taskKind
            self.params = params
        }

        /// The table of a template, a stream of its own inside the list.
        package static let codec = MessageCodec<TaskTemplate>(
            { TaskTemplate(taskKind: $0, params: $1) },
            TLV.required(20, "task_kind", \.taskKind, .utf8.nonEmpty),
            TLV.optional(22, "params", \.params, .bytes),
            check: { (template) throws(WireError) in
                try LLMChatParams.check(template.params, of: template.taskKind)
            }
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
            return wanted.allSatisfy(offered.contains)
        }
    }
}
