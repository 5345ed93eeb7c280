import Foundation

/// The rules of the specifications, and where each is kept and watched:
/// `Tests/Fixtures/requirements.tsv`.
struct Requirements {
    /// One rule.
    struct Rule {
        var id: String
        /// `LCP v0.1`, `BOLT #1` or `BOLT #11`.
        var document: String
        /// `§5.3`, or a heading of the BOLT.
        var section: String
        /// Who must keep it.
        var binds: String
        /// The rule in our words.
        var rule: String
        /// The file that keeps it.
        var code: String
        /// The file of the test that fails without it.
        var testFile: String
        /// That test.
        var test: String

        /// What stands before the id in a citation.
        var source: String {
            section.hasPrefix("§") ? "\(document) \(section)" : document
        }
    }

    let rules: [Rule]

    /// Reads the table.
    init() throws {
        let table = try String(
            contentsOf: SourceTree.root.appending(path: "Tests/Fixtures/requirements.tsv"),
            encoding: .utf8
        )
        rules = try table.split(separator: "\n").dropFirst().map { line in
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
                .map(String.init)
            guard cells.count == 8 else { throw Malformed(line: String(line)) }
            return Rule(
                id: cells[0],
                document: cells[1],
                section: cells[2],
                binds: cells[3],
                rule: cells[4],
                code: cells[5],
                testFile: cells[6],
                test: cells[7]
            )
        }
    }

    struct Malformed: Error { var line: String }
}

/// A rule named in a comment: `LCP v0.1 §5.3 [execute-after-settlement]`.
struct Citation: Hashable {
    /// `LCP v0.1 §5.3`, `BOLT #11`.
    var source: String
    /// The rule's id.
    var id: String
}

extension SourceFile {
    /// The rules that comments of some lines cite.
    func citations(in lines: Range<Int>? = nil) -> [Citation] {
        // A pattern in a closure would be read anew for each line.
        let citation = /((?:LCP v0\.1 §[0-9.]*[0-9])|(?:BOLT #[0-9]+))((?:,? \[[a-z0-9-]+\])+)/
        let id = /\[([a-z0-9-]+)\]/
        return (lines ?? self.lines.indices).flatMap { index -> [Citation] in
            let comment = self.lines[index].comment
            guard comment.utf8.contains(UInt8(ascii: "[")) else { return [] }
            return comment.matches(of: citation).flatMap { match in
                match.2.matches(of: id).map {
                    Citation(source: String(match.1), id: String($0.1))
                }
            }
        }
    }

    /// The lines of a test: its comments and attributes, then its body; nil when there is none.
    func lines(ofTest name: String) -> Range<Int>? {
        guard let declaration = text.firstIndex(where: { $0.contains("func `\(name)`") }) else {
            return nil
        }
        var first = declaration
        while first > 0, !text[first - 1].trimmingCharacters(in: .whitespaces).isEmpty {
            first -= 1
        }
        let indentation = text[declaration].prefix { $0 == " " }
        let end = text[declaration...].firstIndex(of: "\(indentation)}") ?? text.endIndex - 1
        return first..<end + 1
    }
}
