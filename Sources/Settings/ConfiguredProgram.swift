package import ArgumentParser
import Foundation

/// A program whose options come from flags, the environment, a file and its defaults.
///
/// An option is declared once, for the parser, with name, help, default and check. The variable
/// `LCP_BRIDGE_BUS_DIR` and the file's key `bus_dir` of `lcp-bridge --bus-dir` follow from that, and
/// so does their check: the parser reads them as if they stood on the command line.
package protocol ConfiguredProgram: AsyncParsableCommand {
    /// What the options' names don't say.
    static var plan: SettingsPlan { get }

    /// Looks at everything a start looks at, and starts nothing.
    ///
    /// - Throws: ``ConfigurationError``, or what a start would throw.
    func check() throws
}

extension ConfiguredProgram {
    /// Where this process's options come from.
    private static var sources: Settings.Sources {
        Settings.Sources(
            environment: ProcessInfo.processInfo.environment,
            read: { path throws(ConfigurationError) in try ConfigurationTable.read(path) },
            exists: { FileManager.default.isReadableFile(atPath: $0) }
        )
    }

    /// Runs the program, or one of its commands, and ends the process when that went wrong.
    package static func start() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            if asksParser(arguments) {
                try answer(arguments)
            } else if arguments.first == ConfigurationCommand<Self>.name {
                try configuration(Array(arguments.dropFirst()))
            } else if let command = subcommand(arguments.first) {
                try await run(command, Array(arguments.dropFirst()))
            } else {
                let settings = try settings(arguments)
                var program = try settings.parsed { try Self.parse($0) }
                try await program.run()
            }
        } catch let error as ConfigurationError {
            exit(withError: error.report(by: plan.program))
        } catch {
            exit(withError: error)
        }
    }

    /// The parser's own questions are answered whatever a file says.
    private static func asksParser(_ arguments: [String]) -> Bool {
        let own = ["-h", "--help", "--help-hidden", "--version", "--experimental-dump-help"]
        let flags = arguments.prefix { $0 != "--" }
        return arguments.first == "help" || arguments.first?.hasPrefix("---completion") == true
            || flags.contains { own.contains($0) || $0.hasPrefix("--generate-completion-script") }
    }

    /// Gives help and versions; what a command offers is asked of the command itself.
    ///
    /// As part of the program the parser would look for the program's required options first.
    private static func answer(_ arguments: [String]) throws {
        let isHelp = arguments.first == "help"
        let words = isHelp ? arguments.dropFirst() + ["--help"] : arguments[...]
        var command =
            try subcommand(words.first)?.parseAsRoot(Array(words.dropFirst()))
            ?? parseAsRoot(Array(words))
        try command.run()
    }

    private static func subcommand(_ name: String?) -> (any ParsableCommand.Type)? {
        configuration.subcommands.first { $0.configuration.commandName == name }
    }

    /// Runs a command besides `config`; it has nothing to do with the program's own options.
    private static func run(
        _ command: any ParsableCommand.Type,
        _ arguments: [String]
    ) async throws {
        var command = try command.parseAsRoot(arguments)
        if var command = command as? any AsyncParsableCommand {
            try await command.run()
        } else {
            try command.run()
        }
    }

    private static func settings(_ arguments: [String]) throws(ConfigurationError) -> Settings {
        try Settings(DeclaredOption.all(of: self), plan, arguments: arguments, sources: sources)
    }

    /// `config` is parsed as a command of its own: as part of the program the parser would want the
    /// program's required options before it.
    private static func configuration(_ arguments: [String]) throws {
        guard let verb = arguments.first else {
            throw CleanExit.helpRequest(ConfigurationCommand<Self>.self)
        }
        guard verb != ConfigurationCommand<Self>.reference else {
            // About the program and not about what it is told.
            var command = try ConfigurationCommand<Self>.parseAsRoot(arguments)
            return try command.run()
        }
        let settings = try settings(Array(arguments.dropFirst()))
        if verb == "show" {
            // Before the parser looks: what it does not like is what one wants to see.
            print(settings.text(hasOrigins: arguments.contains("--origin")), terminator: "")
        }
        let command = try settings.parsed { arguments in
            try ConfigurationCommand<Self>.parseAsRoot([verb] + arguments)
        }
        switch command {
        case let check as ConfigurationCommand<Self>.Check:
            try check.program.check()
            print("\(plan.program): the configuration can be used")
        case is ConfigurationCommand<Self>.Show: break
        case var other: try other.run()
        }
    }
}

extension Settings {
    /// Has the parser read them; a mistake that a file or a variable made is told with its place.
    fileprivate func parsed<Command>(_ parse: ([String]) throws -> Command) throws -> Command {
        do { return try parse(arguments) } catch {
            let message = PlainMessage.message(for: error)
            guard let setting = culprit(of: message) else { throw error }
            let name = setting.key.map { "\($0): " } ?? ""
            throw ConfigurationError(.invalidValue, at: "\(setting.origin)", name + message)
        }
    }
}

/// Has the parser say what an error means, without usage.
private struct PlainMessage: ParsableArguments {}
