import LCPInspector

/// An answer for people: one line a field, indented by depth.
///
/// What a peer wrote is shown without control characters, so that no message can move the cursor
/// or colour the terminal.
enum Table {
    /// Renders an answer below its title.
    static func render(_ answer: JSONText, title: String) -> String {
        title + "\n" + lines(answer, depth: 1).joined()
    }

    private static func lines(_ value: JSONText, depth: Int) -> [String] {
        switch value {
        case .object(let members):
            let width = members.map(\.name.count).max() ?? 0
            return members.flatMap { member -> [String] in
                let label = indent(depth) + member.name
                guard let text = inline(member.value) else {
                    return [label + "\n"] + lines(member.value, depth: depth + 1)
                }
                let gap = String(repeating: " ", count: width - member.name.count + 2)
                return [label + gap + text + "\n"]
            }
        case .array(let items):
            return items.enumerated().flatMap { index, item -> [String] in
                if let text = inline(item) { return [indent(depth) + text + "\n"] }
                return ["\(indent(depth))\(index + 1).\n"] + lines(item, depth: depth + 1)
            }
        case .null, .bool, .number, .decimal, .string:
            return [indent(depth) + (inline(value) ?? "") + "\n"]
        }
    }

    /// A value that fits behind its name; nil for what needs lines of its own.
    private static func inline(_ value: JSONText) -> String? {
        switch value {
        case .null: "-"
        case .bool(let value): value ? "yes" : "no"
        case .number(let value): String(value)
        case .decimal: "\(value)"
        case .string(let value): printable(value)
        case .array(let items) where items.isEmpty: "none"
        case .array(let items): scalars(items)
        case .object(let members): members.isEmpty ? "none" : nil
        }
    }

    /// A list of plain values on one line; nil when an item needs lines of its own.
    private static func scalars(_ items: [JSONText]) -> String? {
        let texts = items.compactMap { item -> String? in
            switch item {
            case .array, .object: nil
            case .null, .bool, .number, .decimal, .string: inline(item)
            }
        }
        return texts.count == items.count ? texts.joined(separator: ", ") : nil
    }

    /// A text without control characters but line breaks and tabs.
    static func printableLines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false)
                .map { printable(String($0)) }.joined(separator: "\t")
        }
        .joined(separator: "\n")
    }

    /// A text without control characters, which could move the cursor or colour the terminal.
    static func printable(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
                .unassigned:
                line += scalar.escaped(asASCII: true)
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line
    }

    private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }
}
