/// A program as its parser describes it with `--experimental-dump-help`; what a manual needs of it.
struct ToolDescription: Decodable {
    struct Command: Decodable {
        var commandName: String
        var abstract: String?
        var discussion: String?
        var shouldDisplay: Bool
        var arguments: [Argument]?
        var subcommands: [Command]?
    }

    struct Argument: Decodable {
        enum Kind: String, Decodable {
            case positional, option, flag
        }
        struct Name: Decodable {
            /// `long`, `short` or `longWithSingleDash`.
            var kind: String
            var name: String
        }

        var kind: Kind
        var shouldDisplay: Bool
        var sectionTitle: String?
        var isOptional: Bool
        var isRepeating: Bool
        var parsingStrategy: String
        var names: [Name]?
        var valueName: String?
        var defaultValue: String?
        var allValues: [String]?
        var abstract: String?
        var discussion: String?
    }

    var command: Command
}

extension ToolDescription.Argument {
    /// Its long name, or its value's.
    var name: String { names?.first { $0.kind == "long" }?.name ?? valueName ?? "" }
}

extension ToolDescription.Command {
    /// What a reader may use.
    var options: [ToolDescription.Argument] { (arguments ?? []).filter(\.shouldDisplay) }

    /// The commands below this one, without the parser's own `help`.
    var commands: [ToolDescription.Command] {
        (subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }
    }
}
