import ArgumentParser
import BOLT11
import BridgeProtocol
import LCPCore
import LightningTypes
import Settings
import Testing

@testable import WorkerKit

@Suite struct ConfigurationTests {
    private func error(_ yaml: String) -> String? {
        do {
            _ = try provider(yaml)
            return nil
        } catch { return "\(error)" }
    }

    /// What lcp-provider makes of a file.
    private func provider(_ yaml: String, _ flags: [String] = []) throws -> ProviderRules {
        let settings = try settings(ProviderArguments.self, ProviderArguments.plan, yaml, flags)
        return try ProviderArguments.parse(settings.arguments)
            .configuration(file: .parse(yaml, file: "provider.yaml")).rules()
    }

    /// What lcp-requester makes of a file.
    private func requester(_ yaml: String) throws -> RequesterRules {
        let plan = RequesterArguments.plan
        let settings = try settings(RequesterArguments.self, plan, yaml, [])
        return try RequesterArguments.parse(settings.arguments).rules
    }

    private func settings(
        _ program: any ParsableArguments.Type,
        _ plan: SettingsPlan,
        _ yaml: String,
        _ flags: [String]
    ) throws -> Settings {
        try Settings(
            DeclaredOption.all(of: program),
            plan,
            arguments: ["--config", "provider.yaml"] + flags,
            sources: Settings.Sources(
                environment: [:],
                read: { path throws(ConfigurationError) in try .parse(yaml, file: path) },
                exists: { _ in false }
            )
        )
    }

