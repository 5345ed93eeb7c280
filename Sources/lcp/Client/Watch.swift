import ArgumentParser
import BridgeProtocol
import BusClient
import LCPInspector
import LCPWire
import LightningTypes

/// `lcp watch`: jobs as they change.
struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watch jobs as they change.",
        discussion: """
            On a terminal, a live view of the bridge until Ctrl-C. In a pipe or with --json, one \
            JSON object a line for each change, as lcp jobs prints them. With jobs named, it ends \
            when all of them have.

            \(ExitStatus.clientHelp)
            """
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    @Argument(
        help: ArgumentHelp("Jobs to watch, 64 hex digits each; all without any.", valueName: "job")
    )
    var jobs: [JobID] = []

    func run() async throws {
        let keys = jobs.map { BusJobKey($0) }
        let isLive = !output.json && StandardOutput.isTerminal
        do {
            try await bus.withClient { client in
                try await client.watch(keys) { states in
                    let endsWith = Set(keys.map(\.jobID))
                    if isLive {
                        try await LiveView(client).run(states, endsWith: endsWith)
                    } else {
                        try await Self.printLines(states, endsWith: endsWith)
                    }
                }
            }
        } catch is Interruption where keys.isEmpty {
            // Ctrl-C is how one leaves.
        }
    }

    private static func printLines(
        _ states: JobStates,
        endsWith jobs: Set<Bytes>
    ) async throws {
        var open = jobs
        while jobs.isEmpty || !open.isEmpty, let job = try await states.next() {
            try StandardOutput.write(Array("\(JSONText(job))\n".utf8))
            if job.view.stage.isEnd { open.remove(job.key.jobID) }
        }
    }
}
