import Compute
import Settings

// What no option can say: the models of compute.yaml's profiles and what they are told, by the
// reference implementation's keys.
extension OpenAIProfile {
    /// The profiles of a file, by name.
    ///
    /// - Throws: ``ConfigurationError`` with the line of the first mistake.
    static func all(
        in file: ConfigurationTable?
    ) throws(ConfigurationError) -> [String: OpenAIProfile] {
        guard let tables = try file?.table("llm")?.table("chat_profiles") else { return [:] }
        var profiles: [String: OpenAIProfile] = [:]
        for key in tables.keys {
            guard let table = try tables.table(key) else { continue }
            let name = try table.text("profile") ?? key
            guard profiles[name] == nil else { throw tables.invalid(key, "is there twice") }
            profiles[name] = try OpenAIProfile(name, table)
        }
        return profiles
    }

    private init(_ name: String, _ table: ConfigurationTable) throws(ConfigurationError) {
        let belongsToProvider = "What a profile costs and allows is lcp-provider's business."
        try table.allow(
            only: ["profile", "backend_model", "system_prompt", "openai"],
            elsewhere: [
                "price": belongsToProvider, "max_output_tokens": belongsToProvider,
                "temperature_milli": belongsToProvider,
            ]
        )
        self.init(model: try table.text("backend_model") ?? name)
        systemPrompt = try table.text("system_prompt")
        guard let openai = try table.table("openai") else { return }
        try openai.allow(only: [
            "temperature", "top_p", "stop", "presence_penalty", "frequency_penalty", "seed",
        ])
        temperature = try openai.decimal("temperature", in: 0...2)
        topP = try openai.decimal("top_p", in: 0...1)
        stop = try openai.texts("stop")
        guard (1...4).contains(stop?.count ?? 1) else {
            throw openai.invalid("stop", "must be one to four texts")
        }
        presencePenalty = try openai.decimal("presence_penalty", in: -2...2)
        frequencyPenalty = try openai.decimal("frequency_penalty", in: -2...2)
        seed = try openai.integer("seed", in: Int.min...Int.max)
    }
}
