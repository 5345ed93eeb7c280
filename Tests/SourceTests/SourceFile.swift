import Foundation

/// A Swift file, each line divided into code and comment.
struct SourceFile: Sendable {
    /// One line.
    struct Line: Sendable {
        /// The code, with empty string literals.
        var code: String
        /// The comment with its slashes; empty when there is none.
        var comment: String
    }

    /// The path below the package.
    let path: String
    /// The lines as they are written.
    let text: [String]
    /// The same, divided.
    let lines: [Line]

    /// The file of a path; nil when there is none.
    ///
    /// - Parameter path: The path below the package.
    /// - Returns: The file.
    static func named(_ path: String) -> SourceFile? { all[path] }

    /// The Swift files below a folder that people wrote.
    static func written(under folder: String) -> [SourceFile] {
        all.values.filter { $0.path.hasPrefix("\(folder)/") && !$0.path.contains("/Generated/") }
            .sorted { $0.path < $1.path }
    }

    /// Every Swift file of the package, read once: each test looks at most of them.
    private static let all: [String: SourceFile] = {
        let paths = ["Sources", "Tests"].flatMap {
            (try? SourceTree.files(under: $0, withSuffix: ".swift")) ?? []
        }
        return Dictionary(
            uniqueKeysWithValues: paths.compactMap { path in
                SourceFile(path).map { (path, $0) }
            }
        )
    }()

    private init?(_ path: String) {
        let place = SourceTree.root.appending(path: path).path()
        guard let contents = FileManager.default.contents(atPath: place) else { return nil }
        self.path = path
        var isInText = false
        let divided = contents.split(
            separator: UInt8(ascii: "\n"),
            omittingEmptySubsequences: false
        )
        text = divided.map { String(decoding: $0, as: UTF8.self) }
        lines = divided.map { Self.divide($0, &isInText) }
    }

    /// Leaves out what stands in quotes; `isInText` says whether a long literal goes on.
    private static func divide(_ line: Data, _ isInText: inout Bool) -> Line {
        let quote = UInt8(ascii: "\"")
        let slash = UInt8(ascii: "/")
        let bytes = Array(line)
        func isQuote(_ index: Int) -> Bool { index < bytes.count && bytes[index] == quote }
        var code: [UInt8] = []
        var index = 0
        var isInQuotes = false
        while index < bytes.count {
            let byte = bytes[index]
            if byte == quote, isQuote(index + 1), isQuote(index + 2) {
                isInText.toggle()
                index += 3
                continue
            }
            if isInText || isInQuotes {
                if byte == UInt8(ascii: "\\") {
                    index += 2
                    continue
                }
                if byte == quote, !isInText {
                    isInQuotes = false
                    code.append(byte)
                }
            } else if byte == slash, index + 1 < bytes.count, bytes[index + 1] == slash {
                let comment = String(decoding: bytes[index...], as: UTF8.self)
                return Line(code: String(decoding: code, as: UTF8.self), comment: comment)
            } else {
                if byte == quote { isInQuotes = true }
                code.append(byte)
            }
            index += 1
        }
        return Line(code: String(decoding: code, as: UTF8.self), comment: "")
    }

    /// The modules the file imports.
    var imports: [String] {
        lines.compactMap { line in
            guard line.code.utf8.first != UInt8(ascii: " "), line.code.contains("import ") else {
                return nil
            }
            let words = line.code.split(separator: " ")
            // Before it stand attributes and an access level, after it perhaps a kind.
            guard let place = words.firstIndex(of: "import"), place + 1 < words.count else {
                return nil
            }
            let kinds: Set<Substring> = [
                "struct", "class", "enum", "func", "protocol", "typealias", "var", "let",
            ]
            let rest = words[(place + 1)...].drop { kinds.contains($0) }
            return rest.first.flatMap { $0.split(separator: ".").first }.map(String.init)
        }
    }
}
