import ArgumentParser
import BridgeProtocol
import BusClient
import LCPInspector
import LCPWire
import LightningTypes

/// `lcp profiles`: what can be bought now, and of whom.
struct ListProfiles: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profiles",
        abstract: "List what connected peers sell, and how much they take.",
        discussion: """
            PROMPT is how many bytes a prompt may have for the peer to receive it. Prices are told \
            by lcp quote.

            \(ExitStatus.clientHelp)
            """
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    @Option(help: ArgumentHelp("Only what this node sells.", valueName: "key"))
    var peer: NodeID?

    @Flag(help: "Also what was sold by peers that are away.")
    var all = false

    /// One thing that one peer sells.
    private struct Listing: Sendable {
        var peer: BusPeer
        var offer: BusOffer
        var promptBytes: Int
    }

    func run() async throws {
        let wanted = peer.map { Bytes($0.bytes) }
        let isWhole = all
        let peers = try await bus.withClient { client in
            try await client.peers().filter { peer in
                (isWhole || peer.connected) && (wanted == nil || wanted == peer.id)
            }
        }
        let listings = try peers.flatMap { peer in
            try peer.offers.map { offer in
                // A task of another kind has params of its own, about as long.
                let profile = offer.profile.isEmpty ? offer.taskKind : offer.profile
                return Listing(
                    peer: peer,
                    offer: offer,
                    promptBytes: PromptLimit.bytes(
                        for: peer,
                        params: try V01.LLMChatParams(profile: profile).encoded()
                    )
                )
            }
        }
        try output.show(
            ["profiles": .array(listings.map { Self.json($0) })],
            columns: ["PROFILE", "TASK", "PROMPT", "CONNECTED", "CHANNEL", "PEER"],
            listings.map { listing in
                [
                    listing.offer.profile, listing.offer.taskKind, "\(listing.promptBytes)",
                    listing.peer.connected ? "yes" : "no",
                    listing.peer.hasChannel_p ? "yes" : "no", Hex.encode(listing.peer.id),
                ]
            }
        )
    }

    private static func json(_ listing: Listing) -> JSONText {
        let peer = listing.peer
        return [
            "profile": .nonEmpty(listing.offer.profile),
            "task_kind": .string(listing.offer.taskKind),
            "peer_id": .hex(peer.id),
            "connected": .bool(peer.connected),
            "has_channel": .bool(peer.hasChannel_p),
            "max_prompt_bytes": .number(listing.promptBytes),
            "max_payload_bytes": peer.maxPayloadBytes == 0
                ? .null : .number(peer.maxPayloadBytes),
            "protocol_version": peer.protocolVersion == 0 ? .null : .number(peer.protocolVersion),
            "manifest_unix": .unix(peer.manifestUnix),
        ]
    }
}
