import ArgumentParser
import Gateway
import Logging

/// Where the gateway listens and who may use it.
struct FrontOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A gateway.yaml.", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp("The bridge's bus directory; also $LCP_BUS_DIR.", valueName: "path")
    )
    var busDir = "/run/lcp"

    @Option(
        help: ArgumentHelp(
            "Where to listen. An address that others can reach needs --keys.",
            valueName: "host:port"
        )
    )
    var listen = ListenAddress()

    @Option(
        help: ArgumentHelp(
            "The file of the clients' keys; see lcp-gateway keys. Everybody is let in without.",
            valueName: "path"
        )
    )
    var keys: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Web pages of this origin may use the gateway; * for all, repeat for more.",
            valueName: "origin"
        )
    )
    var corsOrigin: [String] = []

    @Flag(help: "Serve /metrics in Prometheus' text format, to everybody who can connect.")
    var metrics = false

    @Option(help: ArgumentHelp("The least important lines to log.", valueName: "level"))
    var logLevel = LogLevel.info

    /// The file of the keys; nil when everybody is let in.
    var keyFile: KeyFile? { keys.map { KeyFile(path: $0) } }

    func apply(to options: inout GatewayOptions) {
        options.host = listen.host
        options.port = listen.port
        options.origins = Set(corsOrigin)
        options.hasMetrics = metrics
    }
}

/// `127.0.0.1:8080`, `[::1]:8080`, `gateway.example:80`.
struct ListenAddress: ExpressibleByArgument {
    var host = "127.0.0.1"
    var port = 8_080

    init() {}

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"),
            let port = UInt16(argument[argument.index(after: colon)...])
        else { return nil }
        var host = argument[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        self.host = String(host)
        self.port = Int(port)
    }

    var defaultValueDescription: String { "\(host):\(port)" }
}

/// How important a line must be to be logged.
enum LogLevel: String, ExpressibleByArgument, CaseIterable {
    case trace, debug, info, notice, warning, error, critical

    /// The same for the logger.
    var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}
