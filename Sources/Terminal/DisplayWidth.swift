/// How many columns text takes on a terminal.
package enum DisplayWidth {
    /// The columns of one character: 0, 1 or 2.
    ///
    /// What East Asian Width (UAX #11) calls wide or full-width takes two columns, as emoji do;
    /// control characters and lone combining marks take none.
    package static func of(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.properties.generalCategory {
        case .control, .format, .nonspacingMark, .enclosingMark, .lineSeparator,
            .paragraphSeparator, .surrogate:
            return 0
        default: break
        }
        if scalar.value < 0x1100 { return 1 }
        // A symbol that asks for its coloured picture, and flags, which are two scalars.
        let isPicture =
            scalar.properties.isEmojiPresentation
            || character.unicodeScalars.contains { $0.value == 0xfe0f }
        return isPicture || isWide(scalar.value) ? 2 : 1
    }

    /// The columns of a text in one line.
    package static func of(_ text: some StringProtocol) -> Int {
        text.reduce(0) { $0 + of($1) }
    }

    /// The longest beginning of a text that fits into so many columns.
    package static func prefix(_ text: some StringProtocol, columns: Int) -> String {
        var (line, width) = ("", 0)
        for character in text {
            width += of(character)
            guard width <= columns else { break }
            line.append(character)
        }
        return line
    }

    /// A text cut or filled with spaces to exactly so many columns.
    package static func fit(_ text: some StringProtocol, columns: Int) -> String {
        let cut = prefix(text, columns: columns)
        return cut + String(repeating: " ", count: max(0, columns - of(cut)))
    }

    private static func isWide(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0x9fff,
            0xa000...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
            0xff01...0xff60, 0xffe0...0xffe6, 0x17000...0x18cff, 0x1b000...0x1b2ff,
            0x20000...0x3fffd:
            true
        default: false
        }
    }
}
