import LCPInspector

/// Text given as an argument, or on standard input when the argument is `-`.
enum InputText {
    /// Reads the text without the white space around it.
    static func read(_ argument: String) throws -> Substring {
        guard argument == "-" else { return trimmed(argument[...]) }
        let bytes = try StandardInput.readAll()
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw InspectionError(code: "invalid-text", detail: "standard input is not UTF-8")
        }
        return trimmed(text[...])
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
