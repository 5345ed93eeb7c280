/// Reads a `text/event-stream` that arrives in pieces of any size.
///
/// Keeps the line and the event that are not complete yet, both bounded. As the standard has it, an
/// event that the stream ends in the middle of is never seen.
package struct ServerSentEventReader: Sendable {
    /// More than the reader was told to keep.
    package enum TooLong: Error, Equatable, Sendable {
        /// A line has more bytes than this.
        case line(limit: Int)
        /// The data of an event has more bytes than this.
        case event(limit: Int)
    }

    private let lineLimit: Int
    private let eventLimit: Int
    private var line: [UInt8] = []
    private var data: [UInt8]?
    private var name = ""
    private var isAfterReturn = false
    private var isFirstLine = true

    /// Begins with nothing.
    ///
    /// - Parameters:
    ///   - lineLimit: How many bytes a line may have without what ends it.
    ///   - eventLimit: How many bytes the data of an event may have.
    package init(lineLimit: Int, eventLimit: Int) {
        self.lineLimit = lineLimit
        self.eventLimit = eventLimit
    }

    /// Takes the next bytes.
    ///
    /// - Returns: The events that they complete.
    /// - Throws: ``TooLong``; nothing that comes after it means anything.
    package mutating func append(
        _ bytes: some Sequence<UInt8>
    ) throws(TooLong) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            // The line feed of a CRLF; the return has ended the line already.
            let isSecondHalf = isAfterReturn && byte == 0x0a
            isAfterReturn = byte == 0x0d
            if isSecondHalf { continue }
            if byte == 0x0a || byte == 0x0d {
                if let event = try endLine() { events.append(event) }
            } else {
                guard line.count < lineLimit else { throw .line(limit: lineLimit) }
                line.append(byte)
            }
        }
        return events
    }

    private mutating func endLine() throws(TooLong) -> ServerSentEvent? {
        defer {
            line.removeAll(keepingCapacity: true)
            isFirstLine = false
        }
        var text = line[...]
        if isFirstLine, text.starts(with: [0xef, 0xbb, 0xbf]) { text = text.dropFirst(3) }
        guard !text.isEmpty else { return dispatch() }
        let colon = text.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
        var value = text[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: text[..<colon], as: UTF8.self) {
        case "data": try add(value)
        case "event": name = String(decoding: value, as: UTF8.self)
        // Comments, which have no name; `id` and `retry` mean something to browsers only.
        default: break
        }
        return nil
    }

    private mutating func add(_ value: ArraySlice<UInt8>) throws(TooLong) {
        let size = data.map { $0.count + 1 + value.count } ?? value.count
        guard size <= eventLimit else { throw .event(limit: eventLimit) }
        if data == nil {
            data = Array(value)
        } else {
            data?.append(0x0a)
            data?.append(contentsOf: value)
        }
    }

    private mutating func dispatch() -> ServerSentEvent? {
        defer {
            data = nil
            name = ""
        }
        return data.map { ServerSentEvent(data: $0, name: name) }
    }
}
