import ArgumentParser
import Glibc
package import Logging
package import ServiceLifecycle
import UnixSignals

/// The shell of a worker's program: logs, signals, exit codes.
package enum WorkerProgram {
    /// The paragraph every worker's `--help` ends with.
    package static let exitStatus = """
        Several instances may run at once. SIGTERM or SIGINT drains: what is under way is finished \
        within 25 seconds, and nothing new is taken.

        EXIT STATUS
          0   drained after a signal
          64  the command line is wrong
          66  the configuration file can't be read
          69  the bridge refused this worker, or the bus can't be used
          70  a bug
          78  the configuration is wrong
        """

    /// Runs a worker until a signal drains it.
    ///
    /// - Parameters:
    ///   - name: The program's name, for error texts and logs.
    ///   - level: What to log; logs go to standard error.
    ///   - make: Makes the worker from a logger.
    /// - Throws: `ExitCode` after the error was written to standard error.
    package static func run(
        _ name: String,
        logLevel level: Logger.Level,
        _ make: (Logger) throws -> any Service
    ) async throws {
        do {
            var logger = Logger(label: name) { StreamLogHandler.standardError(label: $0) }
            logger.logLevel = level
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [
                        .init(
                            service: try make(logger),
                            successTerminationBehavior: .gracefullyShutdownGroup,
                            failureTerminationBehavior: .cancelGroup
                        )
                    ],
                    gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger
                )
            )
            try await group.run()
        } catch let error as ExitCode {
            throw error
        } catch {
            let text = Array("\(name): \(error)\n".utf8)
            // When standard error is gone the exit code still tells.
            _ = text.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            throw ExitCode(exitCode(for: error))
        }
    }

    /// The code of sysexits.h for an error.
    static func exitCode(for error: any Error) -> Int32 {
        switch error {
        case let error as ConfigurationError:
            switch error.code {
            case .unreadable: 66  // EX_NOINPUT
            case .notYAML, .unknownKey, .invalidValue, .missing: 78  // EX_CONFIG
            }
        case is WorkerError: 69  // EX_UNAVAILABLE
        default: 70  // EX_SOFTWARE
        }
    }
}
