import ArgumentParser
import BusAddresses
import Glibc
import LCPInspector
import ZeroMQ

/// `lcp remote directory`: a bus directory that names a bridge on another machine.
struct MakeRemoteDirectory: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "directory",
        abstract: "Make a bus directory for a bridge on another machine.",
        discussion: """
            Makes the directory where it is missing, and a key of its own in it. Every program takes \
            it as --bus-dir. The bridge lets it in once the printed line, with the rights you want \
            to give, stands in the file of its --tcp-allow and it was started again.

            \(RemoteHelp.exitCodes)
            """
    )

    @OptionGroup var output: OutputOptions

    @Option(help: ArgumentHelp("Where the bridge listens: its --tcp.", valueName: "host:port"))
    var bridge: BridgeAddress

    @Option(
        help: ArgumentHelp("The bridge's public key; lcp remote key prints it.", valueName: "key"),
        transform: { text in
            guard let key = CurvePublicKey(text) else {
                throw ValidationError("a public key has 40 characters of Z85.")
            }
            return key
        }
    )
    var bridgeKey: CurvePublicKey

    @Argument(help: "The directory.", completion: .directory)
    var directory: String

    func run() throws {
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw CommandError(
                code: "unreadable",
                detail: "\(directory) can't be made: \(String(cString: strerror(errno)))",
                status: ExitCode(73)
            )
        }
        let key = try RemoteHelp.translating { () throws(BusAddressError) in
            try RemoteBridge.create(in: directory, address: bridge, serverKey: bridgeKey)
        }
        try output.show(
            [
                "directory": .string(directory), "bridge": .string(bridge.description),
                "public_key": .string(key.description),
                "allow": .string("compute \(key)"),
            ],
            title: "directory"
        )
    }
}

extension BridgeAddress: ExpressibleByArgument {
    /// Reads `host:port`.
    init?(argument: String) { self.init(argument) }
}
