import ArgumentParser
import BOLT11
import Bridge
import LightningTypes
import LndRPC

/// Where lnd, the bus and the journal are.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A bridge.yaml.", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp("lnd's gRPC address; also $LCP_LND_ADDRESS.", valueName: "host:port")
    )
    var lndAddress = "localhost:10009"

    @Option(
        help: ArgumentHelp(
            "lnd's tls.cert, or the credential lnd-tls-cert; else the system's roots.",
            valueName: "path"
        )
    )
    var lndTlsCert: String?

    @Option(
        help: ArgumentHelp("The macaroon file, or the credential lnd-macaroon.", valueName: "path")
    )
    var lndMacaroon: String

    @Option(
        help: ArgumentHelp("The directory of the bus sockets; also $LCP_BUS_DIR.", valueName: "dir")
    )
    var busDir = "/run/lcp"

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
        try LndConnection(
            address: lndAddress,
            certificatePath: lndTlsCert,
            macaroonPath: lndMacaroon
        )
    }

    func validate() throws {
        do throws(LndError) { _ = try lnd() } catch { throw ValidationError(error.detail) }
        guard !busDir.isEmpty else {
            throw ValidationError("--bus-dir must not be empty")
        }
        // Arguments and variables can be read by others; so can what is printed of them.
        guard lndMacaroon.contains("/") || Hex.decode(lndMacaroon) == nil else {
            throw ValidationError("--lnd-macaroon takes a file's path, not the macaroon itself")
        }
    }
}

extension PeerAddress: ExpressibleByArgument {
    /// Reads `key@host:port`.
    package init?(argument: String) { self.init(argument) }
}
