/// A text that somebody edits, of one line or several, with the history of earlier ones.
///
/// Pure: keys go in, the text and the cursor come out.
package struct LineEditor: Sendable {
    /// What became of a key.
    package enum Outcome: Equatable, Sendable {
        /// Go on; the text may look different now.
        case editing
        /// The text is complete.
        case submitted(String)
        /// Ctrl-C: the text was dropped; whether there was any.
        case interrupted(hadText: Bool)
        /// Ctrl-D on an empty line.
        case ended
        /// Everything is to be drawn anew.
        case redraw
    }

    /// The text as characters, each of which the cursor passes in one step.
    package private(set) var text: [Character] = []
    /// How many characters are before the cursor.
    package private(set) var cursor = 0

    private var history: [String]
    /// Where in the history we are; its count when in none of them.
    private var place: Int
    /// What was typed before somebody went into the history.
    private var draft: [Character] = []
    private var killed: [Character] = []
    private let limit: Int

    /// Begins with an empty text.
    ///
    /// - Parameters:
    ///   - history: Earlier texts, oldest first.
    ///   - limit: The most characters; more are not taken.
    package init(history: [String] = [], limit: Int = 1 << 20) {
        self.history = history
        self.limit = limit
        place = history.count
    }

    /// Remembers a text for the arrow keys, unless it repeats the last one.
    package mutating func remember(_ text: String) {
        if history.last != text, !text.isEmpty { history.append(text) }
        if history.count > 1_000 { history.removeFirst() }
        place = history.count
    }

    /// Takes a key.
    package mutating func handle(_ key: Key) -> Outcome {
        switch key {
        case .text(let text): insert(Array(text))
        case .newline: insert(["\n"])
        case .enter:
            let submitted = String(text)
            reset()
            return .submitted(submitted)
        case .interrupt:
            let hadText = !text.isEmpty
            reset()
            return .interrupted(hadText: hadText)
        case .endOfInput:
            if text.isEmpty { return .ended }
            delete(cursor..<min(cursor + 1, text.count))
        case .left: cursor = max(0, cursor - 1)
        case .right: cursor = min(text.count, cursor + 1)
        case .home: cursor = lineStart(cursor)
        case .end: cursor = lineEnd(cursor)
        case .wordLeft: cursor = wordStart()
        case .wordRight: cursor = wordEnd()
        case .up: moveUp()
        case .down: moveDown()
        case .backspace: delete(max(0, cursor - 1)..<cursor)
        case .delete: delete(cursor..<min(cursor + 1, text.count))
        case .killWord: kill(wordStart()..<cursor)
        case .killToStart: kill(lineStart(cursor)..<cursor)
        case .killToEnd:
            let end = lineEnd(cursor)
            // At the end of a line its line end goes.
            kill(cursor..<(end == cursor ? min(end + 1, text.count) : end))
        case .yank: insert(killed)
        case .redraw: return .redraw
        }
        return .editing
    }

    private mutating func insert(_ new: [Character]) {
        // A combining mark joins the character before it, so the text is put together anew.
        let before = Array(String(text[..<cursor]) + String(new.prefix(max(0, limit - text.count))))
        text = before + text[cursor...]
        cursor = before.count
    }

    private mutating func delete(_ range: Range<Int>) {
        text.removeSubrange(range)
        cursor = range.lowerBound
    }

    private mutating func kill(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        killed = Array(text[range])
        delete(range)
    }

    private mutating func reset() {
        (text, cursor, draft, place) = ([], 0, [], history.count)
    }

    // MARK: - Places

    private func lineStart(_ position: Int) -> Int {
        (text[..<position].lastIndex(of: "\n") ?? -1) + 1
    }

    private func lineEnd(_ position: Int) -> Int {
        text[position...].firstIndex(of: "\n") ?? text.count
    }

    private func wordStart() -> Int {
        var position = cursor
        while position > 0, text[position - 1].isWhitespace { position -= 1 }
        while position > 0, !text[position - 1].isWhitespace { position -= 1 }
        return position
    }

    private func wordEnd() -> Int {
        var position = cursor
        while position < text.count, text[position].isWhitespace { position += 1 }
        while position < text.count, !text[position].isWhitespace { position += 1 }
        return position
    }

    // MARK: - Up and down

    private mutating func moveUp() {
        let start = lineStart(cursor)
        guard start == 0 else {
            let above = lineStart(start - 1)
            cursor = min(above + cursor - start, start - 1)
            return
        }
        guard place > 0 else { return }
        if place == history.count { draft = text }
        show(place - 1)
    }

    private mutating func moveDown() {
        let end = lineEnd(cursor)
        guard end == text.count else {
            cursor = min(end + 1 + cursor - lineStart(cursor), lineEnd(end + 1))
            return
        }
        guard place < history.count else { return }
        show(place + 1)
    }

    private mutating func show(_ place: Int) {
        self.place = place
        text = place == history.count ? draft : Array(history[place])
        cursor = text.count
    }
}
