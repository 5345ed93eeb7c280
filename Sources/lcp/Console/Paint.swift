import Glibc

/// Colours for people: only on a terminal, and never with NO_COLOR (no-color.org).
enum Paint {
    /// Whether a stream may be coloured.
    static func isAllowed(on descriptor: CInt) -> Bool {
        guard isatty(descriptor) == 1 else { return false }
        if let value = getenv("NO_COLOR"), value.pointee != 0 { return false }
        return getenv("TERM").map { String(cString: $0) } != "dumb"
    }

    /// A text in bold.
    static func bold(_ text: String, on descriptor: CInt) -> String { wrap(text, "1", descriptor) }

    /// A text that stands back.
    static func dim(_ text: String, on descriptor: CInt) -> String { wrap(text, "2", descriptor) }

    /// Good news.
    static func green(_ text: String, on descriptor: CInt) -> String {
        wrap(text, "32", descriptor)
    }

    /// Bad news.
    static func red(_ text: String, on descriptor: CInt) -> String { wrap(text, "31", descriptor) }

    private static func wrap(_ text: String, _ code: String, _ descriptor: CInt) -> String {
        isAllowed(on: descriptor) ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
