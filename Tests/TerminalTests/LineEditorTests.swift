import LCPTesting
import Terminal
import Testing

/// Editing a text with keys.
@Suite struct LineEditorTests {
    private func edited(_ keys: [Key], history: [String] = []) -> (text: String, cursor: Int) {
        var editor = LineEditor(history: history)
        for key in keys { _ = editor.handle(key) }
        return (String(editor.text), editor.cursor)
    }

    @Test func `text goes in at the cursor`() {
        #expect(edited([.text("ac"), .left, .text("b")]) == ("abc", 2))
        #expect(edited([.text("bc"), .home, .text("a"), .end, .text("d")]) == ("abcd", 4))
    }

    @Test func `the cursor passes a character at a time, however many bytes it has`() {
        #expect(edited([.text("漢字👨‍👩‍👧x"), .left, .left, .backspace]) == ("漢👨‍👩‍👧x", 1))
        // An accent that comes after its letter joins it.
        #expect(edited([.text("e"), .text("\u{301}")]) == ("é", 1))
        #expect(edited([.text("e"), .text("\u{301}"), .backspace]) == ("", 0))
    }

    @Test func `killing takes words and ends of lines, and yanking brings them back`() {
        #expect(edited([.text("one two  "), .killWord]) == ("one ", 4))
        #expect(edited([.text("one two"), .killToStart, .yank, .yank]).text == "one twoone two")
        #expect(edited([.text("one two"), .wordLeft, .killToEnd]) == ("one ", 4))
        #expect(edited([.text("one\ntwo"), .up, .end, .killToEnd]) == ("onetwo", 3))
    }

    @Test func `deleting at the ends does nothing`() {
        #expect(edited([.backspace, .delete, .left, .killWord]) == ("", 0))
        #expect(edited([.text("a"), .delete, .right, .wordRight]) == ("a", 1))
    }

    @Test func `up and down go through the history and back to what was begun`() {
        let history = ["first", "second"]
        #expect(edited([.text("dra"), .up], history: history).text == "second")
        #expect(edited([.text("dra"), .up, .up, .up], history: history).text == "first")
        #expect(edited([.text("dra"), .up, .up, .down, .down], history: history).text == "dra")
        #expect(edited([.down], history: history).text == "")
    }

    @Test func `in a text of several lines up and down move between them`() {
        #expect(edited([.text("one\ntwo"), .up], history: ["x"]) == ("one\ntwo", 3))
        #expect(edited([.text("one\ntwo"), .up, .home, .down]) == ("one\ntwo", 4))
        #expect(edited([.text("one\ntwo"), .up, .up], history: ["x"]).text == "x")
    }

    @Test func `enter submits, control-c drops, control-d ends only an empty text`() {
        var editor = LineEditor()
        #expect(editor.handle(.endOfInput) == .ended)
        _ = editor.handle(.text("ab"))
        _ = editor.handle(.home)
        #expect(editor.handle(.endOfInput) == .editing)
        #expect(editor.handle(.enter) == .submitted("b"))
        #expect(editor.text.isEmpty)
        _ = editor.handle(.text("x"))
        #expect(editor.handle(.interrupt) == .interrupted(hadText: true))
        #expect(editor.handle(.interrupt) == .interrupted(hadText: false))
    }

    @Test func `a repeated text is remembered once`() {
        var editor = LineEditor()
        for text in ["a", "b", "b", ""] { editor.remember(text) }
        for _ in 0..<2 { _ = editor.handle(.up) }
        #expect(String(editor.text) == "a")
    }

    @Test func `no keys in any order put the cursor outside the text`() {
        let keys: [Key] = [
            .text("a"), .text("漢"), .text("x\ny"), .text("\u{301}"), .newline, .left, .right, .up,
            .down, .home, .end, .wordLeft, .wordRight, .backspace, .delete, .killWord,
            .killToStart, .killToEnd, .yank, .endOfInput, .interrupt, .enter, .redraw,
        ]
        for seed in UInt64(0)..<200 {
            var random = SeededGenerator(seed: seed)
            var editor = LineEditor(history: ["one", "two\nlines"], limit: 60)
            var view = EditorView(prompt: "> ")
            for _ in 0..<80 {
                guard let key = keys.randomElement(using: &random) else { continue }
                _ = editor.handle(key)
                #expect((0...editor.text.count).contains(editor.cursor), "seed \(seed)")
                #expect(editor.text.count <= 63, "seed \(seed)")
                _ = view.draw(editor, columns: 12)
            }
        }
    }
}
