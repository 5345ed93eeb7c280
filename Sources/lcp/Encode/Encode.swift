import ArgumentParser

/// `lcp encode`: writes what could be sent.
struct Encode: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encode an LCP message.",
        subcommands: [EncodeMessage.self]
    )
}
