package import LCPCore
import LCPWire
package import LightningTypes
package import Settings

/// What an operator says about a provider, in a file or in flags.
package struct ProviderConfiguration: Equatable, Sendable {
    /// What is sold.
    package var profiles: [ChatProfile] = []
    /// The most output tokens of any job.
    package var maxOutputTokens: UInt32 = 4096
    /// The least a job costs.
    package var minimumPrice = MilliSatoshi(msat: 1000)
    /// Whether prices are rounded up to whole satoshis.
    package var wholeSatoshis = false
    /// To whom.
    package var peers = PeerPolicy()
    /// How long a quote holds, in seconds.
    package var quoteSeconds: UInt64 = 300
    /// How long an execution may take, in seconds from the payment.
    package var executionSeconds: UInt64 = 600
    /// How long a paid answer is kept for those who ask again, in seconds.
    package var answerRetentionSeconds: UInt64 = 86_400

    /// Starts from the defaults, which sell nothing.
    package init() {}

    /// The defaults.
    static let standard = ProviderConfiguration()

    /// The limits of `quote_ttl_seconds`; a day is the longest anybody should hold a price.
    package static let quoteSecondsLimits: ClosedRange<UInt64> = 1...86_400
    /// The limits of `execution_seconds`.
    package static let executionSecondsLimits: ClosedRange<UInt64> = 1...86_400
    /// The limits of `answer_retention_seconds`: from the replay window to a year.
    package static let answerRetentionLimits: ClosedRange<UInt64> = 600...31_536_000
    /// The limits of a minimum price; the highest is far above any job.
    package static let minimumPriceLimits: ClosedRange<UInt64> = 0...100_000_000_000

    /// The rules of the state machine.
    ///
    /// - Returns: Rules that sell at least one profile.
    /// - Throws: ``ConfigurationError`` when nothing is sold, or one profile twice.
    package func rules() throws(ConfigurationError) -> ProviderRules {
        guard !profiles.isEmpty else {
            throw ConfigurationError(
                .missing,
                "nothing is for sale",
                advice: "Name profiles in llm.chat_profiles, or with --profile."
            )
        }
        var names: Set<[UInt8]> = []
        for profile in profiles {
            // By bytes, as on the wire: equal texts may differ in composition.
            guard names.insert([UInt8](profile.name.utf8)).inserted else {
                throw ConfigurationError(.invalidValue, "profile \(profile.name) is there twice")
            }
        }
        var rules = ProviderRules(
            prices: PriceList(
                profiles: profiles,
                maxOutputTokens: maxOutputTokens,
                minimumPrice: minimumPrice,
                wholeSatoshis: wholeSatoshis
            ),
            peers: peers
        )
        rules.quoteSeconds = quoteSeconds
        rules.executionSeconds = executionSeconds
        rules.answerRetentionSeconds = answerRetentionSeconds
        return rules
    }
}
