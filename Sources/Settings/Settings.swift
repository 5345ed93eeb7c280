/// What a program is told, put together: flags before environment before file before defaults.
///
/// Pure: what was said goes in, and what the parser is to read comes out. The parser then checks
/// every value alike, wherever it came from.
package struct Settings: Equatable, Sendable {
    /// Every option of the program, in the order of its declaration.
    package let settings: [Setting]
    /// The tables of the file that are no options, each with its place.
    package let tables: [String: String]
    /// The command line as it is given to the parser.
    package let arguments: [String]

    /// Where options may come from besides the command line.
    package struct Sources: Sendable {
        /// The environment.
        package var environment: [String: String]
        /// Reads a file.
        package var read: @Sendable (String) throws(ConfigurationError) -> ConfigurationTable
        /// Whether a file is there.
        package var exists: @Sendable (String) -> Bool

        /// Takes them.
        package init(
            environment: [String: String],
            read: @escaping @Sendable (String) throws(ConfigurationError) -> ConfigurationTable,
            exists: @escaping @Sendable (String) -> Bool
        ) {
            self.environment = environment
            self.read = read
            self.exists = exists
        }
    }

    /// Puts together what was said.
    ///
    /// - Parameters:
    ///   - options: The program's options.
    ///   - plan: What their names don't say.
    ///   - arguments: The command line, without the program's name.
    ///   - sources: Where else values may come from.
    /// - Throws: ``ConfigurationError`` for a file that can't be read, and for a key or a variable of
    ///   the program's that no option has.
    package init(
        _ options: [DeclaredOption],
        _ plan: SettingsPlan,
        arguments: [String],
        sources: Sources
    ) throws(ConfigurationError) {
        let environment = sources.environment.filter { !$0.value.isEmpty }
        try Self.refuseUnknown(environment, options, plan)
        let flags = Self.flags(arguments, options)
        func said(_ option: DeclaredOption) -> Setting? {
            let key = plan.key(option)
            if let values = flags[option.name] {
                return Setting(option: option, key: key, values: values, origin: .flag)
            }
            guard let name = plan.variables(option).first(where: { environment[$0] != nil }),
                let text = environment[name]
            else { return nil }
            let values = option.isRepeating ? text.split(separator: ",").map(String.init) : [text]
            return Setting(option: option, key: key, values: values, origin: .environment(name))
        }

        var file = File()
        if let option = options.first(where: { $0.name == SettingsPlan.file }),
            let path = said(option)?.values.last
        {
            try Self.read(try sources.read(path), options, plan, into: &file)
        }
        var settings: [Setting] = []
        for option in options {
            if let setting = said(option) {
                settings.append(setting)
                continue
            }
            let key = plan.key(option)
            var setting = Setting(
                option: option,
                key: key,
                values: option.kind == .flag ? ["false"] : option.defaultValue.map { [$0] } ?? [],
                origin: .default
            )
            if let key, let (values, place) = file.values[key] {
                setting.values = values
                setting.origin = .file(place)
            } else if let credential = plan.credentials[option.name],
                let directory = environment["CREDENTIALS_DIRECTORY"],
                sources.exists("\(directory)/\(credential)")
            {
                setting.values = ["\(directory)/\(credential)"]
                setting.origin = .credential(credential)
            }
            settings.append(setting)
        }
        for setting in settings { try setting.checkFlag() }
        self.settings = settings
        tables = file.tables
        let words = settings.filter { $0.option.kind == .positional }.flatMap(\.arguments)
        self.arguments =
            settings.filter { $0.option.kind != .positional }.flatMap(\.arguments) + arguments
            + (words.isEmpty ? [] : ["--"] + words)
    }

    /// The setting that an error of the parser is about, if the command line is not to blame.
    ///
    /// - Parameter message: The parser's text, which names the option.
    /// - Returns: The setting; nil when the command line said it.
    package func culprit(of message: String) -> Setting? {
        settings.first { setting in
            switch setting.origin {
            case .flag, .default: false
            case .environment, .file, .credential:
                // The whole name: `--max-jobs` is not `--max-jobs-per-peer`.
                message.split { !($0.isLetter || $0.isNumber || $0 == "-") }
                    .contains("--\(setting.option.name)")
            }
        }
    }

    /// The settings as a configuration file.
    ///
    /// - Parameter hasOrigins: Whether a comment behind each says where it comes from.
    /// - Returns: One line for each.
    package func text(hasOrigins: Bool) -> String {
        var text = ""
        var tables = Set<String>()
        // What stands in a table comes behind what does not.
        for setting in settings.filter({ $0.table == nil }) + settings.filter({ $0.table != nil }) {
            if let table = setting.table, tables.insert(table).inserted { text += "\(table):\n" }
            text += setting.line + (hasOrigins ? "  # \(setting.origin)" : "") + "\n"
        }
        for (table, place) in self.tables.sorted(by: { $0.key < $1.key }) {
            text += "# \(table): see \(place)\n"
        }
        return text
    }

    // MARK: - Sources

    /// What a file says.
    private struct File {
        var values: [String: (values: [String], place: String)] = [:]
        var tables: [String: String] = [:]
    }

    /// What the command line says, by option; a flag has the value `true`.
    private static func flags(
        _ arguments: [String],
        _ options: [DeclaredOption]
    ) -> [String: [String]] {
        var flags: [String: [String]] = [:]
        for (index, argument) in arguments.enumerated() {
            if argument == "--" {
                if let words = options.first(where: { $0.kind == .positional }) {
                    flags[words.name] = Array(arguments[(index + 1)...])
                }
                break
            }
            guard argument.hasPrefix("--") else { continue }
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1)
            guard let name = parts.first.map(String.init),
                let option = options.first(where: { $0.name == name })
            else { continue }
            let next = index + 1 < arguments.count ? arguments[index + 1] : ""
            let value =
                option.kind == .flag ? "true" : parts.count > 1 ? String(parts[1]) : next
            // Of an option that does not repeat the last one counts, as for the parser.
            flags[name] = (option.isRepeating ? flags[name] ?? [] : []) + [value]
        }
        return flags
    }

    /// A misspelt limit would otherwise be no limit.
    private static func refuseUnknown(
        _ environment: [String: String],
        _ options: [DeclaredOption],
        _ plan: SettingsPlan
    ) throws(ConfigurationError) {
        let known = Set(options.flatMap(plan.variables))
        let stray = environment.keys.filter { $0.hasPrefix(plan.prefix) && !known.contains($0) }
        guard let name = stray.min() else { return }
        throw ConfigurationError(
            .unknownKey,
            "unknown variable \(name)",
            advice: "Known variables are \(plan.prefix) and an option's name."
        )
    }

    private static func read(
        _ table: ConfigurationTable,
        _ options: [DeclaredOption],
        _ plan: SettingsPlan,
        into file: inout File
    ) throws(ConfigurationError) {
        let own = options.compactMap(plan.key)
        let known = own + plan.tables
        let depth = table.path.isEmpty ? 0 : table.path.split(separator: ".").count
        let here = known.filter { table.path.isEmpty || $0.hasPrefix("\(table.path).") }
            .map { String($0.split(separator: ".")[depth]) }
        try table.allow(only: Array(Set(here)), elsewhere: plan.elsewhere)
        for key in table.keys {
            let name = table.name(key)
            if own.contains(name) {
                file.values[name] = (try table.texts(key) ?? [], table.place(of: key))
            } else if plan.tables.contains(name) {
                file.tables[name] = table.place(of: key)
            } else if let inner = try table.table(key) {
                try read(inner, options, plan, into: &file)
            }
        }
    }
}

extension Setting {
    /// The parser has no values for flags, so that they are checked here.
    fileprivate func checkFlag() throws(ConfigurationError) {
        let isList = !option.isRepeating && values.count > 1
        guard isList || option.kind == .flag && values != ["true"] && values != ["false"] else {
            return
        }
        throw ConfigurationError(
            .invalidValue,
            at: "\(origin)",
            "\(key ?? option.name) must be \(isList ? "one value" : "true or false")"
        )
    }
}
