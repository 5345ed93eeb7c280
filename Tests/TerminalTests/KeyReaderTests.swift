import LCPTesting
import Terminal
import Testing

/// A terminal's bytes as keys.
@Suite struct KeyReaderTests {
    private func keys(_ text: String) -> [Key] {
        var reader = KeyReader()
        return reader.read(text.utf8)
    }

    @Test func `characters of any length are text`() {
        #expect(keys("aß漢👍") == [.text("a"), .text("ß"), .text("漢"), .text("👍")])
    }

    @Test(arguments: [
        ("\u{01}", Key.home), ("\u{05}", .end), ("\u{0b}", .killToEnd), ("\u{15}", .killToStart),
        ("\u{17}", .killWord), ("\u{03}", .interrupt), ("\u{04}", .endOfInput), ("\r", .enter),
        ("\u{7f}", .backspace), ("\u{1b}[A", .up), ("\u{1b}OB", .down), ("\u{1b}[C", .right),
        ("\u{1b}[D", .left), ("\u{1b}[H", .home), ("\u{1b}[4~", .end), ("\u{1b}[3~", .delete),
        ("\u{1b}[1;5D", .wordLeft), ("\u{1b}f", .wordRight), ("\u{1b}\r", .newline),
    ])
    func `control characters and sequences are keys`(bytes: String, key: Key) {
        #expect(keys(bytes) == [key])
        #expect(keys(bytes + "x") == [key, .text("x")])
    }

    @Test func `a paste is one text whatever it holds, its line ends are line feeds`() {
        #expect(
            keys("\u{1b}[200~one\r\ntwo\rthree\u{03}\u{1b}[201~!")
                == [.text("one\ntwo\nthree\u{03}"), .text("!")]
        )
    }

    @Test func `bytes may come in any pieces`() {
        let text = "a\u{1b}[1;5Cß\u{1b}[200~x\ny漢\u{1b}[201~\u{1b}[3~👍\r"
        let whole = keys(text)
        #expect(whole.count == 7)
        var random = SeededGenerator(seed: 3)
        for _ in 0..<200 {
            var reader = KeyReader()
            var rest = Array(text.utf8)[...]
            var got: [Key] = []
            while !rest.isEmpty {
                let count = min(rest.count, Int.random(in: 1...4, using: &random))
                got += reader.read(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            #expect(got == whole)
            #expect(!reader.isWaiting)
        }
    }

    @Test func `an escape alone waits until it is given up`() {
        var reader = KeyReader()
        #expect(reader.read([0x1b]) == [])
        #expect(reader.isWaiting)
        reader.timeOut()
        #expect(reader.read(Array("[A".utf8)) == [.text("["), .text("A")])
    }

    @Test func `what is no UTF-8 or no known sequence is skipped`() {
        var reader = KeyReader()
        #expect(reader.read([0xff, 0xc3, 0x28, 0x61]) == [.text("("), .text("a")])
        #expect(reader.read(Array("\u{1b}[99;99q\u{1b}[Zb".utf8)) == [.text("b")])
    }
}
