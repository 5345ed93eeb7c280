/// An option with its value and where that came from.
package struct Setting: Equatable, Sendable {
    /// Who said so, the strongest first.
    package enum Origin: Equatable, Sendable {
        /// The command line.
        case flag
        /// An environment variable.
        case environment(String)
        /// A file's line: `bridge.yaml:12`.
        case file(String)
        /// A file that the service manager left in `$CREDENTIALS_DIRECTORY`.
        case credential(String)
        /// The program itself.
        case `default`
    }

    /// Which option.
    package var option: DeclaredOption
    /// Its key in a file; nil for what only the command line and the environment can say.
    package var key: String?
    /// Its values as text; none for an option that is not set, at most one unless it repeats.
    package var values: [String]
    /// Who said so.
    package var origin: Origin
}

extension Setting.Origin: CustomStringConvertible {
    /// For people: `environment LCP_BRIDGE_JOURNAL`.
    package var description: String {
        switch self {
        case .flag: "flag"
        case .environment(let name): "environment \(name)"
        case .file(let place): place
        case .credential(let name): "credential \(name)"
        case .default: "default"
        }
    }
}

extension Setting {
    /// What the parser is told; nothing for what the command line says already, or nobody.
    var arguments: [String] {
        switch origin {
        case .flag, .default: []
        case .environment, .file, .credential:
            switch option.kind {
            case .option: values.map { "--\(option.name)=\($0)" }
            case .flag: values == ["true"] ? ["--\(option.name)"] : []
            case .positional: values
            }
        }
    }

    /// The table that its key stands in; nil for none.
    var table: String? {
        key?.lastIndex(of: ".").flatMap { dot in key.map { String($0[..<dot]) } }
    }

    /// A line of a configuration file; a comment for what has no value or can't stand in one.
    var line: String {
        let indent = table == nil ? "" : "  "
        guard let name = key?.split(separator: ".").last, !values.isEmpty else {
            let what = key?.split(separator: ".").last.map { "\($0):" } ?? "--\(option.name)"
            return "\(indent)# \(([what] + values).joined(separator: " "))"
        }
        let texts = values.map(Self.quoted)
        return
            "\(indent)\(name): \(option.isRepeating ? "[\(texts.joined(separator: ", "))]" : texts[0])"
    }

    /// YAML would read some texts as something else.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        if isPlain, text.first != "-" { return text }
        let escaped = text.map { character in
            switch character {
            case "\"", "\\": "\\\(character)"
            case "\n": "\\n"
            default: String(character)
            }
        }
        return "\"\(escaped.joined())\""
    }
}
