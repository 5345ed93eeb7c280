/// What somebody typed.
package enum Key: Equatable, Sendable {
    /// Text: one character, or what was pasted, line ends as `\n`.
    case text(String)
    /// The line is complete.
    case enter
    /// A line end inside the text: Alt-Enter.
    case newline
    /// Ctrl-C.
    case interrupt
    /// Ctrl-D: deletes, and ends on an empty line.
    case endOfInput
    case left, right, up, down, home, end
    case wordLeft, wordRight
    case backspace, delete
    /// Ctrl-W: the word before the cursor.
    case killWord
    /// Ctrl-U: everything before the cursor.
    case killToStart
    /// Ctrl-K: everything behind the cursor.
    case killToEnd
    /// Ctrl-Y: what was killed last.
    case yank
    /// Ctrl-L: draw everything anew.
    case redraw
}

/// Makes keys of a terminal's bytes: UTF-8, control characters, escape sequences, pasted text.
///
/// Pure. Bytes come in pieces of any size; what is not complete yet waits for the next.
package struct KeyReader: Sendable {
    /// A paste is cut here, in bytes; nothing longer could be sent anyway.
    private static let longestPaste = 1 << 20
    private static let pasteBegin = Array("\u{1b}[200~".utf8)
    private static let pasteEnd = Array("\u{1b}[201~".utf8)

    private var pending: [UInt8] = []
    private var pasted: [UInt8]?

    /// Nothing was typed yet.
    package init() {}

    /// Whether an escape character waits for what it begins, if anything.
    package var isWaiting: Bool { !pending.isEmpty }

    /// Takes bytes.
    ///
    /// - Parameter bytes: What the terminal sent.
    /// - Returns: The keys that are complete now.
    package mutating func read(_ bytes: some Sequence<UInt8>) -> [Key] {
        pending += bytes
        var keys: [Key] = []
        while !pending.isEmpty {
            if pasted != nil {
                guard takePasted() else { break }
                let text = String(decoding: pasted ?? [], as: UTF8.self)
                pasted = nil
                keys.append(.text(Self.lines(text)))
                continue
            }
            guard let (count, key) = next() else { break }
            pending.removeFirst(count)
            if let key { keys.append(key) }
        }
        return keys
    }

    /// Gives up waiting for the rest of an escape sequence.
    package mutating func timeOut() {
        if pasted == nil { pending = [] }
    }

    /// Moves pasted bytes over; whether the end of the paste was among them.
    private mutating func takePasted() -> Bool {
        let end = pending.firstRange(of: Self.pasteEnd)
        // The mark may be cut in two: keep what could be its beginning.
        let count = end?.lowerBound ?? max(0, pending.count - Self.pasteEnd.count + 1)
        let room = Self.longestPaste - (pasted?.count ?? 0)
        pasted?.append(contentsOf: pending.prefix(min(count, max(0, room))))
        pending.removeFirst(end?.upperBound ?? count)
        return end != nil
    }

    private static func lines(_ text: String) -> String {
        var result = ""
        for character in text {
            // A carriage return with a line feed is one character.
            result.append(character == "\r" || character == "\r\n" ? "\n" : character)
        }
        return result
    }

    /// The first key and how many bytes it has; nil when more must come.
    private mutating func next() -> (Int, Key?)? {
        let first = pending[0]
        switch first {
        case 0x1b: return escape()
        case 0x01: return (1, .home)
        case 0x02: return (1, .left)
        case 0x03: return (1, .interrupt)
        case 0x04: return (1, .endOfInput)
        case 0x05: return (1, .end)
        case 0x06: return (1, .right)
        case 0x08, 0x7f: return (1, .backspace)
        case 0x09: return (1, .text("\t"))
        case 0x0a, 0x0d: return (1, .enter)
        case 0x0b: return (1, .killToEnd)
        case 0x0c: return (1, .redraw)
        case 0x0e: return (1, .down)
        case 0x10: return (1, .up)
        case 0x15: return (1, .killToStart)
        case 0x17: return (1, .killWord)
        case 0x19: return (1, .yank)
        case 0x00..<0x20: return (1, nil)
        case 0x20..<0x7f: return (1, .text(String(UnicodeScalar(first))))
        default:
            let length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1
            guard pending.count >= length else { return nil }
            let text = String(validating: pending.prefix(length), as: UTF8.self)
            // What is no UTF-8 is skipped byte by byte.
            return text.map { (length, .text($0)) } ?? (1, nil)
        }
    }

    private mutating func escape() -> (Int, Key?)? {
        guard pending.count >= 2 else { return nil }
        switch pending[1] {
        case 0x0a, 0x0d: return (2, .newline)
        case UInt8(ascii: "b"): return (2, .wordLeft)
        case UInt8(ascii: "f"): return (2, .wordRight)
        case 0x7f: return (2, .killWord)
        case UInt8(ascii: "O"):
            guard pending.count >= 3 else { return nil }
            return (3, Self.cursorKeys[pending[2]])
        case UInt8(ascii: "["):
            guard let end = pending.dropFirst(2).firstIndex(where: { (0x40...0x7e).contains($0) })
            else {
                // No sequence is so long.
                return pending.count > 32 ? (pending.count, nil) : nil
            }
            if Array(pending[...end]) == Self.pasteBegin {
                pasted = []
                return (end + 1, nil)
            }
            return (end + 1, Self.key(pending[2..<end], pending[end]))
        default: return (2, nil)
        }
    }

    private static let cursorKeys: [UInt8: Key] = [
        UInt8(ascii: "A"): .up, UInt8(ascii: "B"): .down, UInt8(ascii: "C"): .right,
        UInt8(ascii: "D"): .left, UInt8(ascii: "H"): .home, UInt8(ascii: "F"): .end,
    ]

    private static func key(_ parameters: ArraySlice<UInt8>, _ final: UInt8) -> Key? {
        let text = String(decoding: parameters, as: UTF8.self)
        // With Ctrl or Alt the arrows go word by word.
        if ["1;5", "1;3"].contains(text) {
            if final == UInt8(ascii: "C") { return .wordRight }
            if final == UInt8(ascii: "D") { return .wordLeft }
        }
        guard final == UInt8(ascii: "~") else { return cursorKeys[final] }
        return switch text {
        case "1", "7": .home
        case "4", "8": .end
        case "3": .delete
        default: nil
        }
    }
}
