package import ArgumentParser
import struct Foundation.Data
import class Foundation.JSONDecoder

/// An option as a program's parser describes it: the one declaration that everything follows from.
package struct DeclaredOption: Equatable, Sendable {
    /// How it stands on the command line.
    package enum Kind: String, Sendable, Decodable {
        /// `--name value`.
        case option
        /// `--name`, which is `true` in a file and in the environment.
        case flag
        /// The words after `--`.
        case positional
    }

    /// Its name without dashes; that of the value for words after `--`.
    package var name: String
    /// How it stands on the command line.
    package var kind: Kind
    /// Whether it may have several values.
    package var isRepeating: Bool
    /// What it is without anybody saying, as the parser prints it; nil for nothing.
    package var defaultValue: String?
    /// Whether the program starts without it.
    package var isOptional: Bool
    /// What its value is called: `host:port`; nil for a flag.
    package var valueName: String?
    /// What the parser's help says of it, with the values it may have; empty for nothing.
    package var meaning: String

    /// Makes one.
    package init(
        _ name: String,
        _ kind: Kind = .option,
        isRepeating: Bool = false,
        defaultValue: String? = nil,
        isOptional: Bool = true,
        valueName: String? = nil,
        meaning: String = ""
    ) {
        self.name = name
        self.kind = kind
        self.isRepeating = isRepeating
        self.defaultValue = defaultValue
        self.isOptional = isOptional
        self.valueName = valueName
        self.meaning = meaning
    }

    /// The options of a program, in the order of their declaration, without those that the parser
    /// adds itself.
    ///
    /// - Parameter program: The program's command.
    /// - Returns: Its options.
    package static func all(of program: any ParsableArguments.Type) -> [DeclaredOption] {
        let text = Data(program._dumpHelp().utf8)
        guard let tool = try? JSONDecoder().decode(Tool.self, from: text) else { return [] }
        return tool.command.arguments.compactMap { argument in
            let long = argument.names?.first { $0.kind == "long" }?.name
            guard let name = long ?? argument.valueName, !["help", "version"].contains(name) else {
                return nil
            }
            return DeclaredOption(
                name,
                argument.kind,
                isRepeating: argument.isRepeating,
                defaultValue: argument.defaultValue,
                isOptional: argument.isOptional,
                valueName: argument.kind == .flag ? nil : argument.valueName,
                meaning: argument.meaning
            )
        }
    }

    // What is needed of the parser's `--experimental-dump-help`.
    private struct Tool: Decodable {
        struct Command: Decodable {
            var arguments: [Argument]
        }
        struct Argument: Decodable {
            struct Name: Decodable {
                var kind: String
                var name: String
            }
            var kind: Kind
            var names: [Name]?
            var valueName: String?
            var isOptional: Bool
            var isRepeating: Bool
            var defaultValue: String?
            var allValues: [String]?
            var abstract: String?

            var meaning: String {
                let values = allValues.map { "One of \($0.joined(separator: ", "))." }
                return [abstract, values].compactMap(\.self).joined(separator: " ")
            }
        }
        var command: Command
    }
}
