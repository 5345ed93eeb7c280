/// Rows for people: a header and aligned columns.
///
/// Cells are shown without control characters, as in ``Table``.
enum Columns {
    /// Renders rows below a header.
    ///
    /// - Parameters:
    ///   - header: The columns' names.
    ///   - rows: As many cells a row as there are columns.
    /// - Returns: One line a row; without rows the header's place is taken by `none`.
    static func render(_ header: [String], _ rows: [[String]]) -> String {
        guard !rows.isEmpty else { return "none\n" }
        let lines = [header] + rows.map { $0.map { Table.printable($0) } }
        let widths = header.indices.map { column in
            lines.map { $0[column].count }.max() ?? 0
        }
        return lines.map { cells in
            var line = ""
            for (cell, width) in zip(cells, widths) {
                line += cell + String(repeating: " ", count: width - cell.count + 2)
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }
        .joined()
    }
}
