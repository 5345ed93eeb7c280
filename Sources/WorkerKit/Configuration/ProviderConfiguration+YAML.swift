import LCPCore
import Settings

// What no option can say: the profiles of provider.yaml, each with its prices.
extension ProviderConfiguration {
    /// Takes the profiles over; every other key is an option's.
    mutating func readProfiles(_ file: ConfigurationTable) throws(ConfigurationError) {
        if try file.flag("enabled") == false {
            throw ConfigurationError(
                .invalidValue,
                at: file.place,
                "enabled is false, so nothing is for sale",
                advice: "Remove the line, or don't start lcp-provider."
            )
        }
        guard let profiles = try file.table("llm")?.table("chat_profiles") else { return }
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
