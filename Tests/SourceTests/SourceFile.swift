import Foundation

/// A Swift file, each line divided into code and comment.
struct SourceFile {
    /// One line.
    struct Line {
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

    /// Reads a file.
    init(_ path: String) throws {
        self.path = path
        let contents = try String(
            contentsOf: SourceTree.root.appending(path: path),
            encoding: .utf8
        )
        text = contents.components(separatedBy: "\n")
        var isInText = false
        lines = text.map { Self.divide($0, &isInText) }
    }

    /// The Swift files below a folder that people wrote.
    static func written(under folder: String) throws -> [SourceFile] {
        try SourceTree.files(under: folder, withSuffix: ".swift")
            .filter { !$0.contains("/Generated/") }
            .map(SourceFile.init)
    }

    /// Leaves out what stands in quotes; `isInText` says whether a long literal goes on.
    private static func divide(_ line: String, _ isInText: inout Bool) -> Line {
        var code = ""
        var rest = line[...]
        var isInQuotes = false
        while let character = rest.first {
            if rest.hasPrefix("\"\"\"") {
                isInText.toggle()
                rest = rest.dropFirst(3)
            } else if isInText || isInQuotes {
                if character == "\\" {
                    rest = rest.dropFirst(2)
                    continue
                }
                if character == "\"", !isInText {
                    isInQuotes = false
                    code.append(character)
                }
                rest = rest.dropFirst()
            } else if rest.hasPrefix("//") {
                return Line(code: code, comment: String(rest))
            } else {
                if character == "\"" { isInQuotes = true }
                code.append(character)
                rest = rest.dropFirst()
            }
        }
        return Line(code: code, comment: "")
    }

    /// The modules the file imports.
    var imports: [String] {
        lines.compactMap { line in
            line.code.firstMatch(
                of:
                    #/
                    ^ (?: @ \w+ (?: \( \w+ \) )? \s )* (?: \w+ \s )? import \s
                    (?: (?: struct|class|enum|func|protocol|typealias|var|let ) \s )? (\w+)
                    /#
            ).map { String($0.1) }
        }
    }
}
