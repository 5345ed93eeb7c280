package import Logging
package import ServiceLifecycle
import UnixSignals

/// What the programs of all workers have in common: signals, logs, exit codes.
package enum WorkerProgram {
    /// A logger to standard error.
    ///
    /// - Parameters:
    ///   - program: The label of each line: `lcp-compute`.
    ///   - level: The lowest level that is written.
    /// - Returns: The logger.
    package static func logger(_ program: String, level: Logger.Level) -> Logger {
        var logger = Logger(label: program) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = level
        return logger
    }

    /// Runs a worker until SIGTERM or SIGINT has drained it.
    ///
    /// - Parameters:
    ///   - worker: A ``StepWorker`` or a ``ComputeWorker``.
    ///   - logger: Gets why it ended, when not by a signal.
    /// - Returns: The exit code, from sysexits.h: 0 after a drain, 69 when the bus can't be used,
    ///   70 for what should not happen, 77 when the bridge refuses the worker.
    package static func run(_ worker: some Service, logger: Logger) async -> Int32 {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: worker,
                        successTerminationBehavior: .gracefullyShutdownGroup
                    )
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: quiet(logger)
            )
        )
        do {
            try await group.run()
            return 0
        } catch let error as WorkerError {
            logger.critical("stopped", metadata: ["error": "\(error)"])
            return switch error.code {
            case .busUnusable: 69  // EX_UNAVAILABLE
            case .refused: 77  // EX_NOPERM
            }
        } catch {
            logger.critical("stopped", metadata: ["error": "\(error)"])
            return 70  // EX_SOFTWARE
        }
    }

    /// The library tells each step of its own at levels that are meant for ours.
    private static func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return quiet
    }
}
