/// A program's options as a table in Markdown, for a reference.
///
/// Pure, and made of nothing but the declarations, so that it can't say anything else than they do.
struct OptionTable {
    /// The table, with a line feed behind each row.
    let text: String

    /// Writes it.
    ///
    /// - Parameters:
    ///   - options: The program's options.
    ///   - plan: What their names don't say.
    init(_ options: [DeclaredOption], _ plan: SettingsPlan) {
        let rows =
            options.map { option in
                [
                    Self.code(Self.form(option)), plan.key(option).map(Self.code) ?? "",
                    Self.value(option), Self.escaped(option.meaning),
                ]
            }
            + plan.tables.map { ["", Self.code($0), "", "In the file alone; see below."] }
        text = ([["flag", "key", "default", "meaning"], ["---", "---", "---", "---"]] + rows)
            .map { "| \($0.joined(separator: " | ")) |\n" }.joined()
    }

    /// How an option stands on the command line: `--journal path`.
    private static func form(_ option: DeclaredOption) -> String {
        switch option.kind {
        case .positional: "-- \(option.valueName ?? option.name)"
        case .flag: "--\(option.name)"
        case .option: "--\(option.name) \(option.valueName ?? "value")"
        }
    }

    private static func value(_ option: DeclaredOption) -> String {
        switch option.kind {
        case .flag: code("false")
        case .option, .positional:
            if let value = option.defaultValue, !value.isEmpty {
                code(value)
            } else {
                option.isOptional ? "" : "required"
            }
        }
    }

    private static func code(_ text: String) -> String { "`\(escaped(text))`" }

    /// A bar would end the cell.
    private static func escaped(_ text: String) -> String { text.replacing("|", with: "\\|") }
}
