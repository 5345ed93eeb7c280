import Terminal

/// A terminal of glass: what the bytes that are written to it make visible.
///
/// Knows the few sequences that this module writes, and fails on any other.
struct Glass {
    private(set) var rows: [[Character]]
    private(set) var row = 0
    private(set) var column = 0
    /// How many characters were written, for tests that little is.
    private(set) var written = 0
    let columns: Int

    init(rows: Int = 24, columns: Int = 80) {
        self.columns = columns
        self.rows = Array(repeating: [], count: rows)
    }

    /// The rows without what is blank at their ends.
    var text: [String] {
        var lines = rows.map { String($0) }.map { line in
            String(line.reversed().drop { $0 == " " }.reversed())
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    mutating func write(_ output: String) {
        var rest = Array(output)[...]
        while let character = rest.popFirst() {
            switch character {
            case "\u{1b}":
                rest = rest.dropFirst()  // the bracket
                let parameters = String(rest.prefix { !$0.isLetter })
                rest = rest.dropFirst(parameters.count)
                guard let final = rest.popFirst() else { return }
                obey(final, parameters)
            case "\r": column = 0
            case "\n": row = min(row + 1, rows.count - 1)
            case "\r\n": (row, column) = (min(row + 1, rows.count - 1), 0)
            default: put(character)
            }
        }
    }

    private mutating func put(_ character: Character) {
        written += 1
        while rows[row].count < column { rows[row].append(" ") }
        let width = DisplayWidth.of(character)
        rows[row].replaceSubrange(
            column..<min(rows[row].count, column + width),
            with: [character] + Array(repeating: "\u{200b}", count: width - 1)
        )
        column += width
    }

    private mutating func obey(_ final: Character, _ parameters: String) {
        let count = Int(parameters) ?? 1
        switch (final, parameters) {
        case ("A", _): row = max(0, row - count)
        case ("B", _): row = min(rows.count - 1, row + count)
        case ("C", _): column += count
        case ("H", _):
            let place = parameters.split(separator: ";").compactMap { Int($0) }
            (row, column) = ((place.first ?? 1) - 1, (place.last ?? 1) - 1)
        case ("K", ""): rows[row] = Array(rows[row].prefix(column))
        case ("J", ""):
            rows[row] = Array(rows[row].prefix(column))
            for below in rows.indices.dropFirst(row + 1) { rows[below] = [] }
        case ("J", "2"): rows = rows.map { _ in [] }
        case ("h", _), ("l", _), ("m", _): break
        default: preconditionFailure("\(parameters)\(final)")
        }
    }
}
