/// Draws a text that is being edited: over several rows if need be, the cursor in its place.
///
/// Pure: gives the bytes that turn what was drawn last into what is to be seen now.
package struct EditorView: Sendable {
    private let prompt: String
    /// The row of the cursor, counted from the first row of the text.
    private var cursorRow = 0

    /// Takes what stands before the first line; further lines are indented as far.
    package init(prompt: String) { self.prompt = prompt }

    /// Draws the text as it stands.
    ///
    /// - Parameters:
    ///   - editor: What is edited.
    ///   - columns: How wide the terminal is.
    /// - Returns: What to write.
    package mutating func draw(_ editor: LineEditor, columns: Int) -> String {
        let (rows, cursor) = layOut(editor, columns: max(columns, 8))
        var output = "\r" + (cursorRow > 0 ? "\u{1b}[\(cursorRow)A" : "") + "\u{1b}[J"
        output += rows.joined(separator: "\r\n")
        let up = rows.count - 1 - cursor.row
        if up > 0 { output += "\u{1b}[\(up)A" }
        output += "\r" + (cursor.column > 0 ? "\u{1b}[\(cursor.column)C" : "")
        cursorRow = cursor.row
        return output
    }

    /// Leaves the text where it is and goes to the line below it.
    package mutating func leave(_ editor: LineEditor, columns: Int) -> String {
        let (rows, cursor) = layOut(editor, columns: max(columns, 8))
        let down = rows.count - 1 - cursor.row
        cursorRow = 0
        return (down > 0 ? "\u{1b}[\(down)B" : "") + "\r\n"
    }

    /// Begins anew: what was drawn is not there any more.
    package mutating func forget() { cursorRow = 0 }

    private func layOut(
        _ editor: LineEditor,
        columns: Int
    ) -> (rows: [String], cursor: (row: Int, column: Int)) {
        let indent = DisplayWidth.of(prompt)
        var rows = [prompt]
        var column = indent
        var cursor = (row: 0, column: indent)
        func breakRow() {
            rows.append(String(repeating: " ", count: indent))
            column = indent
        }
        for (index, character) in editor.text.enumerated() {
            // A tab or a control character could go anywhere: shown as something with a width.
            let shown = Self.shown(character)
            let width = DisplayWidth.of(shown)
            if character != "\n", column + width > columns { breakRow() }
            if index == editor.cursor { cursor = (rows.count - 1, column) }
            if character == "\n" {
                breakRow()
            } else {
                rows[rows.count - 1] += shown
                column += width
            }
        }
        if editor.cursor == editor.text.count {
            // Behind the last column there is no place for the cursor.
            if column >= columns { breakRow() }
            cursor = (rows.count - 1, column)
        }
        return (rows, cursor)
    }

    private static func shown(_ character: Character) -> String {
        if character == "\t" { return "  " }
        guard DisplayWidth.of(character) == 0 else { return String(character) }
        return "\u{fffd}"
    }
}
