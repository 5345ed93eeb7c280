import ArgumentParser

/// `lcp peers`: who is there, and who shall be.
struct PeersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peers",
        abstract: "List the node's peers and what they offer; connect and disconnect.",
        discussion: ExitStatus.clientHelp,
        subcommands: [ListPeers.self, ConnectPeer.self, DisconnectPeer.self],
        defaultSubcommand: ListPeers.self
    )
}
