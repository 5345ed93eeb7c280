import ArgumentParser
import BridgeProtocol
import BusClient
import LCPInspector

/// `lcp cancel`: gives a job up.
struct Cancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give a job up; money that has not moved yet won't.",
        discussion: """
            Waits up to 5 seconds for the job's end and prints the job as it then stands. A payment \
            that has begun is still followed to its end: see lcp result JOB.

            \(ExitStatus.clientHelp)
            """
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var job: JobArgument

    func run() async throws {
        let key = job.key
        let job = try await bus.withClient { client in
            let job = try await client.cancel(key)
            // The order is durable now; a worker carries it out in some milliseconds.
            let ended = try await within(.seconds(5)) {
                try await client.watch([job.key]) { states in
                    try await states.first { $0.view.stage.isEnd }
                }
            }
            if let ended, let job = ended { return job }
            return try await client.job(job.key)
        }
        try output.show(JSONText(job), title: "job")
    }
}
