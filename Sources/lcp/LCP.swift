import ArgumentParser
import BuildInfo
import BusClient
import Glibc
import LCPInspector
import LCPWire
import LndRPC

/// `lcp`: the command line of the Lightning Compute Protocol.
@main
struct LCP: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lcp",
        abstract: "Buy and sell compute over Lightning.",
        discussion: ExitStatus.buyingHelp,
        version: BuildInfo.description,
        groupedSubcommands: [
            CommandGroup(
                name: "Try it",
                subcommands: [Demo.self]
            ),
            CommandGroup(
                name: "Buy",
                subcommands: [
                    Ask.self, Chat.self, Quote.self, Accept.self, Cancel.self, FetchResult.self,
                ]
            ),
            CommandGroup(
                name: "Look at a bridge",
                subcommands: [
                    Doctor.self, Top.self, ShowStatus.self, ListJobs.self, Watch.self,
                    ShowLedger.self, ListWorkers.self, RetryJob.self, JournalCommand.self,
                    Metrics.self, Bench.self,
                ]
            ),
            CommandGroup(
                name: "Look after the node",
                subcommands: [
                    PeersCommand.self, ListProfiles.self, MacaroonCommand.self, RemoteCommand.self,
                ]
            ),
            CommandGroup(
                name: "Explain the protocol",
                subcommands: [Decode.self, Encode.self, TermsHash.self, Manual.self]
            ),
        ]
    )

    /// Runs the command; every failure becomes one message on standard error and an exit code.
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            var command = try parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            let isJSON = arguments.contains("--json")
            switch error {
            case let error as CommandError:
                fail(error.code, error.detail, error.status, asJSON: isJSON)
            case let error as BusClientError:
                let detail = "\(error.detail). \(error.advice)"
                fail(error.label, detail, ExitStatus.of(error), asJSON: isJSON)
            case let error as InspectionError:
                fail(error.code, error.detail, ExitStatus.badData, asJSON: isJSON)
            case let error as WireError:
                fail(error.code, error.description, ExitStatus.badData, asJSON: isJSON)
            case let error as JournalFailure:
                fail(error.code, error.detail, error.status, asJSON: isJSON)
            case let error as ConsoleError:
                fail("input-output", "\(error)", ExitStatus.inputOutput, asJSON: isJSON)
            case let error as LndError:
                let failure = CommandError(error)
                fail(failure.code, failure.detail, failure.status, asJSON: isJSON)
            case is Interruption:
                exit(withError: ExitStatus.interrupted)
            case _ where isJSON && exitCode(for: error) == ExitStatus.usage:
                fail("usage", message(for: error), ExitStatus.usage, asJSON: true)
            default: exit(withError: error)  // help, version and usage, as the library words them
            }
        }
    }

    private static func fail(
        _ code: String,
        _ detail: String,
        _ status: ExitCode,
        asJSON: Bool
    ) -> Never {
        let answer: JSONText = ["error": InspectionError(code: code, detail: detail).json]
        let text = asJSON ? "\(answer)\n" : "lcp: \(Table.printable(detail))\n"
        // Nothing is left to try when standard error is gone too; the exit code still tells.
        try? StandardOutput.write(Array(text.utf8), to: STDERR_FILENO)
        exit(withError: status)
    }
}
