import LCPTesting
import OpenAIChat
import Testing

@Suite struct ServerSentEventTests {
    private func read(_ pieces: [[UInt8]], line: Int = 1_000, event: Int = 1_000) throws -> [String]
    {
        var reader = ServerSentEventReader(lineLimit: line, eventLimit: event)
        return try pieces.flatMap { try reader.append($0) }
            .map { String(decoding: $0.data, as: UTF8.self) }
    }

    private func read(_ text: String, line: Int = 1_000, event: Int = 1_000) throws -> [String] {
        try read([Array(text.utf8)], line: line, event: event)
    }

    @Test(
        arguments: [
            ("data: a\n\ndata: b\n\n", ["a", "b"]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
            ("data: a\r\rdata: b\r\r", ["a", "b"]),
            ("data:a\n\n", ["a"]),
            ("data:  a\n\n", [" a"]),
            ("data: a\ndata: b\n\n", ["a\nb"]),
            ("data\n\n", [""]),
            ("data:\ndata:\n\n", ["\n"]),
            (": a comment\n\n", []),
            (":\ndata: a\n: again\n\n", ["a"]),
            ("id: 1\nretry: 5\nevent: x\nother: y\ndata: a\n\n", ["a"]),
            ("\n\n\ndata: a\n\n\n\n", ["a"]),
            ("\u{feff}data: a\n\n", ["a"]),
            ("data: a\n\ndata: lost", ["a"]),
            ("data: lost\n", []),
            ("dat: a\n\n", []),
            ("data: Grüße 🌩\n\n", ["Grüße 🌩"]),
        ]
    )
    func `a stream is read as the standard says`(_ text: String, _ events: [String]) throws {
        #expect(try read(text) == events)
    }

    @Test func `where the bytes are split changes nothing`() throws {
        let text = Array(
            "\u{feff}: hi\r\n\r\ndata: eins\r\ndata: zwei\r\n\r\nevent: e\rdata: ü🌩\n\r\ndata: x\n\n"
                .utf8
        )
        let whole = try read([text])
        #expect(whole == ["eins\nzwei", "ü🌩", "x"])
        for first in text.indices {
            for second in first..<text.count {
                let pieces = [text[..<first], text[first..<second], text[second...]].map(Array.init)
                #expect(try read(pieces) == whole, "\(first) \(second)")
            }
        }
    }

    @Test func `a line and an event are bounded to the byte`() throws {
        #expect(try read("data: 1234\n\n", line: 10).count == 1)
        #expect(throws: ServerSentEventReader.TooLong.line(limit: 10)) {
            try read("data: 12345", line: 10)
        }
        #expect(throws: ServerSentEventReader.TooLong.line(limit: 10)) {
            try read(": a comment", line: 10)
        }
        #expect(try read("data: 12\ndata: 4\n\n", event: 4) == ["12\n4"])
        #expect(throws: ServerSentEventReader.TooLong.event(limit: 4)) {
            try read("data: 12\ndata: 45\n", event: 4)
        }
        // Endless empty lines of data add up too.
        #expect(throws: ServerSentEventReader.TooLong.event(limit: 4)) {
            try read(String(repeating: "data\n", count: 6), event: 4)
        }
    }

    @Test func `an event's name is read and belongs to that event alone`() throws {
        var reader = ServerSentEventReader(lineLimit: 100, eventLimit: 100)
        let events = try reader.append(Array("event: e\ndata: a\n\ndata: b\n\n".utf8))
        #expect(events.map(\.name) == ["e", ""])
    }

    @Test func `what is written is read again, and no data begins another event`() throws {
        var random = SeededGenerator(seed: 1)
        let alphabet = Array("ab:\n\r d".utf8) + Array("data: ".utf8)
        for _ in 0..<500 {
            let data = (0..<Int.random(in: 0...12, using: &random))
                .map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            let bytes =
                ServerSentEvent.comment("still here") + ServerSentEvent(data: data).encoded
                + ServerSentEvent.comment(String(decoding: data, as: UTF8.self))
            // Every kind of line break becomes a line feed.
            let text = String(decoding: data, as: Unicode.ASCII.self)
                .replacing("\r\n", with: "\n").unicodeScalars.map { $0 == "\r" ? "\n" : $0 }
            let expected = String(String.UnicodeScalarView(text))
            #expect(try read([bytes]) == [expected])
        }
    }

    @Test func `an event of the stream is a chunk, an error or the end`() throws {
        let chunk = ChatCompletionChunk(
            id: "c",
            created: 1,
            model: "m",
            choices: [.init(delta: .init(content: "a\n"))]
        )
        for item in [
            ChatStreamItem.chunk(chunk), .error(ChatError(.server, "no", code: "x")), .done,
        ] {
            #expect(try ChatStreamItem(try item.event()) == item)
        }
        #expect(
            try ChatStreamItem(ServerSentEvent(data: #"{"error":null,"choices":[]}"#.utf8))
                == .chunk(ChatCompletionChunk(id: "", created: 0, model: "", choices: []))
        )
        for text in ["", "{", "[]", "done", "[DONE] "] {
            #expect(throws: ChatError.self) {
                try ChatStreamItem(ServerSentEvent(data: text.utf8))
            }
        }
    }
}
