import ArgumentParser
import BusClient
import FoundationEssentials
import Glibc
import LCPWire
import LightningTypes

/// What shall be done, and by whom.
struct TaskOptions: ParsableArguments {
    @OptionGroup var target: TargetOptions

    @Option(help: ArgumentHelp("Read the prompt from a file.", valueName: "path"))
    var file: String?

    @Argument(help: "The prompt; without it and without --file, standard input is the prompt.")
    var prompt: String?

    func validate() throws {
        guard file == nil || prompt == nil else {
            throw ValidationError("Give the prompt or --file, not both.")
        }
        guard file != nil || (prompt != nil && prompt != "-") || isatty(STDIN_FILENO) == 0 else {
            throw ValidationError("Missing the prompt: give PROMPT, --file, or standard input.")
        }
    }

    /// Reads the prompt and encodes the params (LCP v0.1 §5.2.1).
    func submission() throws -> JobSubmission {
        let input = try readPrompt()
        guard !input.isEmpty else {
            throw CommandError(
                code: "empty-prompt",
                detail: "the prompt is empty",
                status: ExitStatus.badData
            )
        }
        guard String(validating: input, as: UTF8.self) != nil else {
            throw CommandError(
                code: "invalid-text",
                detail: "the prompt is not UTF-8",
                status: ExitStatus.badData
            )
        }
        return JobSubmission(
            to: target.peer,
            taskKind: V01.llmChat,
            input: Redacted(input),
            params: try target.params()
        )
    }

    private func readPrompt() throws -> [UInt8] {
        if let file {
            guard let data = FileManager.default.contents(atPath: file) else {
                throw CommandError(
                    code: "no-such-file",
                    detail: "can't read \(file)",
                    status: ExitStatus.inputOutput
                )
            }
            return Array(data)
        }
        if let prompt, prompt != "-" { return Array(prompt.utf8) }
        var input = try StandardInput.readAll()
        // What `echo` adds is no part of the question.
        while input.last == 0x0a || input.last == 0x0d { input.removeLast() }
        return input
    }
}
