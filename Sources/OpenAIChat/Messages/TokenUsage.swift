/// `usage`: how many tokens a request took, as the server counts them.
package struct TokenUsage: Equatable, Sendable, Codable {
    /// The tokens of the prompt.
    package var promptTokens: Int
    /// The tokens of the answer, those of reasoning included.
    package var completionTokens: Int
    /// Both together.
    package var totalTokens: Int

    /// Takes both counts.
    package init(promptTokens: Int, completionTokens: Int) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        // Foreign counts; a sum that does not fit is as good as the largest.
        let (sum, overflow) = promptTokens.addingReportingOverflow(completionTokens)
        totalTokens = overflow ? .max : sum
    }

    private enum CodingKeys: String, CodingKey {
        case promptTokens = "prompt_tokens"
        case completionTokens = "completion_tokens"
        case totalTokens = "total_tokens"
    }

    /// Reads the counts; one that is missing is 0, because some servers leave out what is.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            promptTokens: try fields.decodeIfPresent(Int.self, forKey: .promptTokens) ?? 0,
            completionTokens: try fields.decodeIfPresent(Int.self, forKey: .completionTokens) ?? 0
        )
    }
}
