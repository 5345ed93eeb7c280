import ArgumentParser
import LCPWire
import LightningTypes

/// Who shall do a job, and how.
struct TargetOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Who shall do the job: a node's key; see lcp peers.", valueName: "key")
    )
    var peer: NodeID

    @Option(help: "What the provider shall run, one of its offers.")
    var profile: String

    @Option(
        help: ArgumentHelp(
            "The sampling temperature; the provider's own without.",
            valueName: "0.7"
        )
    )
    var temperature: TemperatureArgument?

    @Option(help: "The most tokens the answer may have; the provider's own limit without.")
    var maxOutputTokens: UInt32?

    func validate() throws {
        guard !profile.isEmpty else { throw ValidationError("--profile is empty.") }
    }

    /// The encoded params (LCP v0.1 §5.2.1).
    func params() throws -> [UInt8] {
        try V01.LLMChatParams(
            profile: profile,
            temperatureMilli: temperature?.milli,
            maxOutputTokens: maxOutputTokens
        )
        .encoded()
    }
}
