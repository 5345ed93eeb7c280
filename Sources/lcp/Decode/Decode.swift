import ArgumentParser

/// `lcp decode`: explains what somebody sent.
struct Decode: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Explain an LCP message or a Lightning invoice.",
        subcommands: [DecodeMessage.self, DecodeInvoice.self]
    )
}
