import ArgumentParser
import BuildInfo
import Glibc
import LCPInspector

/// `lcp`: the command line of the Lightning Compute Protocol.
@main
struct LCP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lcp",
        abstract: "Buy and sell compute over Lightning.",
        discussion: ExitStatus.help,
        version: BuildInfo.description,
        subcommands: [Decode.self, Encode.self, TermsHash.self, JournalCommand.self]
    )

    /// Runs the command; every failure becomes one message on standard error and an exit code.
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch {
            let isJSON = arguments.contains("--json")
            switch error {
            case let error as InspectionError:
                fail(error.code, error.detail, ExitStatus.badData, asJSON: isJSON)
            case let error as JournalFailure:
                fail(error.code, error.detail, error.status, asJSON: isJSON)
            case let error as ConsoleError:
                fail("input-output", "\(error)", ExitStatus.inputOutput, asJSON: isJSON)
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
        let text = asJSON ? "\(answer)\n" : "lcp: \(detail)\n"
        // Nothing is left to try when standard error is gone too; the exit code still tells.
        try? StandardOutput.write(Array(text.utf8), to: STDERR_FILENO)
        exit(withError: status)
    }
}
