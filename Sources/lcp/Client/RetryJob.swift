import ArgumentParser
import BridgeProtocol
import BusClient
import LCPInspector

/// `lcp retry`: gives a parked job another chance.
struct RetryJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Try a job again that was set aside after too many failed attempts.",
        discussion: """
            lcp jobs --parked lists them.

            \(ExitStatus.clientHelp)
            """
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var job: JobArgument

    func run() async throws {
        let key = job.key
        let job = try await bus.withClient { try await $0.retry(key) }
        try output.show(JSONText(job), title: "job")
    }
}
