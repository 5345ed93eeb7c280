import ArgumentParser
import BridgeProtocol
import BusClient
import LightningTypes

/// `lcp quote`: what a job would cost.
struct Quote: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask for a quote, without paying.",
        discussion: """
            lcp accept JOB buys it while it is valid; lcp cancel JOB drops it.

            \(ExitStatus.buyingHelp)
            """
    )

    @OptionGroup var options: PurchaseOptions
    @OptionGroup var task: TaskOptions

    func run() async throws {
        let submission = try task.submission()
        let show: (Answer) throws -> Void = { answer in
            let job = answer.result.job
            let text = """
                price      \(Words.sats(job.view.priceMsat))
                valid      until \(Words.time(job.view.quoteExpiryUnix))
                terms hash \(Hex.encode(job.view.termsHash))
                buy with   lcp accept \(Hex.encode(job.key.jobID))

                """
            try StandardOutput.write(Array(text.utf8))
        }
        try await options.run(to: .quoted, show: show) { purchase, client in
            try await purchase.quote(submission, from: client)
        }
    }
}
