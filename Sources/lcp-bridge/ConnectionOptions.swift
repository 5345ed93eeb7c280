import ArgumentParser
import BOLT11
import Bridge
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
            "The directory of the bus sockets (default: $LCP_BUS_DIR, else /run/lcp).",
            valueName: "dir"
        )
    )
    var busDir: String = ProcessInfo.processInfo.environment["LCP_BUS_DIR"] ?? "/run/lcp"

    @Option(help: ArgumentHelp("The journal's file; made when missing.", valueName: "path"))
    var journal: String

    @Option(
        help: ArgumentHelp("Refuse an lnd on another network than this.", valueName: "network")
    )
    var network: Network?

    @Option(
        name: .customLong("provider"),
        help: ArgumentHelp(
            "Stay connected to this node; repeat for more. lnd itself forgets peers without channels.",
            valueName: "key@host:port"
        )
    )
    var providers: [PeerAddress] = []

    /// lnd, as the options say.
    ///
    /// - Throws: `LndError` for an address of another form.
    func lnd() throws(LndError) -> LndConnection {
        let environment = ProcessInfo.processInfo.environment["LCP_LND_ADDRESS"]
        return try LndConnection(
            address: lndAddress ?? environment ?? "localhost:10009",
            certificatePath: lndTlsCert,
            macaroonPath: lndMacaroon
        )
    }

    func validate() throws {
        do throws(LndError) { _ = try lnd() } catch { throw ValidationError(error.detail) }
        guard !busDir.isEmpty else {
            throw ValidationError("Pass --bus-dir or set LCP_BUS_DIR")
        }
    }
}

extension PeerAddress: ExpressibleByArgument {
    /// Reads `key@host:port`.
    package init?(argument: String) { self.init(argument) }
}
