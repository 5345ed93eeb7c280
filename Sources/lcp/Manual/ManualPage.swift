import Foundation

/// A program's manual page in mdoc(7), from what its parser says.
///
/// Pure: the same description gives the same page.
struct ManualPage {
    private let tool: ToolDescription
    private(set) var text = ""

    /// Writes the page.
    ///
    /// - Parameters:
    ///   - tool: The program.
    ///   - date: The page's date: `November 28, 2026`.
    init(_ tool: ToolDescription, date: String) {
        self.tool = tool
        let command = tool.command
        line(".Dd \(date)")
        line(".Dt \(Self.word(command.commandName.uppercased())) 1")
        line(".Os")
        line(".Sh NAME")
        line(".Nm \(Self.word(command.commandName))")
        line(".Nd \(Self.sentence(command.abstract ?? command.commandName))")
        line(".Sh SYNOPSIS")
        synopsis([command])
        line(".Sh DESCRIPTION")
        prose(command.discussion ?? command.abstract ?? "")
        if !command.options.isEmpty {
            line(".Sh OPTIONS")
            options(command.options)
        }
        if !command.commands.isEmpty {
            line(".Sh COMMANDS")
            for inner in command.commands { describe([command, inner]) }
        }
        if command.commandName != "lcp" {
            line(".Sh SEE ALSO")
            line(".Xr lcp 1")
        }
    }

    /// A command below the program, and those below it.
    private mutating func describe(_ path: [ToolDescription.Command]) {
        guard let command = path.last, let root = path.first else { return }
        line(".Ss \(Self.word(path.map(\.commandName).joined(separator: " ")))")
        if let abstract = command.abstract { prose(abstract) }
        if let discussion = command.discussion {
            line(".Pp")
            prose(discussion)
        }
        // What the program has itself is explained above.
        let known = Set(root.options.map(\.name))
        let own = command.options.filter { !known.contains($0.name) }
        list(own)
        for inner in command.commands { describe(path + [inner]) }
    }

    private mutating func synopsis(_ path: [ToolDescription.Command]) {
        guard let command = path.last else { return }
        line(".Nm")
        for option in command.options where !["help", "version"].contains(option.name) {
            let form = Self.form(option)
            let more = option.isRepeating ? " ..." : ""
            line(option.isOptional ? ".Op \(form)\(more)" : ".\(form)\(more)")
        }
        for inner in command.commands {
            line(".Nm")
            line(".Cm \(Self.word(inner.commandName))")
            if !inner.commands.isEmpty { line(".Ar command") }
            if !inner.options.isEmpty { line(".Op Ar options") }
        }
    }

    /// Options under the titles of their groups, those without one first.
    private mutating func options(_ options: [ToolDescription.Argument]) {
        list(options.filter { $0.sectionTitle == nil })
        var titles: [String] = []
        for case let title? in options.map(\.sectionTitle) where !titles.contains(title) {
            titles.append(title)
        }
        for title in titles {
            line(".Ss \(Self.word(title))")
            list(options.filter { $0.sectionTitle == title })
        }
    }

    private mutating func list(_ options: [ToolDescription.Argument]) {
        guard !options.isEmpty else { return }
        line(".Bl -tag -width Ds")
        for option in options {
            line(".It \(Self.form(option))")
            prose(option.abstract ?? "")
            if let discussion = option.discussion {
                line(".Pp")
                prose(discussion)
            }
            if let values = option.allValues {
                prose("One of \(values.joined(separator: ", ")).")
            }
            if let value = option.defaultValue, !value.isEmpty, option.kind == .option {
                prose("The default is \(value).")
            }
        }
        line(".El")
    }

    /// How an option is written: `Fl -journal Ar path`.
    private static func form(_ option: ToolDescription.Argument) -> String {
        let value = option.valueName ?? option.name
        switch option.kind {
        case .positional:
            return (option.parsingStrategy == "postTerminator" ? "Fl - Ar " : "Ar ") + word(value)
        case .flag: return "Fl -\(word(option.name))"
        case .option: return "Fl -\(word(option.name)) Ar \(word(value))"
        }
    }

    // MARK: - Text

    /// Paragraphs; what is indented stays as it is.
    private mutating func prose(_ text: String) {
        var isLiteral = false
        var isTagged = false
        var isParagraph = false
        let parts = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            let isIndented = part.hasPrefix("  ")
            if isTagged, !isIndented {
                line(".El")
                isTagged = false
            }
            if isLiteral != isIndented, !isTagged {
                if isIndented, Self.isTagged(parts[index...]) {
                    line(".Bl -tag -width Ds")
                    isTagged = true
                } else {
                    line(isIndented ? ".Bd -literal -offset indent" : ".Ed")
                    isLiteral = isIndented
                }
            }
            if isTagged, let (tag, text) = Self.tagged(part) {
                line(".It \(Self.word(tag))")
                wrapped(text)
            } else if isLiteral {
                line(Self.escaped(String(part.dropFirst(2))))
            } else if part.isEmpty {
                isParagraph = true
            } else if part.allSatisfy({ $0.isUppercase || $0 == " " || $0 == "." }), part.count > 3
            {
                line(".Pp")
                line(".Sy \(Self.word(String(part)))")
                isParagraph = false
            } else {
                if isParagraph { line(".Pp") }
                isParagraph = false
                wrapped(String(part))
            }
        }
        if isTagged { line(".El") }
        if isLiteral { line(".Ed") }
    }

    /// `name  what it is`, as tables in help texts are.
    private static func tagged(_ line: Substring) -> (tag: String, text: String)? {
        let line = line.drop { $0 == " " }
        guard let gap = line.range(of: "  "), !line.contains(" #") else { return nil }
        return (String(line[..<gap.lowerBound]), line[gap.lowerBound...].trimmed)
    }

    /// Whether the indented lines that begin a text are a table.
    private static func isTagged(_ lines: ArraySlice<Substring>) -> Bool {
        lines.prefix { $0.hasPrefix("  ") }.allSatisfy { tagged($0) != nil }
    }

    /// Lines end with a sentence, so that the formatter sees it, and before the 80th column.
    private mutating func wrapped(_ text: String) {
        var current = ""
        for word in text.split(separator: " ") {
            if !current.isEmpty, current.count + word.count > 77 || current.hasSuffix(".") {
                line(Self.escaped(current))
                current = ""
            }
            current += (current.isEmpty ? "" : " ") + word
        }
        if !current.isEmpty { line(Self.escaped(current)) }
    }

    private mutating func line(_ text: String) { self.text += text + "\n" }

    /// Nothing in a text may be taken for a request or an escape.
    private static func escaped(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let plain = line.replacing("\\", with: "\\e")
            return plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&\(plain)" : plain
        }.joined(separator: "\n")
    }

    /// One argument of a macro.
    private static func word(_ text: String) -> String {
        let plain = text.replacing("\\", with: "\\e").replacing("\"", with: "\\(dq")
        // Two letters could be a macro's name, and spaces would make several arguments.
        return plain.contains(" ") || plain.count <= 2 ? "\"\\&\(plain)\"" : plain
    }

    /// `.Nd` wants no full stop.
    private static func sentence(_ text: String) -> String {
        escaped(text.hasSuffix(".") ? String(text.dropLast()) : text)
    }
}

extension Substring {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
