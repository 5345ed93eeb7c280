package import OpenAIChat

/// How many tokens a job took, by LCP's own rule, since v0.1 tells nobody.
package enum UsageEstimate {
    /// The rule's name in LCP v0.1.
    package static let rule = "approx.v1"

    /// One token for four bytes, rounded up.
    ///
    /// - Parameters:
    ///   - promptBytes: The length of the prompt.
    ///   - answerBytes: The length of the answer.
    /// - Returns: Both counts.
    package static func usage(promptBytes: Int, answerBytes: Int) -> TokenUsage {
        TokenUsage(
            promptTokens: (promptBytes + 3) / 4,
            completionTokens: (answerBytes + 3) / 4
        )
    }
}
