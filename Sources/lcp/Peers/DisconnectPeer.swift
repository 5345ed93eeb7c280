import ArgumentParser
import BridgeProtocol
import BusClient
import LCPInspector
import LightningTypes

/// `lcp peers disconnect`: lets lnd disconnect a node.
struct DisconnectPeer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disconnect",
        abstract: "Disconnect a node, and leave it alone.",
        discussion: """
            lnd keeps a peer with which there is a channel. A node that the bridge was told to stay \
            connected to (lcp-bridge --provider) is left alone until lcp peers connect, or until \
            the bridge starts again.

            \(ExitStatus.clientHelp)
            """
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: ArgumentHelp("The node's key, 66 hex digits.", valueName: "key"))
    var node: NodeID

    func run() async throws {
        let node = node
        let peer = try await bus.withClient { try await $0.disconnect(from: node) }
        try output.show(JSONText(peer), title: "peer")
    }
}
