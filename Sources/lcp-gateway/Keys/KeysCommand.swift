import ArgumentParser
import Gateway

/// `lcp-gateway keys`: makes, lists and revokes the keys of clients.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        _superCommandName: "lcp-gateway",
        abstract: "Make, list and revoke the keys of clients.",
        discussion: """
            Each client of the gateway has a key, which it sends as a bearer token (the API key of an \
            OpenAI client), and which may have budgets and a rate. A gateway that runs reads the file \
            again when it has changed. Tokens are not in it, only their hashes.

            EXIT CODES: 0 success, 64 the command line is wrong or there is no such key, 66 the file \
            can't be read, 73 it can't be written, 78 it is not one of keys.
            """,
        subcommands: [AddKey.self, ListKeys.self, RevokeKey.self]
    )
}

/// Which file of keys a command is about.
struct KeyFileOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The file of the keys, as the gateway has it; LCP_GATEWAY_KEYS without.",
            valueName: "path"
        ),
        completion: .file()
    )
    var keys: String?

    /// The file that the option, the environment or the service's habit names.
    var file: KeyFile {
        KeyFile(path: keys ?? Environment["LCP_GATEWAY_KEYS"] ?? KeyFile.systemPath)
    }

    /// Does something with keys; a failure ends the process with one line and an exit code.
    func failing<Result>(_ body: () throws(KeyRingError) -> Result) throws -> Result {
        do throws(KeyRingError) {
            return try body()
        } catch {
            Output.write("lcp-gateway: \(error)\n", to: .error)
            throw ExitCode(error.exitCode)
        }
    }
}

extension KeyRingError {
    /// The exit code, from sysexits.h.
    var exitCode: Int32 {
        switch code {
        case .nameTaken, .unknownKey: 64  // EX_USAGE
        case .unreadable: 66  // EX_NOINPUT
        case .notWritten: 73  // EX_CANTCREAT
        case .lockedByAnotherProcess: 75  // EX_TEMPFAIL
        case .notAKeyFile, .openToOthers: 78  // EX_CONFIG
        }
    }
}
