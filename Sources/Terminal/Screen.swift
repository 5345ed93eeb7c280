/// A whole terminal, of which only changed lines are written, all at once.
///
/// Pure: gives the bytes that turn the last frame into the next. They stand between the marks of a
/// synchronized update (DEC mode 2026), so that no half frame is seen where the terminal knows them.
package struct Screen: Sendable {
    /// Takes the alternate screen and hides the cursor.
    package static let enter = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J"
    /// Gives back what was there before.
    package static let leave = "\u{1b}[?25h\u{1b}[?1049l"

    private var lines: [String] = []
    private var size = TerminalSize(rows: 0, columns: 0)

    /// Nothing is drawn yet.
    package init() {}

    /// Draws a frame.
    ///
    /// - Parameters:
    ///   - frame: The lines from the top, without control characters but colours; what does not fit
    ///     is left out.
    ///   - size: How large the terminal is; a change draws everything anew.
    /// - Returns: What to write; empty when nothing has changed.
    package mutating func draw(_ frame: [Line], size: TerminalSize) -> String {
        if size != self.size {
            self.size = size
            lines = []
        }
        let wanted = frame.prefix(size.rows).map { $0.text(columns: size.columns) }
        let isFirst = lines.isEmpty
        var output = isFirst ? "\u{1b}[2J" : ""
        for (row, line) in wanted.enumerated() where row >= lines.count || lines[row] != line {
            output += "\u{1b}[\(row + 1);1H\(line)\u{1b}[K"
        }
        if wanted.count < lines.count { output += "\u{1b}[\(wanted.count + 1);1H\u{1b}[J" }
        lines = wanted
        guard !output.isEmpty, !(isFirst && wanted.isEmpty) else { return "" }
        return "\u{1b}[?2026h\(output)\u{1b}[?2026l"
    }

    /// A line, in one look from its beginning to its end.
    package struct Line: Equatable, Sendable {
        /// How a line looks.
        package enum Look: String, Sendable {
            /// As the terminal writes.
            case plain = ""
            /// What stands out.
            case bold = "1"
            /// What stands back.
            case dim = "2"
            /// What is wrong.
            case red = "31"
        }

        /// What it says.
        package var content: String
        /// How it looks.
        package var look: Look

        /// Takes what it says and how it looks.
        package init(_ content: String, _ look: Look = .plain) {
            self.content = content
            self.look = look
        }

        fileprivate func text(columns: Int) -> String {
            let cut = DisplayWidth.prefix(content, columns: columns)
            return look == .plain ? cut : "\u{1b}[\(look.rawValue)m\(cut)\u{1b}[0m"
        }
    }
}

/// How large a terminal is.
package struct TerminalSize: Equatable, Sendable {
    /// Lines.
    package var rows: Int
    /// Characters of single width in a line.
    package var columns: Int

    /// Takes both.
    package init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
    }
}
