import ArgumentParser
import BridgeProtocol
import BusClient
import LCPInspector
import LightningTypes

/// `lcp peers connect`: lets lnd connect to a node.
struct ConnectPeer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "Connect the bridge's node to another, so that jobs can be asked for.",
        discussion: """
            lnd forgets a peer without a channel when the connection breaks; lcp-bridge --provider \
            connects to it again.

            \(ExitStatus.clientHelp)
            """
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: ArgumentHelp("The node and where it listens.", valueName: "key@host:port"))
    var node: NodeAddress

    func run() async throws {
        let node = node
        let peer = try await bus.withClient { client in
            try await client.connect(to: node.id, at: node.address)
        }
        try output.show(JSONText(peer), title: "peer")
    }
}

/// A node with its address, as lnd's users write it.
struct NodeAddress: ExpressibleByArgument {
    let id: NodeID
    let address: String

    init?(argument: String) {
        let parts = argument.split(separator: "@", maxSplits: 1)
        guard parts.count == 2, let id = NodeID(hex: parts[0]),
            let colon = parts[1].lastIndex(of: ":"),
            parts[1][parts[1].index(after: colon)...].allSatisfy(\.isNumber),
            UInt16(parts[1][parts[1].index(after: colon)...]) != nil
        else { return nil }
        self.id = id
        address = String(parts[1])
    }
}
