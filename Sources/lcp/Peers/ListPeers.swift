import ArgumentParser
import BridgeProtocol
import BusClient
import LCPInspector
import LightningTypes

/// `lcp peers list`, or `lcp peers` alone: who is there, and what each sells.
struct ListPeers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the peers of the bridge's node, and what they offer.",
        discussion: ExitStatus.clientHelp
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "Only peers that offer this profile.")
    var profile: String?

    @Flag(help: "Only peers that are connected.")
    var connected = false

    func run() async throws {
        let (profile, onlyConnected) = (profile, connected)
        let peers = try await bus.withClient { client in
            try await client.peers().filter { peer in
                (!onlyConnected || peer.connected)
                    && (profile == nil || peer.offers.contains { $0.profile == profile })
            }
        }
        try output.show(
            ["peers": .array(peers.map { JSONText($0) })],
            columns: ["PEER", "CONNECTED", "CHANNEL", "OFFERS"],
            peers.map { peer in
                [
                    Hex.encode(peer.id),
                    peer.connected ? "yes" : "no",
                    peer.hasChannel_p ? "yes" : "no",
                    peer.offers.map { $0.profile.isEmpty ? $0.taskKind : $0.profile }
                        .joined(separator: ", "),
                ]
            }
        )
    }
}
