import LCPCore
import LightningTypes

// provider.yaml: the reference implementation's keys where they mean the same, and our own.
extension ProviderConfiguration {
    /// Reads a file.
    ///
    /// - Parameter file: Its path.
    /// - Throws: ``ConfigurationError`` with the line of the first mistake.
    package init(file: String) throws(ConfigurationError) {
        try self.init(.read(file))
    }

    /// Reads the text of a file.
    ///
    /// - Parameters:
    ///   - yaml: The text.
    ///   - file: The name to put into errors.
    /// - Throws: ``ConfigurationError`` with the line of the first mistake.
    package init(yaml: String, file: String) throws(ConfigurationError) {
        try self.init(.parse(yaml, file: file))
    }

    private init(_ file: ConfigurationTable) throws(ConfigurationError) {
        self.init()
        try file.allow(
            only: [
                "enabled", "quote_ttl_seconds", "llm", "minimum_price_msat", "whole_satoshis",
                "execution_seconds", "answer_retention_seconds", "peers",
            ],
            elsewhere: ["supported_llm_chat_profiles": "List the profiles in llm.chat_profiles."]
        )
        if try file.flag("enabled") == false {
            throw ConfigurationError(
                .invalidValue,
                at: file.place,
                "enabled is false, so nothing is for sale",
                advice: "Remove the line, or don't start lcp-provider."
            )
        }
        let quoteLimits = 0...Self.quoteSecondsLimits.upperBound
        if let seconds = try file.integer("quote_ttl_seconds", in: quoteLimits), seconds > 0 {
            quoteSeconds = seconds  // 0 is the default, as it is for the reference
        }
        try file.set("execution_seconds", in: Self.executionSecondsLimits, &executionSeconds)
        try file.set(
            "answer_retention_seconds",
            in: Self.answerRetentionLimits,
            &answerRetentionSeconds
        )
        if let msat = try file.integer("minimum_price_msat", in: Self.minimumPriceLimits) {
            minimumPrice = MilliSatoshi(msat: msat)
        }
        wholeSatoshis = try file.flag("whole_satoshis") ?? wholeSatoshis
        if let llm = try file.table("llm") { try read(llm) }
        if let peers = try file.table("peers") { try self.peers.read(peers) }
    }

    private mutating func read(_ llm: ConfigurationTable) throws(ConfigurationError) {
        try llm.allow(
            only: ["max_output_tokens", "chat_profiles"],
            elsewhere: [
                "price_table": "Prices belong to their profiles: llm.chat_profiles.NAME.price."
            ]
        )
        try llm.set("max_output_tokens", in: 1...UInt32.max, &maxOutputTokens)
        guard let profiles = try llm.table("chat_profiles") else { return }
        for key in profiles.keys {
            guard let table = try profiles.table(key) else { continue }
            self.profiles.append(try ChatProfile(key, table))
        }
    }
}

extension ChatProfile {
    fileprivate init(_ key: String, _ table: ConfigurationTable) throws(ConfigurationError) {
        let belongsToCompute =
            "How a profile is computed is lcp-compute's business; remove it here."
        try table.allow(
            only: ["profile", "max_output_tokens", "price", "temperature_milli"],
            elsewhere: ["backend_model": belongsToCompute, "openai": belongsToCompute]
        )
        guard let price = try table.table("price") else { throw table.missing("price") }
        let name = try table.text("profile") ?? key
        guard !name.isEmpty else { throw table.invalid("profile", "must not be empty") }
        self.init(
            name: name,
            price: try TokenPrice(price),
            maxOutputTokens: try table.integer("max_output_tokens", in: 1...UInt32.max)
        )
        if table.isWord("refuse", "temperature_milli") {
            temperatureMilli = nil
        } else if let range = try table.table("temperature_milli") {
            try range.allow(only: ["min", "max"])
            let most = try range.integer("max", in: 0...UInt32.max) ?? 2000
            let least = try range.integer("min", in: 0...UInt32.max) ?? 0
            guard least <= most else { throw range.invalid("min", "must not be above max") }
            temperatureMilli = least...most
        }
    }
}

extension TokenPrice {
    fileprivate init(_ table: ConfigurationTable) throws(ConfigurationError) {
        let (input, output) = ("input_msat_per_mtok", "output_msat_per_mtok")
        let cached = "cached_input_msat_per_mtok"
        try table.allow(only: [input, output, cached])
        // No token is known to be cached when a price is quoted, so this one is never charged.
        _ = try table.integer(cached, in: 0...UInt64.max)
        guard let inputRate = try table.integer(input, in: 1...UInt64.max) else {
            throw table.missing(input)
        }
        guard let outputRate = try table.integer(output, in: 1...UInt64.max) else {
            throw table.missing(output)
        }
        self.init(inputMsatPerMillion: inputRate, outputMsatPerMillion: outputRate)
    }
}

extension PeerPolicy {
    fileprivate mutating func read(_ table: ConfigurationTable) throws(ConfigurationError) {
        try table.allow(
            only: ["allow", "deny", "require_channel", "max_open_jobs", "requests_per_minute"]
        )
        let kind = "node IDs, 66 hex digits each"
        if let nodes = try table.list("allow", of: kind, { NodeID(hex: $0) }) {
            guard !nodes.isEmpty else {
                throw table.invalid("allow", "is empty and would serve nobody")
            }
            allowed = Set(nodes)
        }
        if let nodes = try table.list("deny", of: kind, { NodeID(hex: $0) }) {
            denied = Set(nodes)
        }
        requiresChannel = try table.flag("require_channel") ?? requiresChannel
        try table.set("max_open_jobs", in: 1...100_000, &maxOpenJobs)
        try table.set("requests_per_minute", in: 1...1_000_000, &requestsPerMinute)
    }
}

extension ConfigurationTable {
    /// Takes a number over when it is there.
    func set<Value: FixedWidthInteger>(
        _ key: String,
        in range: ClosedRange<Value>,
        _ value: inout Value
    ) throws(ConfigurationError) {
        if let number = try integer(key, in: range) { value = number }
    }
}
