import LCPTesting
import Terminal
import Testing

/// What is seen of a text that is edited, and of a whole screen.
@Suite struct ViewTests {
    private func seen(_ keys: [Key], columns: Int = 10) -> Glass {
        var editor = LineEditor()
        var view = EditorView(prompt: "> ")
        var glass = Glass(columns: columns)
        for key in keys {
            _ = editor.handle(key)
            glass.write(view.draw(editor, columns: columns))
        }
        return glass
    }

    @Test func `a text stands behind the prompt and the cursor in it`() {
        let glass = seen([.text("hello"), .left, .left])
        #expect(glass.text == ["> hello"])
        #expect((glass.row, glass.column) == (0, 5))
    }

    @Test func `a long text goes on below, and back when it is shortened`() {
        let keys: [Key] = "abcdefghijkl".map { .text(String($0)) }
        let long = seen(keys)
        #expect(long.text == ["> abcdefgh", "  ijkl"])
        #expect((long.row, long.column) == (1, 6))
        let short = seen(keys + [.home, .killToEnd, .text("x")])
        #expect(short.text == ["> x"])
        #expect((short.row, short.column) == (0, 3))
    }

    @Test func `wide characters take two columns and are not cut`() {
        let glass = seen([.text("漢字漢字a")], columns: 9)
        #expect(glass.text.map { $0.filter { $0 != "\u{200b}" } } == ["> 漢字漢", "  字a"])
        #expect(glass.column == 5)
    }

    @Test func `lines of a paste stand below each other and control characters do nothing`() {
        let glass = seen([.text("one\ntwo\u{1b}[2J\tx")], columns: 20)
        #expect(glass.text == ["> one", "  two\u{fffd}[2J  x"])
    }

    @Test func `a screen writes only lines that have changed`() {
        var screen = Screen()
        var glass = Glass()
        let size = TerminalSize(rows: 24, columns: 80)
        var frame = (0..<20).map { Screen.Line("line \($0)") }
        glass.write(screen.draw(frame, size: size))
        #expect(glass.text == frame.map(\.content))
        #expect(screen.draw(frame, size: size) == "")
        frame[7].content = "changed"
        let before = glass.written
        glass.write(screen.draw(frame, size: size))
        #expect(glass.written - before == 7)
        #expect(glass.text == frame.map(\.content))
        frame.removeLast(5)
        glass.write(screen.draw(frame, size: size))
        #expect(glass.text == frame.map(\.content))
    }

    @Test func `a frame is cut to the terminal, and drawn anew when that changes`() {
        var screen = Screen()
        let frame = (0..<9).map { Screen.Line("漢字漢字 \($0)", .bold) }
        var small = Glass(rows: 3, columns: 5)
        small.write(screen.draw(frame, size: TerminalSize(rows: 3, columns: 5)))
        #expect(small.text.map { $0.filter { $0 != "\u{200b}" } } == ["漢字", "漢字", "漢字"])
        var large = Glass()
        large.write(screen.draw(frame, size: TerminalSize(rows: 24, columns: 80)))
        #expect(large.text.count == 9)
    }

    @Test func `a frame comes as one synchronized update`() {
        var screen = Screen()
        let output = screen.draw([.init("x")], size: TerminalSize(rows: 2, columns: 2))
        #expect(output.hasPrefix("\u{1b}[?2026h") && output.hasSuffix("\u{1b}[?2026l"))
    }

    @Test(arguments: [
        ("abc", 3), ("漢字", 4), ("é", 1), ("e\u{301}", 1), ("👨‍👩‍👧", 2), ("🇩🇪", 2), ("❤️", 2),
        ("\u{1b}", 0), ("ｗ", 2), ("─", 1), ("", 0),
    ])
    func `text has the width that terminals give it`(text: String, width: Int) {
        #expect(DisplayWidth.of(text) == width)
        #expect(DisplayWidth.of(DisplayWidth.fit(text, columns: 7)) == 7)
    }
}
