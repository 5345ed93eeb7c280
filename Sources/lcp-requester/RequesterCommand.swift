import ArgumentParser
import BridgeProtocol
import BuildInfo
import LCPCore
import WorkerKit

@main
struct RequesterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lcp-requester",
        abstract: "Buy compute: ask, check the quote, have it paid, wait for the answer.",
        discussion: """
            A stateless worker of lcp-bridge: it keeps nothing, and may be killed at any moment. \
            It can't pay: it checks invoices, and the bridge checks them again and decides.

            REQUESTER.YAML (all with their defaults)
              quote_wait_seconds: 15        # before asking again
              quote_attempts: 4
              payment_margin_seconds: 60    # left of a quote when the last payment may begin
              expiry_skew_seconds: 5        # how much an invoice may outlive its quote
              max_final_cltv: 288           # blocks
              answer_seconds: 900           # after the payment, then the job counts as unanswered
              repeat_seconds: 60            # before an overdue answer is asked for, then doubling
              retention_seconds: 604800     # how long an ended job is kept

            \(WorkerArguments.exitStatus)
            """,
        version: BuildInfo.description
    )

    @OptionGroup var worker: WorkerArguments

    @Option(help: ArgumentHelp("A requester.yaml.", valueName: "file"))
    var config: String?

    func run() async throws {
        let rules = try ConfigurationError.reported(by: "lcp-requester") {
            () throws(ConfigurationError) in try RequesterRules(file: config)
        }
        var options = worker.options(.requester, program: "lcp-requester \(BuildInfo.description)")
        options.dialects = RequesterSteps.dialects
        let logger = WorkerProgram.logger("lcp-requester", level: worker.logLevel)
        let steps = RequesterSteps(rules: rules)
        let service = StepWorker(options: options, handler: steps, logger: logger)
        throw ExitCode(await WorkerProgram.run(service, logger: logger))
    }
}