    @Test func `the reference's file is read as it is meant`() throws {
        let yaml = """
            enabled: true
            quote_ttl_seconds: 600
            llm:
              max_output_tokens: 2048
              chat_profiles:
                gpt-5.2:
                  price:
                    input_msat_per_mtok: 1750000
                    cached_input_msat_per_mtok: 175000
                    output_msat_per_mtok: 14000000
                small:
                  profile: qwen3-8b
                  max_output_tokens: 512
                  price: {input_msat_per_mtok: 1, output_msat_per_mtok: 2}
            """
        let rules = try provider(yaml)
        #expect(rules.quoteSeconds == 600)
        #expect(rules.prices.maxOutputTokens == 2048)
        #expect(rules.prices.profiles.keys.sorted() == ["gpt-5.2", "qwen3-8b"])
        let large = try #require(rules.prices.profiles["gpt-5.2"])
        #expect(
            large.price
                == TokenPrice(inputMsatPerMillion: 1_750_000, outputMsatPerMillion: 14_000_000)
        )
        #expect(rules.prices.profiles["qwen3-8b"]?.maxOutputTokens == 512)
        #expect(try rules.capabilities().map(\.profile) == ["gpt-5.2", "qwen3-8b"])
    }

    @Test func `our own keys reach the rules`() throws {
        let node = String(repeating: "02", count: 33)
        let yaml = """
            minimum_price_msat: 5000
            whole_satoshis: true
            execution_seconds: 60
            answer_retention_seconds: 7200
            llm:
              chat_profiles:
                p:
                  price: {input_msat_per_mtok: 1, output_msat_per_mtok: 2}
                  temperature_milli: refuse
                q:
                  price: {input_msat_per_mtok: 1, output_msat_per_mtok: 2}
                  temperature_milli: {min: 100, max: 900}
            peers:
              allow: [\(node)]
              deny: []
              require_channel: true
              max_open_jobs: 3
              requests_per_minute: 9
            """
        let rules = try provider(yaml)
        #expect(rules.prices.minimumPrice == MilliSatoshi(msat: 5000))
        #expect(rules.prices.wholeSatoshis)
        #expect(rules.executionSeconds == 60)
        #expect(rules.answerRetentionSeconds == 7200)
        #expect(rules.prices.profiles["p"]?.temperatureMilli == nil)
        #expect(rules.prices.profiles["q"]?.temperatureMilli == 100...900)
        #expect(rules.peers.allowed == [try #require(NodeID(hex: node))])
        #expect(rules.peers.requiresChannel)
        #expect(rules.peers.maxOpenJobs == 3)
        #expect(rules.peers.requestsPerMinute == 9)
    }

    @Test(arguments: [
        ("", "nothing is for sale. Name profiles in llm.chat_profiles, or with --profile."),
        ("enabled: false", "provider.yaml:1: enabled is false, so nothing is for sale."),
        ("\nqoute_ttl_seconds: 3", "provider.yaml:2: unknown key qoute_ttl_seconds. Known keys: "),
        ("whole_satoshis: yes", "provider.yaml:1: whole_satoshis must be true or false"),
        ("llm:\n  price_table: {}", "provider.yaml:2: unknown key llm.price_table. Prices belong"),
        ("llm: 3", "provider.yaml:1: llm must be a table of keys and values"),
        ("- a", "provider.yaml:1: the file must be a table of keys and values"),
        ("a: [", "provider.yaml:"),
        ("llm: {}\nllm: {}", "provider.yaml:1: the same key twice: "),
        ("{}: 1\nllm: {}\n{}: 1\nllm: {}", "provider.yaml: the same key twice, and keys that"),
        (
            "llm:\n  chat_profiles:\n    p:\n      openai: {}\n",
            "provider.yaml:4: unknown key llm.chat_profiles.p.openai. How a profile is computed"
        ),
        (
            "llm:\n  chat_profiles:\n    p: {}\n",
            "provider.yaml:3: llm.chat_profiles.p.price is missing"
        ),
        (
            "llm:\n  chat_profiles:\n    p:\n      price: {input_msat_per_mtok: 0}\n",
            "provider.yaml:4: llm.chat_profiles.p.price.input_msat_per_mtok must be a whole number"
        ),
        (
            "llm:\n  chat_profiles:\n    p:\n      price: {input_msat_per_mtok: 1}\n",
            "provider.yaml:4: llm.chat_profiles.p.price.output_msat_per_mtok is missing"
        ),
        ("peers:\n  allow: []", "provider.yaml:2: peers.allow is empty and would serve nobody"),
    ])
    func `a mistake is named with its line`(yaml: String, expected: String) throws {
        let said = try #require(error(yaml))
        #expect(said.hasPrefix(expected), "\(said)")
    }

    @Test(arguments: [
        "quote_ttl_seconds: soon", "quote_ttl_seconds: -1", "quote_ttl_seconds: 99999",
        "peers:\n  deny:\n    - 02\n    - xyz", "peers:\n  max_open_jobs: 0",
        "llm:\n  max_output_tokens: 0",
    ])
    func `a value outside its limits is refused`(yaml: String) { #expect(error(yaml) != nil) }

    @Test func `a profile that is a flag replaces the file's of its name`() throws {
        let yaml = """
            llm:
              chat_profiles:
                a: {price: {input_msat_per_mtok: 1, output_msat_per_mtok: 2}}
                b: {price: {input_msat_per_mtok: 3, output_msat_per_mtok: 4}}
            """
        let rules = try provider(yaml, ["--profile", "a:5:6"])
        #expect(rules.prices.profiles["a"]?.price.inputMsatPerMillion == 5)
        #expect(rules.prices.profiles["b"]?.price.inputMsatPerMillion == 3)
    }

    @Test func `two profiles of one name are refused`() throws {
        let price = "{input_msat_per_mtok: 1, output_msat_per_mtok: 2}"
        let yaml = """
            llm:
              chat_profiles:
                a: {profile: p, price: \(price)}
                p: {price: \(price)}
            """
        #expect(error(yaml) == "profile p is there twice")
    }

    @Test func `a requester's file sets what it names and keeps the rest`() throws {
        let rules = try requester("quote_attempts: 2\nanswer_seconds: 30\n")
        #expect(rules.quoteAttempts == 2)
        #expect(rules.answerSeconds == 30)
        #expect(rules.quoteWaitSeconds == RequesterRules(network: .mainnet).quoteWaitSeconds)
        // Below the pause between repeats a job would be woken again and again.
        #expect(throws: (any Error).self) { try requester("repeat_seconds: 9") }
        #expect(throws: ConfigurationError.self) { try requester("quote_attempt: 9") }
    }
}
