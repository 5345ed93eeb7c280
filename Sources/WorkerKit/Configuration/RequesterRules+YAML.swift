import BOLT11
package import LCPCore

// requester.yaml: how long to wait, how often to ask, what to accept.
extension RequesterRules {
    /// Reads a file; what it leaves out keeps its default.
    ///
    /// - Parameter file: Its path; nil takes every default.
    /// - Throws: ``ConfigurationError`` with the line of the first mistake.
    package init(file: String?) throws(ConfigurationError) {
        // The bridge tells the network with each step.
        self.init(network: .mainnet)
        if let file { try read(.read(file)) }
    }

    /// Reads the text of a file.
    ///
    /// - Parameters:
    ///   - yaml: The text.
    ///   - file: The name to put into errors.
    /// - Throws: ``ConfigurationError`` with the line of the first mistake.
    package init(yaml: String, file: String) throws(ConfigurationError) {
        self.init(network: .mainnet)
        try read(.parse(yaml, file: file))
    }

    private mutating func read(_ table: ConfigurationTable) throws(ConfigurationError) {
        try table.allow(
            only: [
                "quote_wait_seconds", "quote_attempts", "payment_margin_seconds",
                "expiry_skew_seconds", "max_final_cltv", "answer_seconds", "repeat_seconds",
                "retention_seconds",
            ]
        )
        try table.set("quote_wait_seconds", in: 1...600, &quoteWaitSeconds)
        try table.set("quote_attempts", in: 1...16, &quoteAttempts)
        try table.set("payment_margin_seconds", in: 0...86_400, &paymentMarginSeconds)
        try table.set("expiry_skew_seconds", in: 0...60, &expirySkewSeconds)
        try table.set("max_final_cltv", in: 18...2016, &maxFinalCLTV)
        try table.set("answer_seconds", in: 10...604_800, &answerSeconds)
        // Below the pause between repeats the job would be woken without being allowed to ask.
        try table.set("repeat_seconds", in: repeatPauseSeconds...86_400, &repeatSeconds)
        try table.set("retention_seconds", in: 600...31_536_000, &retentionSeconds)
    }
}
