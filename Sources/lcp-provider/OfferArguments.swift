import ArgumentParser
import LCPCore
import LightningTypes
import WorkerKit

/// What is sold, as flags.
struct OfferArguments: ParsableArguments {
    @Option(help: ArgumentHelp("A provider.yaml.", valueName: "file"))
    var config: String?

    @Option(
        name: .customLong("profile"),
        help: ArgumentHelp(
            "A profile to sell, with its prices in msat per million tokens. Repeatable.",
            valueName: "name:input:output"
        )
    )
    var profiles: [ProfileArgument] = []

    @Option(help: ArgumentHelp("The most output tokens of any job. 4096.", valueName: "count"))
    var maxOutputTokens: UInt32?

    @Option(help: ArgumentHelp("The least a job costs. 1000.", valueName: "msat"))
    var minimumPrice: UInt64?

    @Option(help: ArgumentHelp("How long a quote holds. 300.", valueName: "seconds"))
    var quoteTtl: UInt64?

    @Option(help: ArgumentHelp("How long an execution may take. 600.", valueName: "seconds"))
    var executionTime: UInt64?

    func validate() throws {
        typealias Limits = ProviderConfiguration
        if let tokens = maxOutputTokens, tokens == 0 {
            throw ValidationError("--max-output-tokens must be at least 1.")
        }
        try check(minimumPrice, Limits.minimumPriceLimits, "--minimum-price")
        try check(quoteTtl, Limits.quoteSecondsLimits, "--quote-ttl")
        try check(executionTime, Limits.executionSecondsLimits, "--execution-time")
    }

    /// The file's configuration with the flags on top.
    func configuration() throws(ConfigurationError) -> ProviderConfiguration {
        var configuration =
            if let config { try ProviderConfiguration(file: config) } else {
                ProviderConfiguration()
            }
        for profile in profiles.map(\.profile) {
            configuration.profiles.removeAll { $0.name == profile.name }
            configuration.profiles.append(profile)
        }
        if let maxOutputTokens { configuration.maxOutputTokens = maxOutputTokens }
        if let minimumPrice { configuration.minimumPrice = MilliSatoshi(msat: minimumPrice) }
        if let quoteTtl { configuration.quoteSeconds = quoteTtl }
        if let executionTime { configuration.executionSeconds = executionTime }
        return configuration
    }

    private func check(
        _ value: UInt64?,
        _ limits: ClosedRange<UInt64>,
        _ flag: String
    ) throws {
        if let value, !limits.contains(value) {
            throw ValidationError(
                "\(flag) must be \(limits.lowerBound) to \(limits.upperBound)."
            )
        }
    }
}

/// `name:input:output`; the name may hold colons itself.
struct ProfileArgument: ExpressibleByArgument {
    let profile: ChatProfile

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 3, let output = UInt64(parts[parts.count - 1]), output > 0,
            let input = UInt64(parts[parts.count - 2]), input > 0
        else { return nil }
        let name = parts.dropLast(2).joined(separator: ":")
        guard !name.isEmpty else { return nil }
        profile = ChatProfile(
            name: name,
            price: TokenPrice(inputMsatPerMillion: input, outputMsatPerMillion: output)
        )
    }
}
