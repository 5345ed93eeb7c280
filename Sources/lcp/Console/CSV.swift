/// Rows as comma-separated values (RFC 4180): a header, lines that end with CR LF, and quotes around
/// what has a comma, a quote or a line break in it.
enum CSV {
    /// Renders one record, its line end included.
    static func record(_ fields: [String]) -> String {
        fields.map { quoted($0) }.joined(separator: ",") + "\r\n"
    }

    private static func quoted(_ field: String) -> String {
        // By scalars: to Swift a CR LF is one character that equals neither.
        let needsQuotes = field.unicodeScalars.contains { [",", "\"", "\r", "\n"].contains($0) }
        guard needsQuotes else { return field }
        let doubled = field.unicodeScalars.reduce(into: "") { text, scalar in
            text.unicodeScalars.append(scalar)
            if scalar == "\"" { text.unicodeScalars.append(scalar) }
        }
        return "\"\(doubled)\""
    }
}
