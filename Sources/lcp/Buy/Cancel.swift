import ArgumentParser
import BridgeProtocol
import BusClient
import LCPInspector

/// `lcp cancel`: gives a job up.
struct Cancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give a job up; money that has not moved yet won't.",
        discussion: """
            A payment that has begun is still followed to its end: see lcp result JOB.

            \(ExitStatus.clientHelp)
            """
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var job: JobArgument

    func run() async throws {
        let key = job.key
        let job = try await bus.withClient { try await $0.cancel(key) }
        try output.show(JSONText(job), title: "job")
    }
}
