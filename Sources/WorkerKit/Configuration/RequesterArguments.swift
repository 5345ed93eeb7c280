package import ArgumentParser
import BOLT11
package import LCPCore
package import Settings

/// How long to wait, how often to ask, what to accept.
package struct RequesterArguments: ParsableArguments {
    /// Each option's key is its name.
    package static var plan: SettingsPlan { SettingsPlan(program: "lcp-requester") }

    /// The bridge tells the network with each step.
    private static let standard = RequesterRules(network: .mainnet)

    @Option(help: ArgumentHelp("A requester.yaml.", valueName: "file"))
    package var config: String?

    @Option(
        help: ArgumentHelp(
            "How long to wait for a quote before asking again.",
            valueName: "seconds"
        )
    )
    var quoteWaitSeconds = Self.standard.quoteWaitSeconds

    @Option(help: ArgumentHelp("How often to ask for a quote.", valueName: "count"))
    var quoteAttempts = Self.standard.quoteAttempts

    @Option(
        help: ArgumentHelp(
            "What must be left of a quote when the last payment may begin.",
            valueName: "seconds"
        )
    )
    var paymentMarginSeconds = Self.standard.paymentMarginSeconds

    @Option(
        help: ArgumentHelp("How much an invoice may outlive its quote.", valueName: "seconds")
    )
    var expirySkewSeconds = Self.standard.expirySkewSeconds

    @Option(help: ArgumentHelp("The most blocks a payee may hold a payment.", valueName: "blocks"))
    var maxFinalCltv = Self.standard.maxFinalCLTV

    @Option(
        help: ArgumentHelp(
            "How long after the payment the job counts as unanswered.",
            valueName: "seconds"
        )
    )
    var answerSeconds = Self.standard.answerSeconds

    @Option(
        help: ArgumentHelp(
            "How long before an overdue answer is asked for, then doubling.",
            valueName: "seconds"
        )
    )
    var repeatSeconds = Self.standard.repeatSeconds

    @Option(help: ArgumentHelp("How long an ended job is kept.", valueName: "seconds"))
    var retentionSeconds = Self.standard.retentionSeconds

    /// Made by the parser.
    package init() {}

    /// Refuses what makes no sense.
    ///
    /// - Throws: `ValidationError`.
    package func validate() throws {
        try ProviderArguments.check(quoteWaitSeconds, 1...600, "--quote-wait-seconds")
        try ProviderArguments.check(quoteAttempts, 1...16, "--quote-attempts")
        try ProviderArguments.check(paymentMarginSeconds, 0...86_400, "--payment-margin-seconds")
        try ProviderArguments.check(expirySkewSeconds, 0...60, "--expiry-skew-seconds")
        try ProviderArguments.check(maxFinalCltv, 18...2016, "--max-final-cltv")
        try ProviderArguments.check(answerSeconds, 10...604_800, "--answer-seconds")
        // Below the pause between repeats the job would be woken without being allowed to ask.
        let pause = Self.standard.repeatPauseSeconds
        try ProviderArguments.check(repeatSeconds, pause...86_400, "--repeat-seconds")
        try ProviderArguments.check(retentionSeconds, 600...31_536_000, "--retention-seconds")
    }

    /// The rules of the state machine.
    package var rules: RequesterRules {
        var rules = Self.standard
        rules.quoteWaitSeconds = quoteWaitSeconds
        rules.quoteAttempts = quoteAttempts
        rules.paymentMarginSeconds = paymentMarginSeconds
        rules.expirySkewSeconds = expirySkewSeconds
        rules.maxFinalCLTV = maxFinalCltv
        rules.answerSeconds = answerSeconds
        rules.repeatSeconds = repeatSeconds
        rules.retentionSeconds = retentionSeconds
        return rules
    }
}
