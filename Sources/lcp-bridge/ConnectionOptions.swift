import ArgumentParser
import BOLT11
import Foundation
import LndRPC

/// Where lnd, the bus and the journal are.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "lnd's gRPC address (default: $LCP_LND_ADDRESS or localhost:10009).",
            valueName: "host:port"
        )
    )
    var lndAddress: String?

    @Option(
        help: ArgumentHelp("lnd's tls.cert; without it the system's roots.", valueName: "path")
    )
    var lndTlsCert: String?

    @Option(help: ArgumentHelp("The macaroon file.", valueName: "path"))
    var lndMacaroon: String

    @Option(
        help: ArgumentHelp(
            "The directory of the bus sockets (default: $LCP_BUS_DIR).",
            valueName: "dir"
        )
    )
    var busDir: String = ProcessInfo.processInfo.environment["LCP_BUS_DIR"] ?? ""

    @Option(help: ArgumentHelp("The journal's file; made when missing.", valueName: "path"))
    var journal: String

    @Option(
        help: ArgumentHelp("Refuse an lnd on another network than this.", valueName: "network")
    )
    var network: Network?

    /// lnd, as the options say.
    var lnd: LndConnection {
        // Checked by `validate`.
        let (host, port) = Self.split(address) ?? ("localhost", 10_009)
        return LndConnection(
            host: host,
            port: port,
            certificatePath: lndTlsCert,
            macaroonPath: lndMacaroon
        )
    }

    private var address: String {
        lndAddress ?? ProcessInfo.processInfo.environment["LCP_LND_ADDRESS"] ?? "localhost:10009"
    }

    func validate() throws {
        guard Self.split(address) != nil else {
            throw ValidationError("--lnd-address \(address) is not HOST:PORT")
        }
        guard !busDir.isEmpty else {
            throw ValidationError("Pass --bus-dir or set LCP_BUS_DIR")
        }
    }

    /// Takes `host:port` or `[IPv6]:port` apart.
    private static func split(_ address: String) -> (String, UInt16)? {
        guard let colon = address.lastIndex(of: ":"),
            let port = UInt16(address[address.index(after: colon)...])
        else { return nil }
        var host = String(address[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return host.isEmpty ? nil : (host, port)
    }
}
