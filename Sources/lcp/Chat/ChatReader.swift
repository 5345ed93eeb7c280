import Glibc
import LCPInspector
import Terminal

/// Reads a chat's lines: edited on a terminal, else as they come.
struct ChatReader {
    /// Whether a person types: both the keys and what is said about them go through a terminal.
    static var isInteractive: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    private let isInteractive = Self.isInteractive
    private var pipe = StandardInput()
    private var editor = LineEditor(limit: 1 << 16)
    private var keys = KeyReader()
    /// Typed while nobody read.
    private var waiting: [Key] = []

    private static let prompt = "> "
    private static let beginPaste = "\u{1b}[?2004h"
    private static let endPaste = "\u{1b}[?2004l"

    /// Waits for the next line.
    ///
    /// - Returns: The line, which may have several on a terminal; nil at the end.
    /// - Throws: `ConsoleError`, `CancellationError`; `InspectionError` for what is no text.
    mutating func next() async throws -> String? {
        guard isInteractive else { return try await nextOfPipe() }
        guard let mode = TerminalMode(STDIN_FILENO) else { return try await nextOfPipe() }
        defer {
            try? Self.write(Self.endPaste)
            mode.restore()
        }
        try Self.write(Self.beginPaste)
        return try await edit()
    }

    private mutating func nextOfPipe() async throws -> String? {
        // A signal must not have to wait for whoever writes.
        if !pipe.hasBufferedLine { _ = try await TerminalInput.isReady(STDIN_FILENO) }
        guard let line = try pipe.nextLine() else { return nil }
        guard case .text(let bytes) = line, let text = String(validating: bytes, as: UTF8.self)
        else {
            throw InspectionError(code: "invalid-text", detail: "a line is too long or not UTF-8")
        }
        return text
    }

    private mutating func edit() async throws -> String? {
        var view = EditorView(prompt: Self.prompt)
        var columns = TerminalSize(of: STDERR_FILENO).columns
        try Self.write(view.draw(editor, columns: columns))
        while true {
            if waiting.isEmpty {
                // An escape key alone looks like the beginning of an arrow key for a moment.
                let patience: Duration? = keys.isWaiting ? .milliseconds(100) : nil
                switch try await TerminalInput.bytes(from: STDIN_FILENO, within: patience) {
                case nil: keys.timeOut()
                case let bytes? where bytes.isEmpty: return nil
                case let bytes?: waiting = keys.read(bytes)
                }
            }
            columns = TerminalSize(of: STDERR_FILENO).columns
            while !waiting.isEmpty {
                let key = waiting.removeFirst()
                let before = editor
                switch editor.handle(key) {
                case .editing: break
                case .submitted(let text):
                    try Self.write(view.draw(before, columns: columns))
                    try Self.write(view.leave(before, columns: columns))
                    editor.remember(text)
                    return text
                case .interrupted(let hadText):
                    try Self.write(view.leave(before, columns: columns))
                    if !hadText { try Self.write("Leave with /quit or Ctrl-D.\r\n") }
                case .ended:
                    try Self.write(view.leave(before, columns: columns))
                    return nil
                case .redraw:
                    view.forget()
                    try Self.write("\u{1b}[2J\u{1b}[H")
                }
            }
            try Self.write(view.draw(editor, columns: columns))
        }
    }

    private static func write(_ text: String) throws {
        try StandardOutput.write(Array(text.utf8), to: STDERR_FILENO)
    }
}
