package import BridgeProtocol
import Glibc
import LightningTypes
package import Logging
package import WorkerKit

/// A backend that runs a program of the operator's for each computation.
///
/// The job's input is the program's standard input, facts of the job are `LCP_*` variables, and
/// what it writes to standard output is the result. It runs in a process group of its own, which
/// gets SIGTERM and then SIGKILL when the job is cancelled, its deadline or a limit is reached, or
/// this process ends, and SIGKILL when the program ends or this process is killed.
///
/// The peer learns only that it failed. The exit code and the end of standard error are logged.
package struct ExecBackend: ComputationHandler {
    /// What to run, and what it may use.
    package struct Settings: Sendable {
        /// The program, as a path or a name to find in `PATH`, and its arguments.
        package var command: [String]
        /// How long one run may take.
        package var timeLimit = Duration.seconds(600)
        /// How many bytes one run may write, also when only the first of them are kept.
        package var outputLimit = 64 << 20
        /// How long the group has between SIGTERM and SIGKILL.
        package var grace = Duration.seconds(2)
        /// The media type of the results; nil tells text in UTF-8 from anything else.
        package var contentType: String?

        /// Makes settings with the defaults above.
        package init(command: [String]) { self.command = command }
    }

    private let settings: Settings
    private let path: String
    private let environment: [String]
    private let logger: Logger

    /// Finds the program.
    ///
    /// - Parameters:
    ///   - settings: What to run.
    ///   - environment: What the program inherits; variables `LCP_*` are left out, because they
    ///     are this process's own.
    ///   - logger: Gets one line for each run that failed.
    /// - Throws: ``ExecError`` when there is no such program.
    package init(
        _ settings: Settings,
        environment: [String: String],
        logger: Logger
    ) throws(ExecError) {
        self.settings = settings
        self.logger = logger
        path = try ProgramSearch.find(settings.command, path: environment["PATH"])
        self.environment = environment.filter { !$0.key.hasPrefix("LCP_") }
            .map { "\($0.key)=\($0.value)" }
    }

    /// Runs the program once.
    package func compute(
        _ item: BusComputeItem,
        progress: ComputationProgress
    ) async throws -> BusComputeReply.OneOf_Outcome {
        let facts: JobFacts
        do {
            facts = try JobFacts(item)
        } catch {
            return .failure(error.message)
        }
        let limit = item.limits.maxResultBytes
        let outcome = try await run(
            ChildProcess.Command(
                path: path,
                arguments: settings.command,
                environment: environment + facts.variables.map { "\($0.name)=\($0.value)" }
            ),
            input: Array(item.input),
            result: ResultOutput(
                limit: limit == 0 ? settings.outputLimit : Int(limit),
                contentType: settings.contentType
            ),
            progress
        )
        do {
            return .result(try result(of: outcome))
        } catch let failure as WorkFailure {
            log(failure, outcome, item)
            if failure.isRetryable { throw failure }
            return .failure(failure.message)
        }
    }

    private func run(
        _ command: ChildProcess.Command,
        input: [UInt8],
        result: ResultOutput,
        _ progress: ComputationProgress
    ) async throws -> ChildProcess.Outcome {
        let limits = ChildProcess.Limits(
            time: settings.timeLimit,
            outputBytes: settings.outputLimit,
            grace: settings.grace
        )
        do {
            let cancellation = try ChildCancellation()
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    let started = ChildThread.start {
                        continuation.resume(
                            with: Result {
                                try ChildProcess(
                                    command,
                                    input: input,
                                    result: result,
                                    limits: limits,
                                    cancellation: cancellation
                                ).run(beat: progress.touch)
                            }
                        )
                    }
                    if !started {
                        continuation.resume(throwing: SystemError("pthread_create", EAGAIN))
                    }
                }
            } onCancel: {
                cancellation.cancel()
            }
        } catch let error as SystemError {
            logger.error("no process for a program", metadata: ["error": "\(error)"])
            throw WorkFailure(
                "backend-unavailable",
                "this worker could not start a process",
                advice: "See the compute worker's log.",
                isRetryable: true
            )
        }
    }

    /// What the ending means to the job.
    private func result(of outcome: ChildProcess.Outcome) throws -> BusComputeResult {
        switch outcome.ending {
        case .exited(code: 0): try outcome.output.result()
        // EX_TEMPFAIL of sysexits.h: "the user is invited to retry".
        case .exited(code: 75): throw Self.failure("backend-busy", isRetryable: true)
        case .exited: throw Self.failure("backend-failed", isRetryable: false)
        // Out of memory, mostly: another machine may have more.
        case .signaled: throw Self.failure("backend-died", isRetryable: true)
        case .notStarted: throw Self.failure("backend-unavailable", isRetryable: true)
        case .stopped(.cancelled): throw CancellationError()
        case .stopped(.timeLimit): throw Self.failure("backend-timeout", isRetryable: false)
        case .stopped(.outputLimit) where outcome.output.isHopeless: try outcome.output.result()
        case .stopped(.outputLimit): throw Self.failure("output-limit", isRetryable: false)
        }
    }

    private static func failure(_ code: String, isRetryable: Bool) -> WorkFailure {
        WorkFailure(
            code,
            "the backend did not deliver a result",
            advice: "See the compute worker's log.",
            isRetryable: isRetryable
        )
    }

    private func log(
        _ failure: WorkFailure,
        _ outcome: ChildProcess.Outcome,
        _ item: BusComputeItem
    ) {
        logger.warning(
            "the program delivered no result",
            metadata: [
                "bus.attempt": "\(item.attempt)",
                "exec.ending": "\(outcome.ending)",
                "exec.output_bytes": "\(outcome.output.total)",
                "exec.stderr": "\(LogText.escaped(outcome.errorTail))",
                "lcp.failure": "\(failure.code)",
                "lcp.job": "\(Hex.encode(item.job.jobID))",
            ]
        )
    }
}
