import ArgumentParser
import BusClient
import Glibc
import LCPInspector

/// `lcp metrics`: a bridge's numbers for Prometheus.
struct Metrics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Print the bridge's numbers in Prometheus' text format, or serve them.",
        discussion: """
            Needs the endpoint query alone, so it can run as a user who can't spend. With --listen, \
            http://127.0.0.1:PORT/metrics is served until a signal comes; while the bridge is away \
            lcp_up is 0. Only addresses of this machine itself are listened to: whoever may read \
            the numbers over a network is for a proxy to decide.

            \(ExitStatus.clientHelp)
            """
    )

    @OptionGroup var bus: BusOptions

    @Option(
        help: ArgumentHelp(
            "Serve them here instead, on this machine's own address.",
            valueName: "127.0.0.1:port"
        )
    )
    var listen: LoopbackAddress?

    @Flag(help: "Print errors as JSON.")
    var json = false

    func run() async throws {
        guard let listen else {
            let figures = try await bus.withClient { try await BridgeFigures(of: $0) }
            return try StandardOutput.write(Array(MetricsText(figures).text.utf8))
        }
        let server = try MetricsServer(listen)
        let notice = "serving http://\(server.address)/metrics\n"
        try StandardOutput.write(Array(notice.utf8), to: STDERR_FILENO)
        do {
            try await bus.withClient { client in
                try await server.run {
                    // A bridge that is away is a fact to be told, too.
                    let figures = try? await within(.seconds(4)) {
                        try await BridgeFigures(of: client)
                    }
                    return (figures ?? nil).map { MetricsText($0).text } ?? MetricsText.absent
                }
            }
        } catch is Interruption {
            // A signal is how one ends it.
        }
    }
}

/// An address of this machine itself: `127.0.0.1:9100`, `[::1]:9100` or `localhost:9100`.
struct LoopbackAddress: ExpressibleByArgument {
    /// The address as sockets take it.
    enum Family: Equatable { case v4(UInt32), v6 }

    let family: Family
    let port: UInt16

    init?(argument: String) {
        guard let place = HostAndPort(argument: argument, lowestPort: 0) else { return nil }
        port = place.port
        switch place.host {
        case "::1": family = .v6
        case "localhost": family = .v4(0x7f00_0001)
        default:
            let parts = place.host.split(separator: ".", omittingEmptySubsequences: false)
                .map { UInt8($0) }
            guard parts.count == 4, parts[0] == 127, !parts.contains(nil) else { return nil }
            family = .v4(parts.reduce(0) { $0 << 8 | UInt32($1 ?? 0) })
        }
    }
}
