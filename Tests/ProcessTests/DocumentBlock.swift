import Foundation

/// A fenced block of a document.
struct DocumentBlock: Sendable {
    /// What follows the fence: `sh`, `console`, `yaml`; empty for nothing.
    var language: String
    /// Its lines.
    var lines: [String]
    /// Where its first line stands, from 1 on.
    var line: Int
    /// The paragraph before it, in which a document says what a block needs.
    var introduction: String

    /// The blocks of a text, in order.
    static func all(in text: String) -> [DocumentBlock] {
        var blocks: [DocumentBlock] = []
        var paragraph: [String] = []
        var open: DocumentBlock?
        var isEnded = false
        for (index, line) in text.components(separatedBy: "\n").enumerated() {
            if line.hasPrefix("```") {
                if let block = open {
                    blocks.append(block)
                    open = nil
                    paragraph = []
                } else {
                    open = DocumentBlock(
                        language: String(line.dropFirst(3)),
                        lines: [],
                        line: index + 2,
                        introduction: paragraph.joined(separator: " ")
                    )
                }
            } else if open != nil {
                open?.lines.append(line)
            } else if line.isEmpty {
                isEnded = true
            } else {
                if isEnded { paragraph = [] }
                isEnded = false
                paragraph.append(line)
            }
        }
        return blocks
    }

    /// What the block needs that a test has not, as its introduction says: `*needs root*`.
    var need: String? {
        let needs = /\*needs (root|a real node|the network)\b[^*]*\*/.ignoresCase()
        return introduction.firstMatch(of: needs).map { String($0.1) }
    }

    /// Whether a reader would type it.
    var isCommands: Bool { ["sh", "console"].contains(language) }

    /// The file that a block is to be written to, as its first line says.
    var file: String? {
        guard language == "yaml", let first = lines.first, first.hasPrefix("# /") else {
            return nil
        }
        return String(first.dropFirst(2))
    }

    /// Whether its commands change the machine they run on, or want more than our programs.
    var isForeign: Bool {
        let words =
            /\b(apt-get|bitcoind|btc|lncli|pip|sudo|systemctl|systemd\/install|Tests\/run)\b/
        return isCommands && lines.contains { $0.firstMatch(of: words) != nil }
    }

    /// Whether what it does wants somebody at the other end.
    var wantsBridge: Bool { language == "sh" && isRun }

    /// Whether a test does what it says.
    var isRun: Bool { (isCommands || file != nil) && need == nil && !isForeign }
}
