import Foundation
import Testing

/// How the source must look, as far as `swift format` does not see to it.
@Suite struct HouseTests {
    @Test func `whatever can crash or cheat the compiler has a comment that says why`() {
        let cheats =
            #/
                try! | \b as! | fatalError \( | @unchecked \s Sendable | nonisolated \( unsafe \)
                | [ \w \) \] \} > ] ! (?! = )
            /#
        // Its message says why.
        let stops = /preconditionFailure\(\s*\)|precondition\([^,]*\)\s*$/
        for file in SourceFile.written(under: "Sources") {
            for (index, line) in file.lines.enumerated() where Self.mayStop(line.code) {
                let place = "\(file.path):\(index + 1): \(file.text[index])"
                #expect(line.code.firstMatch(of: stops) == nil, "\(place)")
                guard line.code.firstMatch(of: cheats) != nil else { continue }
                #expect(file.hasComment(around: index), "\(place)")
            }
        }
    }

    /// Whether a line is worth a closer look, which takes long.
    private static func mayStop(_ code: String) -> Bool {
        code.utf8.contains(UInt8(ascii: "!"))
            || ["fatalError", "@unchecked", "nonisolated(", "precondition"].contains {
                code.contains($0)
            }
    }

    @Test func `a file that people wrote has at most 400 lines`() {
        let long = SourceFile.written(under: "Sources")
            .filter { $0.text.count - 1 > 400 }.map(\.path)
        #expect(long.isEmpty, "\(long)")
    }

    @Test func `the README's layout names every folder of Sources and Tests, and no other`()
        throws
    {
        let readme = try String(
            contentsOf: SourceTree.root.appending(path: "README.md"),
            encoding: .utf8
        )
        let layout = try #require(readme.components(separatedBy: "\n## Layout\n").dropFirst().first)
        let rows = layout.components(separatedBy: "\n## ")[0].split(separator: "\n")
            .filter { $0.hasPrefix("| `") }
        // `Sources/lcp-…` stands for all that begin so.
        let names = rows.flatMap { row in
            row.split(separator: "|")[0].matches(of: /`([^`]+)`/).map { String($0.1) }
        }
        #expect(names.count > 30)
        #expect(Set(names).count == names.count)
        var used: Set<String> = []
        for parent in ["Sources", "Tests"] {
            let place = SourceTree.root.appending(path: parent)
            for name in try FileManager.default.contentsOfDirectory(atPath: place.path()) {
                let values = try place.appending(path: name)
                    .resourceValues(forKeys: [.isDirectoryKey])
                guard values.isDirectory == true else { continue }
                let fitting = names.filter { $0.names("\(parent)/\(name)") }
                #expect(!fitting.isEmpty, "\(parent)/\(name) is not in the README's layout")
                used.formUnion(fitting)
            }
        }
        let unused = names.filter { !used.contains($0) && $0.contains("/") }
        #expect(unused.isEmpty, "not there: \(unused)")
    }
}

extension SourceFile {
    /// Whether a line has a comment beside it, directly above or directly below its statement.
    fileprivate func hasComment(around index: Int) -> Bool {
        func isComment(_ index: Int) -> Bool {
            lines.indices.contains(index) && !lines[index].comment.isEmpty
        }
        return isComment(index) || isComment(index - 1) || isComment(index + 1)
    }
}

extension String {
    /// Whether a name of the layout, in which `…` stands for anything, is that of a folder.
    fileprivate func names(_ folder: String) -> Bool {
        let parts = components(separatedBy: "…")
        guard parts.count == 2 else { return self == folder }
        return folder.hasPrefix(parts[0]) && folder.hasSuffix(parts[1])
            && folder.count > parts[0].count + parts[1].count
    }
}
