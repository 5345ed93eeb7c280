import ArgumentParser
import BridgeProtocol
import BuildInfo
import LCPCore
import Settings
import WorkerKit

@main
struct ProviderCommand: ConfiguredProgram {
    static let plan = ProviderArguments.plan
    static let configuration = CommandConfiguration(
        commandName: "lcp-provider",
        abstract: "Sell compute: quote, wait for the payment, execute, answer.",
        discussion: """
            A stateless worker of lcp-bridge: it keeps nothing, and may be killed at any moment. \
            What it sells comes from a file, from flags, or both; a flag goes before a variable of the \
            environment, and that before the file (see `config`).

            EXAMPLE
              lcp-provider --bus-dir /run/lcp --profile gpt-5.2:1750000:14000000

            PROVIDER.YAML
              quote_ttl_seconds: 300
              execution_seconds: 600
              answer_retention_seconds: 86400
              minimum_price_msat: 1000
              whole_satoshis: false
              llm:
                max_output_tokens: 4096
                chat_profiles:
                  gpt-5.2:
                    price: {input_msat_per_mtok: 1750000, output_msat_per_mtok: 14000000}
                    max_output_tokens: 2048
                    temperature_milli: {min: 0, max: 2000}  # or: refuse
              peers:                  # node IDs; with `allow` nobody else is served
                allow: [02aa…, 03bb…]
                deny: []
                require_channel: false
                max_open_jobs: 16
                requests_per_minute: 60

            \(WorkerArguments.exitStatus)
            """,
        version: BuildInfo.description,
        subcommands: [ConfigurationCommand<Self>.self]
    )

    @OptionGroup var worker: WorkerArguments
    @OptionGroup(title: "What is sold") var offers: ProviderArguments

    static func main() async { await start() }

    func check() throws { _ = try offers.configuration().rules().capabilities() }

    func run() async throws {
        let rules = try offers.configuration().rules()
        var options = worker.options(.provider, program: "lcp-provider \(BuildInfo.description)")
        options.capabilities = try rules.capabilities()
        options.dialects = ProviderSteps.dialects
        let logger = WorkerProgram.logger("lcp-provider", level: worker.logLevel.level)
        let steps = ProviderSteps(rules: rules)
        let service = StepWorker(options: options, handler: steps, logger: logger)
        throw ExitCode(await WorkerProgram.run(service, logger: logger))
    }
}
