import ArgumentParser
import BOLT11
import Bridge
import BuildInfo
import Glibc
import Journal
import LndRPC
import Logging
import ServiceLifecycle
import ServiceNotify
import Settings
import UnixSignals

/// `lcp-bridge`: the one process beside an lnd that holds its macaroon.
@main
struct BridgeCommand: ConfiguredProgram {
    static var plan: SettingsPlan {
        var plan = SettingsPlan(program: "lcp-bridge")
        plan.credentials = ["lnd-macaroon": "lnd-macaroon", "lnd-tls-cert": "lnd-tls-cert"]
        return plan
    }
    static let configuration = CommandConfiguration(
        commandName: "lcp-bridge",
        abstract: "Connect one lnd to the bus that workers and clients share.",
        discussion: """
            Holds the macaroon, the money limits and the journal. Publishes messages and settlements \
            to workers, carries out what they decide, and may be killed at any moment. Each \
            socket's folder in the bus directory is a right: who can open it has it.

            Each option is also a variable, `LCP_BRIDGE_JOURNAL`, and a key of the file that --config \
            names, `journal`; see `lcp-bridge help config`.

            \(ExitStatus.help)
            """,
        version: BuildInfo.description,
        subcommands: [ConfigurationCommand<Self>.self]
    )

    @OptionGroup(title: "lnd and files") var connection: ConnectionOptions
    @OptionGroup(title: "Other machines") var tcp: TCPOptions
    @OptionGroup(title: "Money") var money: MoneyOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup(title: "Retention") var retention: RetentionOptions

    @Option(
        help: ArgumentHelp(
            "How far a commit goes before it counts: full, or normal for benchmarks.",
            valueName: "level"
        )
    )
    var durability: Journal.Durability = .full

    @Option(help: ArgumentHelp("The least important lines to log.", valueName: "level"))
    var logLevel: LogLevel = .info

    static func main() async { await start() }

    func check() throws {
        do { try connection.lnd().checkFiles() } catch {
            throw ConfigurationError(.invalidValue, error.detail)
        }
    }

    func run() async throws {
        // A reader of our standard error that goes away must not end a process that holds money.
        signal(SIGPIPE, SIG_IGN)
        var logger = Logger(label: "lcp-bridge") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel.level
        let bridge: Bridge
        do {
            bridge = Bridge(try configuration(), logger: logger)
        } catch {
            logger.critical("the bridge did not start", metadata: ["error": "\(error)"])
            throw ExitStatus(error).code
        }
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: bridge, successTerminationBehavior: .gracefullyShutdownGroup)
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        do {
            try await group.run()
        } catch {
            logger.critical("the bridge ended", metadata: ["error": "\(error)"])
            throw ExitStatus(error).code
        }
    }

    private func configuration() throws -> Bridge.Configuration {
        var configuration = Bridge.Configuration(
            lnd: try connection.lnd(),
            busDirectory: connection.busDir,
            journalPath: connection.journal,
            program: "lcp-bridge \(BuildInfo.description)"
        )
        configuration.tcp = try tcp.listener()
        configuration.network = connection.network
        configuration.durability = durability
        configuration.session.keptPeers = connection.providers
        configuration.notifier = .ofThisProcess()
        money.apply(to: &configuration.money)
        limits.apply(to: &configuration)
        retention.apply(to: &configuration)
        return configuration
    }
}

extension Journal.Durability: ExpressibleByArgument {}
extension Network: ExpressibleByArgument {}

/// How important a line must be to be logged.
enum LogLevel: String, ExpressibleByArgument, CaseIterable {
    case trace, debug, info, notice, warning, error, critical

    /// The same for the logger.
    var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}
