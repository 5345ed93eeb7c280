import ArgumentParser
import BusAddresses
import LCPInspector
import ZeroMQ

/// `lcp remote key`: a key for a bridge.
struct MakeBridgeKey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Make a bridge's secret key and print its public key.",
        discussion: """
            The file is for its owner alone and belongs to lcp-bridge --tcp-key. Whoever connects \
            needs the public key.

            \(RemoteHelp.exitCodes)
            """
    )

    @OptionGroup var output: OutputOptions

    @Argument(help: "The file, which must not exist.", completion: .file())
    var file: String

    func run() throws {
        let keys = try RemoteHelp.translating { () throws(BusAddressError) in
            try KeyFile.create(file)
        }
        try output.show(
            ["file": .string(file), "public_key": .string(keys.publicKey.description)],
            title: "key"
        )
    }
}
