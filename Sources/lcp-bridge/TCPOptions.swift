import ArgumentParser
import Bridge
import BusAddresses

/// How workers and clients on other machines reach the bus.
struct TCPOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Serve other machines too, on this port and the nine behind it; the host may be *.",
            valueName: "host:port"
        )
    )
    var tcp: BridgeAddress?

    @Option(
        help: ArgumentHelp(
            "The file with the bridge's secret key; lcp remote key makes one.",
            valueName: "path"
        )
    )
    var tcpKey: String?

    @Option(
        help: ArgumentHelp(
            "The file of the public keys that are let in, each with its rights.",
            valueName: "path"
        )
    )
    var tcpAllow: String?

    func validate() throws {
        let isWhole = tcp != nil && tcpKey != nil && tcpAllow != nil
        guard isWhole || (tcp == nil && tcpKey == nil && tcpAllow == nil) else {
            throw ValidationError(
                "--tcp, --tcp-key and --tcp-allow belong together: nobody comes in without a key."
            )
        }
    }

    /// The listener, from the files.
    ///
    /// - Returns: nil when other machines are not served.
    /// - Throws: ``BusAddressError``.
    func listener() throws(BusAddressError) -> TCPListener? {
        guard let tcp, let tcpKey, let tcpAllow else { return nil }
        return TCPListener(
            address: tcp,
            keys: try KeyFile.read(tcpKey),
            allowed: try AllowedKeys(path: tcpAllow)
        )
    }
}

extension BridgeAddress: ExpressibleByArgument {
    /// Reads `host:port`.
    init?(argument: String) { self.init(argument) }
}
