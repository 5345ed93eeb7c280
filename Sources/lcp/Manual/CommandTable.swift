/// A program's commands and their options as a table in Markdown, for a reference.
///
/// Pure: the same description gives the same table. An option that several commands have in the same
/// sense has one row.
struct CommandTable {
    /// The table, with a line feed behind each row.
    let text: String

    /// One option in one sense.
    fileprivate struct Option: Hashable {
        var form: String
        var value: String
        var meaning: String
    }

    /// Writes it.
    ///
    /// - Parameter tool: The program.
    init(_ tool: ToolDescription) {
        var order: [Option] = []
        var users: [Option: [String]] = [:]
        func collect(_ command: ToolDescription.Command, _ path: [String]) {
            for argument in command.options where !["help", "version"].contains(argument.name) {
                let option = Option(argument)
                if users[option] == nil { order.append(option) }
                users[option, default: []].append(path.joined(separator: " "))
            }
            for inner in command.commands { collect(inner, path + [inner.commandName]) }
        }
        collect(tool.command, [])
        let rows = order.map { option in
            let commands = (users[option] ?? []).filter { !$0.isEmpty }.map { "`\($0)`" }
            return [
                "`\(option.form)`", option.value, option.meaning,
                commands.joined(separator: ", "),
            ]
        }
        text =
            ([["option", "default", "meaning", "commands"], ["---", "---", "---", "---"]] + rows)
            .map { "| \($0.joined(separator: " | ")) |\n" }.joined()
    }
}

extension CommandTable.Option {
    fileprivate init(_ argument: ToolDescription.Argument) {
        // A bar would end the cell.
        func escaped(_ text: String) -> String { text.replacing("|", with: "\\|") }
        let value = argument.valueName ?? argument.name
        let name = "--\(argument.name)"
        let words =
            switch argument.kind {
            case .positional: value
            case .flag: name
            case .option: "\(name) \(value)"
            }
        form = escaped(words)
        if let value = argument.defaultValue, !value.isEmpty, argument.kind == .option {
            self.value = "`\(escaped(value))`"
        } else {
            self.value = argument.isOptional ? "" : "required"
        }
        let values = argument.allValues.map { "One of \($0.joined(separator: ", "))." }
        meaning = escaped([argument.abstract, values].compactMap(\.self).joined(separator: " "))
    }
}
