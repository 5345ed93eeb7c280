/// One event of a `text/event-stream` (WHATWG HTML, "Server-sent events").
package struct ServerSentEvent: Equatable, Sendable {
    /// The media type of such a stream.
    package static let mediaType = "text/event-stream"

    /// What kind of event it is; empty for the ordinary one.
    package var name: String
    /// What it carries: lines, without the last line feed.
    package var data: [UInt8]

    /// Takes bytes, UTF-8 as a rule.
    package init(data: some Sequence<UInt8>, name: String = "") {
        self.data = Array(data)
        self.name = name
    }

    /// The event on the wire, with the empty line that ends it.
    ///
    /// Each line of the data gets a field of its own, so that no data can begin another event. The
    /// name must have no line breaks.
    package var encoded: [UInt8] {
        var bytes = name.isEmpty ? [] : Array("event: \(name)\n".utf8)
        for line in Self.lines(data) { bytes += Array("data: ".utf8) + line + [0x0a] }
        return bytes + [0x0a]
    }

    /// A comment on the wire: nothing to the reader, but a sign of life to whatever is in between.
    package static func comment(_ text: String) -> [UInt8] {
        lines(Array(text.utf8)).flatMap { Array(": ".utf8) + $0 + [0x0a] } + [0x0a]
    }

    /// Cuts at CRLF, LF and CR, as a reader does.
    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        var index = 0
        while index < bytes.count {
            guard bytes[index] == 0x0a || bytes[index] == 0x0d else {
                index += 1
                continue
            }
            lines.append(bytes[start..<index])
            let isPair =
                bytes[index] == 0x0d && index + 1 < bytes.count && bytes[index + 1] == 0x0a
            index += isPair ? 2 : 1
            start = index
        }
        return lines + [bytes[start...]]
    }
}
