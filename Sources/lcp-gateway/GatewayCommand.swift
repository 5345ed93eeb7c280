import ArgumentParser
import BuildInfo
import BusClient
import Gateway
import Glibc
import Logging
import ServiceLifecycle
import ServiceNotify
import Settings
import UnixSignals

/// `lcp-gateway`: OpenAI's chat completions, bought over Lightning.
@main
struct GatewayCommand: ConfiguredProgram {
    static var plan: SettingsPlan {
        var plan = SettingsPlan(program: "lcp-gateway")
        plan.keys = ["model": "models", "peer": "peers", "cors-origin": "cors_origins"]
        return plan
    }
    static let configuration = CommandConfiguration(
        commandName: "lcp-gateway",
        abstract: "Serve OpenAI's chat completions from jobs that are bought over Lightning.",
        discussion: """
            A client of lcp-bridge that keeps nothing but its clients' keys: it may be killed at any \
            moment, and a request that is repeated gets the answer that was paid for. SIGTERM lets \
            requests under way finish.

            PATHS
              POST /v1/chat/completions   GET /v1/models, /v1/models/MODEL   GET /health, /metrics

            EXAMPLE
              lcp-gateway --bus-dir /run/lcp
              curl http://127.0.0.1:8080/v1/chat/completions -H 'content-type: application/json' \\
                -d '{"model":"small","messages":[{"role":"user","content":"Say hello."}]}'

            GATEWAY.YAML
              listen: 127.0.0.1:8080
              keys: /var/lib/lcp-gateway/keys.jsonl
              models: [gpt-small=small, gpt-big=large@02ab…]   # name=profile, or of one peer
              max_price: 100                                   # sat a request

            Each option is also a variable, `LCP_GATEWAY_LISTEN`, and a key of the file that --config \
            names; see `lcp-gateway help config`.

            \(ExitStatus.help)
            """,
        version: BuildInfo.description,
        subcommands: [KeysCommand.self, ConfigurationCommand<Self>.self]
    )

    @OptionGroup var front: FrontOptions
    @OptionGroup(title: "Whom to ask, and for how much") var buying: BuyingOptions

    static func main() async { await start() }

    func validate() throws { _ = try options() }

    func check() throws {
        guard let keys = front.keyFile else { return }
        do { _ = try keys.read() } catch {
            throw ConfigurationError(.invalidValue, "keys: \(error)")
        }
    }

    func run() async throws {
        // A reader of our standard error, or a client, that goes away must not end the process.
        signal(SIGPIPE, SIG_IGN)
        var logger = Logger(label: "lcp-gateway") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = front.logLevel.level
        do {
            let options = try options()
            let gateway = Gateway(
                client: try await BusClient(directory: front.busDir),
                keys: try front.keyFile.map { try KeyRing($0, logger: logger) }
                    ?? .openToEverybody(logger: logger),
                options: options,
                notifier: .ofThisProcess(),
                logger: logger
            )
            try await serve(gateway, options, logger)
        } catch {
            logger.critical("the gateway ended", metadata: ["error": "\(error)"])
            throw ExitStatus(error).code
        }
    }

    private func serve(_ gateway: Gateway, _ options: GatewayOptions, _ logger: Logger) async throws
    {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        var configuration = ServiceGroupConfiguration(
            services: gateway.services.map {
                .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet
        )
        configuration.maximumGracefulShutdownDuration = options.purchases.drain + .seconds(5)
        try await ServiceGroup(configuration: configuration).run()
    }

    private func options() throws -> GatewayOptions {
        var options = GatewayOptions()
        front.apply(to: &options)
        buying.apply(to: &options)
        guard options.isLoopback || front.keys != nil else {
            throw ValidationError(
                """
                --listen \(options.host) can be reached by others: make a key for each client with \
                lcp-gateway keys add, and give their file with --keys.
                """
            )
        }
        return options
    }
}
