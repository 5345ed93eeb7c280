import ArgumentParser
import BridgeProtocol
import BusClient

/// `lcp result`: the answer of a job, now or when it is there.
struct FetchResult: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "result",
        abstract: "Print the answer of a job, and wait for it if need be.",
        discussion: """
            Prints what lcp ask prints, from any terminal. A quote that nobody has accepted is not \
            bought: that is lcp accept.

            \(ExitStatus.buyingHelp)
            """
    )

    @OptionGroup var options: PurchaseOptions
    @OptionGroup var job: JobArgument

    @Flag(name: .customLong("no-wait"), help: "Print what there is now.")
    var doesNotWait = false

    func run() async throws {
        let (key, isPatient) = (job.key, !doesNotWait)
        try await options.run { purchase, client in
            // A quote waits for a person, who may take longer than anybody wants to wait here.
            try await purchase.follow(key, client) { job in
                !isPatient || job.view.stage.isEnd || job.view.stage == .quoted
            }
        }
    }
}
