package import ArgumentParser
import LCPCore
import LightningTypes
package import Settings

/// What is sold, to whom, and for how long a price holds.
package struct ProviderArguments: ParsableArguments {
    /// Where the options stand in provider.yaml: the reference implementation's keys where they
    /// mean the same, and our own.
    package static var plan: SettingsPlan {
        var plan = SettingsPlan(program: "lcp-provider")
        plan.keys = [
            "max-output-tokens": "llm.max_output_tokens",
            "allow-peer": "peers.allow",
            "deny-peer": "peers.deny",
            "require-channel": "peers.require_channel",
            "max-open-jobs": "peers.max_open_jobs",
            "requests-per-minute": "peers.requests_per_minute",
        ]
        plan.tables = ["enabled", "llm.chat_profiles"]
        plan.elsewhere = [
            "supported_llm_chat_profiles": "List the profiles in llm.chat_profiles.",
            "price_table": "Prices belong to their profiles: llm.chat_profiles.NAME.price.",
        ]
        return plan
    }

    @Option(help: ArgumentHelp("A provider.yaml.", valueName: "file"))
    package var config: String?

    @Option(
        name: .customLong("profile"),
        help: ArgumentHelp(
            "A profile to sell, with its prices in msat per million tokens. Repeatable.",
            valueName: "name:input:output"
        )
    )
    var profiles: [ProfileArgument] = []

    @Option(help: ArgumentHelp("The most output tokens of any job.", valueName: "count"))
    var maxOutputTokens = ProviderConfiguration.standard.maxOutputTokens

    @Option(help: ArgumentHelp("The least a job costs.", valueName: "msat"))
    var minimumPriceMsat = ProviderConfiguration.standard.minimumPrice.msat

    @Flag(help: "Round prices up to whole satoshis.")
    var wholeSatoshis = false

    @Option(help: ArgumentHelp("How long a quote holds; 0 for the default.", valueName: "seconds"))
    var quoteTtlSeconds = ProviderConfiguration.standard.quoteSeconds

    @Option(
        help: ArgumentHelp("How long an execution may take after payment.", valueName: "seconds")
    )
    var executionSeconds = ProviderConfiguration.standard.executionSeconds

    @Option(
        help: ArgumentHelp(
            "How long a paid answer is kept for those who ask again.",
            valueName: "seconds"
        )
    )
    var answerRetentionSeconds = ProviderConfiguration.standard.answerRetentionSeconds

    @Option(
        help: ArgumentHelp("Sell to this node and nobody else. Repeatable.", valueName: "node")
    )
    var allowPeer: [NodeArgument] = []

    @Option(help: ArgumentHelp("Never sell to this node. Repeatable.", valueName: "node"))
    var denyPeer: [NodeArgument] = []

    @Flag(help: "Sell only to nodes that have a channel with ours.")
    var requireChannel = ProviderConfiguration.standard.peers.requiresChannel

    @Option(help: ArgumentHelp("The most open jobs of one node.", valueName: "count"))
    var maxOpenJobs = ProviderConfiguration.standard.peers.maxOpenJobs

    @Option(help: ArgumentHelp("The most requests of one node in a minute.", valueName: "count"))
    var requestsPerMinute = ProviderConfiguration.standard.peers.requestsPerMinute

    /// Made by the parser.
    package init() {}

    /// Refuses what makes no sense.
    ///
    /// - Throws: `ValidationError`.
    package func validate() throws {
        typealias Limits = ProviderConfiguration
        try Self.check(maxOutputTokens, 1...UInt32.max, "--max-output-tokens")
        try Self.check(minimumPriceMsat, Limits.minimumPriceLimits, "--minimum-price-msat")
        try Self.check(
            quoteTtlSeconds,
            0...Limits.quoteSecondsLimits.upperBound,
            "--quote-ttl-seconds"
        )
        try Self.check(executionSeconds, Limits.executionSecondsLimits, "--execution-seconds")
        try Self.check(
            answerRetentionSeconds,
            Limits.answerRetentionLimits,
            "--answer-retention-seconds"
        )
        try Self.check(maxOpenJobs, 1...100_000, "--max-open-jobs")
        try Self.check(requestsPerMinute, 1...1_000_000, "--requests-per-minute")
    }

    /// What the options say, and the file's profiles.
    ///
    /// - Returns: The configuration; a profile that is an option replaces the file's of its name.
    /// - Throws: ``ConfigurationError`` with the line of the first mistake in the file.
    package func configuration() throws(ConfigurationError) -> ProviderConfiguration {
        try configuration(file: config.map { path throws(ConfigurationError) in try .read(path) })
    }

    /// What the options say, and the profiles of a file that was read.
    ///
    /// - Parameter file: The file; nil for none.
    /// - Returns: The configuration; a profile that is an option replaces the file's of its name.
    /// - Throws: ``ConfigurationError`` with the line of the first mistake in the file.
    package func configuration(
        file: ConfigurationTable?
    ) throws(ConfigurationError) -> ProviderConfiguration {
        var configuration = ProviderConfiguration()
        if let file {
            try configuration.readProfiles(file)
            if allowPeer.isEmpty, let peers = try file.table("peers"),
                try peers.texts("allow") != nil
            {
                throw peers.invalid("allow", "is empty and would serve nobody")
            }
        }
        for profile in profiles.map(\.profile) {
            configuration.profiles.removeAll { $0.name == profile.name }
            configuration.profiles.append(profile)
        }
        configuration.maxOutputTokens = maxOutputTokens
        configuration.minimumPrice = MilliSatoshi(msat: minimumPriceMsat)
        configuration.wholeSatoshis = wholeSatoshis
        // 0 is the default, as it is for the reference.
        if quoteTtlSeconds > 0 { configuration.quoteSeconds = quoteTtlSeconds }
        configuration.executionSeconds = executionSeconds
        configuration.answerRetentionSeconds = answerRetentionSeconds
        if !allowPeer.isEmpty { configuration.peers.allowed = Set(allowPeer.map(\.node)) }
        configuration.peers.denied = Set(denyPeer.map(\.node))
        configuration.peers.requiresChannel = requireChannel
        configuration.peers.maxOpenJobs = maxOpenJobs
        configuration.peers.requestsPerMinute = requestsPerMinute
        return configuration
    }

    static func check<Value: FixedWidthInteger>(
        _ value: Value,
        _ limits: ClosedRange<Value>,
        _ option: String
    ) throws {
        guard limits.contains(value) else {
            throw ValidationError(
                "\(option) must be \(limits.lowerBound) to \(limits.upperBound)."
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

/// A node's key, as 66 hex digits.
struct NodeArgument: ExpressibleByArgument {
    let node: NodeID

    init?(argument: String) {
        guard let node = NodeID(hex: argument.lowercased()) else { return nil }
        self.node = node
    }
}
