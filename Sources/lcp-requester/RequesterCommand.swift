import ArgumentParser
import BridgeProtocol
import BuildInfo
import LCPCore
import Settings
import WorkerKit

@main
struct RequesterCommand: ConfiguredProgram {
    static let plan = RequesterArguments.plan
    static let configuration = CommandConfiguration(
        commandName: "lcp-requester",
        abstract: "Buy compute: ask, check the quote, have it paid, wait for the answer.",
        discussion: """
            A stateless worker of lcp-bridge: it keeps nothing, and may be killed at any moment. \
            It can't pay: it checks invoices, and the bridge checks them again and decides.

            Each option is also a variable, `LCP_REQUESTER_ANSWER_SECONDS`, and a key of the file \
            that --config names, `answer_seconds`; see `lcp-requester help config`.

            \(WorkerArguments.exitStatus)
            """,
        version: BuildInfo.description,
        subcommands: [ConfigurationCommand<Self>.self]
    )

    @OptionGroup var worker: WorkerArguments
    @OptionGroup(title: "Waiting and asking") var asking: RequesterArguments

    static func main() async { await start() }

    func check() throws {}

    func run() async throws {
        var options = worker.options(.requester, program: "lcp-requester \(BuildInfo.description)")
        options.dialects = RequesterSteps.dialects
        let logger = WorkerProgram.logger("lcp-requester", level: worker.logLevel.level)
        let steps = RequesterSteps(rules: asking.rules)
        let service = StepWorker(options: options, handler: steps, logger: logger)
        throw ExitCode(await WorkerProgram.run(service, logger: logger))
    }
}
