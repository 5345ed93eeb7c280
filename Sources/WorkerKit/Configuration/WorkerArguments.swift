import ArgumentParser
package import BridgeProtocol
import ServiceNotify

/// The flags that every worker has.
package struct WorkerArguments: ParsableArguments {
    /// The paragraphs every worker's `--help` ends with.
    package static let exitStatus = """
        Several instances may run at once, of several versions. SIGTERM or SIGINT drains: nothing \
        new is taken, and what is under way is finished, 25 seconds at most.

        EXIT STATUS
          0   drained after SIGTERM or SIGINT
          64  an option makes no sense
          66  the configuration file can't be read
          69  the bus can't be used
          70  a defect of this program
          77  the bridge refuses this worker
          78  the configuration is wrong
        """

    @Option(
        help: ArgumentHelp(
            "The bridge's bus directory; also $LCP_BUS_DIR.",
            valueName: "path"
        )
    )
    package var busDir = ""

    @Option(
        help: ArgumentHelp(
            "How many items to take at a time, waiting ones included.",
            valueName: "count"
        )
    )
    package var capacity = 64

    @Option(
        help: ArgumentHelp("How many items to handle at the same time.", valueName: "count")
    )
    package var concurrency = 1

    @Option(help: ArgumentHelp("The least important lines to log.", valueName: "level"))
    package var logLevel = LogLevel.info

    /// Made by the parser.
    package init() {}

    /// Refuses what makes no sense.
    ///
    /// - Throws: `ValidationError`.
    package func validate() throws {
        guard (1...100_000).contains(capacity) else {
            throw ValidationError("--capacity must be 1 to 100000.")
        }
        guard (1...1024).contains(concurrency), concurrency <= capacity else {
            throw ValidationError("--concurrency must be 1 to 1024, and at most --capacity.")
        }
        guard !busDir.isEmpty else {
            throw ValidationError("Say where the bridge is: --bus-dir or LCP_BUS_DIR.")
        }
    }

    /// The options of the run loop.
    ///
    /// - Parameters:
    ///   - role: The part the worker plays.
    ///   - program: Name and version, for people.
    /// - Returns: Options without dialects and capabilities.
    package func options(_ role: WorkerRole, program: String) -> WorkerOptions {
        var options = WorkerOptions(role: role, busDirectory: busDir, program: program)
        options.capacity = capacity
        options.concurrency = concurrency
        options.notifier = .ofThisProcess()
        return options
    }
}
