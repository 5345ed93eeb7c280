import ArgumentParser
import BridgeProtocol
import BusClient
import Glibc
import LightningTypes

/// How long to follow a job, and how to tell about it.
struct PurchaseOptions: ParsableArguments {
    @OptionGroup var bus: BusOptions

    @Option(help: ArgumentHelp("How long to wait: seconds, or 5m, 1h.", valueName: "time"))
    var timeout = TimeSpanArgument(seconds: 120)

    @Flag(help: "Print JSON; the job's id and errors as JSON on standard error.")
    var json = false

    /// Runs one purchase and prints its answer.
    ///
    /// A signal or the end of the time leaves the job as it is and says how to go on.
    ///
    /// - Parameters:
    ///   - goal: The stage at which the command has done what it is for.
    ///   - show: Prints what people want to see then.
    ///   - steps: Follows the job to where the command wants it.
    /// - Throws: `CommandError` for every other end.
    func run(
        to goal: BusJobStage = .done,
        show: (Answer) throws -> Void = { try $0.show() },
        _ steps: @escaping @Sendable (Purchase, BusClient) async throws -> BusJob
    ) async throws {
        let progress = Progress(json: json)
        let purchase = Purchase(progress: progress)
        let limit = timeout.duration
        let (answer, failure) = try await leaving(purchase, progress) {
            try await bus.withClient { client -> (Answer, CommandError?) in
                let reached = try await progress.ticking {
                    try await within(limit) { try await steps(purchase, client) }
                }
                guard let job = reached ?? purchase.job else {
                    throw CommandError(
                        code: "timed-out",
                        detail: "nothing was submitted within \(Words.seconds(limit))",
                        status: ExitStatus.timedOut
                    )
                }
                let result = try await client.result(of: job.key, atLeast: job.version)
                let answer = Answer(result: result, elapsed: purchase.elapsed)
                if reached == nil { return (answer, purchase.timeOut(job)) }
                return (answer, job.view.stage == goal ? answer.loss : purchase.failure(of: job))
            }
        }
        if json {
            try StandardOutput.write(Array("\(answer.json)\n".utf8))
        } else if failure == nil {
            try show(answer)
        }
        if let failure { throw failure }
    }

    /// Says how to go on when a signal ends the command.
    private func leaving<Result: Sendable>(
        _ purchase: Purchase,
        _ progress: Progress,
        _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch is Interruption {
            progress.clear()
            guard let job = purchase.job else { throw Interruption() }
            throw CommandError(
                code: "interrupted",
                detail: "interrupted" + purchase.resumption(of: job),
                status: ExitStatus.interrupted
            )
        }
    }
}

extension Purchase {
    /// The time was over before the job was where the command wanted it.
    fileprivate func timeOut(_ job: BusJob) -> CommandError? {
        // It may have ended while the answer was fetched.
        guard !job.view.stage.isEnd else { return failure(of: job) }
        return CommandError(
            code: "timed-out",
            detail: "the time is over and the job is \(job.view.stage.label)"
                + resumption(of: job),
            status: ExitStatus.timedOut
        )
    }
}
