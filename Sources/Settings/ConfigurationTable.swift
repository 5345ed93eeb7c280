import Foundation
import Yams

/// A mapping in a YAML file, read strictly.
///
/// Whoever reads a table names all its keys; any other is an error with its line. A price that is
/// misspelt would otherwise be a price that is not charged.
package struct ConfigurationTable {
    /// Where the table stands in the file: `llm.chat_profiles`; empty for the whole file.
    package let path: String
    /// The table's place: `provider.yaml:12`.
    package let place: String
    private let file: String
    private let entries: [(key: String, line: Int, value: Node)]

    /// No configuration file is as long, in bytes.
    private static let sizeLimit = 1 << 20

    /// Reads a file.
    ///
    /// - Parameter file: Its path.
    /// - Returns: What it says; empty for an empty file.
    /// - Throws: ``ConfigurationError`` when it can't be read or is no YAML.
    package static func read(_ file: String) throws(ConfigurationError) -> ConfigurationTable {
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw ConfigurationError(
                .unreadable,
                "\(file) can't be read",
                advice: "Check the path and its rights."
            )
        }
        guard bytes.count <= sizeLimit, let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError(.notYAML, "\(file) is not UTF-8 of at most 1 MiB")
        }
        return try parse(text, file: file)
    }

    /// Reads the text of a file.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - file: The file's name for error texts.
    /// - Returns: What it says; empty for an empty text.
    /// - Throws: ``ConfigurationError`` when it is no YAML.
    package static func parse(
        _ text: String,
        file: String
    ) throws(ConfigurationError) -> ConfigurationTable {
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch {
            throw ConfigurationError(.notYAML, error, file)
        }
        guard let root else {
            return ConfigurationTable(path: "", place: file, file: file, entries: [])
        }
        return try ConfigurationTable(root, path: "", file: file)
    }

    private init(_ node: Node, path: String, file: String) throws(ConfigurationError) {
        let line = node.mark?.line ?? 1
        guard let mapping = node.mapping else {
            throw ConfigurationError(
                .invalidValue,
                at: "\(file):\(line)",
                "\(path.isEmpty ? "the file" : path) must be a table of keys and values"
            )
        }
        var entries: [(key: String, line: Int, value: Node)] = []
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                throw ConfigurationError(
                    .invalidValue,
                    at: "\(file):\(key.mark?.line ?? line)",
                    "a key must be a text"
                )
            }
            entries.append((name, key.mark?.line ?? line, value))
        }
        self.init(path: path, place: "\(file):\(line)", file: file, entries: entries)
    }

    private init(
        path: String,
        place: String,
        file: String,
        entries: [(key: String, line: Int, value: Node)]
    ) {
        self.path = path
        self.place = place
        self.file = file
        self.entries = entries
    }

    /// Refuses every key but these.
    ///
    /// - Parameters:
    ///   - keys: The keys that may stand here.
    ///   - elsewhere: Keys that other programs read, and what to do with them.
    /// - Throws: ``ConfigurationError`` with the line of the first other key.
    package func allow(
        only keys: [String],
        elsewhere: [String: String] = [:]
    ) throws(ConfigurationError) {
        guard let stray = entries.first(where: { !keys.contains($0.key) }) else { return }
        let advice = elsewhere[stray.key] ?? "Known keys: \(keys.sorted().joined(separator: ", "))."
        throw ConfigurationError(
            .unknownKey,
            at: "\(file):\(stray.line)",
            "unknown key \(name(stray.key))",
            advice: advice
        )
    }

    /// The names of all entries, in the file's order.
    package var keys: [String] { entries.map(\.key) }

    /// A table in this one; nil when the key is absent.
    ///
    /// - Parameter key: The key.
    /// - Returns: The table.
    /// - Throws: ``ConfigurationError`` when the key's value is none.
    package func table(_ key: String) throws(ConfigurationError) -> ConfigurationTable? {
        guard let (_, value) = entry(key) else { return nil }
        return try ConfigurationTable(value, path: name(key), file: file)
    }

    /// A whole number; nil when the key is absent.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - range: What it may be.
    /// - Returns: The number.
    /// - Throws: ``ConfigurationError`` for anything else.
    package func integer<Value: FixedWidthInteger>(
        _ key: String,
        in range: ClosedRange<Value>
    ) throws(ConfigurationError) -> Value? {
        guard let (line, value) = entry(key) else { return nil }
        guard let scalar = value.scalar, scalar.style == .plain, let number = Value(scalar.string),
            range.contains(number)
        else {
            throw invalid(
                key,
                line,
                "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    /// A decimal number; nil when the key is absent.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - range: What it may be.
    /// - Returns: The number.
    /// - Throws: ``ConfigurationError`` for anything else.
    package func decimal(
        _ key: String,
        in range: ClosedRange<Double>
    ) throws(ConfigurationError) -> Double? {
        guard let (line, value) = entry(key) else { return nil }
        guard let scalar = value.scalar, scalar.style == .plain, let number = Double(scalar.string),
            range.contains(number)
        else {
            throw invalid(
                key,
                line,
                "must be a number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    /// `true` or `false`; nil when the key is absent.
    ///
    /// - Parameter key: The key.
    /// - Returns: Which of them.
    /// - Throws: ``ConfigurationError`` for anything else.
    package func flag(_ key: String) throws(ConfigurationError) -> Bool? {
        guard let (line, value) = entry(key) else { return nil }
        guard let scalar = value.scalar, scalar.style == .plain, let flag = Bool(scalar.string)
        else { throw invalid(key, line, "must be true or false") }
        return flag
    }

    /// A text that is not empty; nil when the key is absent.
    ///
    /// - Parameter key: The key.
    /// - Returns: The text.
    /// - Throws: ``ConfigurationError`` for anything else.
    package func text(_ key: String) throws(ConfigurationError) -> String? {
        guard let (line, value) = entry(key) else { return nil }
        guard let text = value.scalar?.string, !text.isEmpty else {
            throw invalid(key, line, "must be a text")
        }
        return text
    }

    /// A text or a list of texts, as they are written; nil when the key is absent.
    ///
    /// - Parameter key: The key.
    /// - Returns: At least one text, or none for an empty list.
    /// - Throws: ``ConfigurationError`` for a table, an empty value, or a list that holds either.
    package func texts(_ key: String) throws(ConfigurationError) -> [String]? {
        guard let (line, value) = entry(key) else { return nil }
        let nodes = value.sequence.map { Array($0) } ?? [value]
        var texts: [String] = []
        for node in nodes {
            guard let text = node.scalar?.string, !text.isEmpty, node.tag != Tag(.null) else {
                throw invalid(key, node.mark?.line ?? line, "must have a value")
            }
            texts.append(text)
        }
        return texts
    }

    /// Where a key stands: `provider.yaml:12`.
    func place(of key: String) -> String { entry(key).map { "\(file):\($0.line)" } ?? place }

    /// The key with the tables it stands in: `llm.max_output_tokens`.
    func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// Whether a key's value is a single word.
    ///
    /// - Parameters:
    ///   - word: The word.
    ///   - key: The key.
    /// - Returns: False as well when the key is absent.
    package func isWord(_ word: String, _ key: String) -> Bool {
        entry(key)?.value.scalar?.string == word
    }

    /// An error about a key that is there.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - rule: What its value must be.
    /// - Returns: The error, with the key's line.
    package func invalid(_ key: String, _ rule: String) -> ConfigurationError {
        invalid(key, entry(key)?.line, rule)
    }

    /// An error about a key that should be there.
    ///
    /// - Parameter key: The key.
    /// - Returns: The error, with the table's line.
    package func missing(_ key: String) -> ConfigurationError {
        ConfigurationError(.missing, at: place, "\(name(key)) is missing")
    }

    private func invalid(_ key: String, _ line: Int?, _ rule: String) -> ConfigurationError {
        ConfigurationError(
            .invalidValue,
            at: line.map { "\(file):\($0)" } ?? place,
            "\(name(key)) \(rule)"
        )
    }

    private func entry(_ key: String) -> (line: Int, value: Node)? {
        entries.first { $0.key == key }.map { ($0.line, $0.value) }
    }
}

extension ConfigurationError {
    /// What Yams says, without the excerpt it would print.
    fileprivate init(_ code: Code, _ error: any Error, _ file: String) {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            self.init(code, at: "\(file):\(mark.line)", problem)
        case .duplicatedKeysInMapping(let keys, _) where keys.contains("<uncovertable>"):
            // Yams finds no order, and so no first one, among keys of several kinds.
            self.init(code, at: file, "the same key twice, and keys that are no text")
        case .duplicatedKeysInMapping(let keys, let context):
            self.init(
                code,
                at: "\(file):\(context.mark.line)",
                "the same key twice: \(keys.joined(separator: ", "))"
            )
        default: self.init(code, "\(file) is not YAML")
        }
    }
}
