import GRPCCore
import GRPCNGHTTP2
import NGHTTP2

extension FuzzTarget {
    // MARK: - HTTP/2

    static func connection(_ bytes: [UInt8]) throws(FuzzFinding) {
        guard let first = bytes.first else { return }
        let role: HTTP2Session.Role = first & 1 == 0 ? .server : .client
        let input = Array(bytes.dropFirst())
        let size = 1 + Int(first >> 1)
        try answer(input, as: role, size)
        guard let whole = try events(of: input, as: role, .max),
            let split = try events(of: input, as: role, size)
        else { return }
        try hold(
            split.isOver ? whole.events.starts(with: split.events) : whole.events == split.events,
            "what bytes mean does not depend on how they are split"
        )
    }

    private static let settings = HTTP2Settings(maxConcurrentStreams: 8)

    /// A connection past its preface; as the client, with one request under way.
    private static func session(_ role: HTTP2Session.Role) throws(FuzzFinding) -> HTTP2Session {
        try mustNotThrow("a connection can be opened") {
            let session = try HTTP2Session(role: role, settings: settings)
            let emptySettings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
            if role == .server {
                try session.receive(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8))
            } else {
                let fields = [
                    HeaderField(":method", "POST"), HeaderField(":scheme", "https"),
                    HeaderField(":path", "/a/b"), HeaderField(":authority", "c"),
                ]
                _ = try session.request(fields, endStream: false)
            }
            try session.receive(emptySettings)
            return session
        }
    }

    /// What a session tells of some bytes; neighbouring data joined, as its splitting means nothing.
    ///
    /// Nil for a flood: nghttp2 allows eight continuations of a header block, and takes each piece
    /// of one's head for another.
    private static func events(
        of input: [UInt8],
        as role: HTTP2Session.Role,
        _ size: Int
    ) throws(FuzzFinding) -> (events: [HTTP2Event], isOver: Bool)? {
        let session = try session(role)
        var events: [HTTP2Event] = []
        for piece in input.pieces(size) {
            var ending: HTTP2Error?
            do throws(HTTP2Error) { try session.receive(piece) } catch { ending = error }
            guard ending?.code != .flooded else { return nil }
            for event in session.takeEvents() {
                if case .data(let stream, let more) = event,
                    case .data(stream, let bytes) = events.last
                {
                    events[events.count - 1] = .data(stream: stream, bytes: bytes + more)
                } else {
                    events.append(event)
                }
            }
            guard ending == nil else { break }
            // Later pieces are ignored, where the end of one piece is read with its beginning.
            guard session.takesInput else { return (events, true) }
        }
        return (events, false)
    }

    /// Answers what arrives, as a transport would, and watches what piles up.
    private static func answer(
        _ input: [UInt8],
        as role: HTTP2Session.Role,
        _ size: Int
    ) throws(FuzzFinding) {
        let session = try session(role)
        var open: [StreamID: MessageDeframer] = [:]
        for piece in input.pieces(size) {
            let goesOn = (try? session.receive(piece)) != nil
            for event in session.takeEvents() {
                switch event {
                case .headers(let stream, let fields, let endStream):
                    if role == .client {
                        _ = ResponseHead.read(fields, endStream: endStream)
                    } else if open[stream] == nil, (try? RequestHead(fields)) != nil {
                        try? session.respond(stream, [HeaderField(":status", "200")])
                    }
                    if open[stream] == nil { open[stream] = MessageDeframer(limit: 4_096) }
                case .data(let stream, let bytes):
                    do { _ = try open[stream]?.append(bytes) } catch {
                        session.reset(stream, .cancel)
                    }
                    session.credit(stream, bytes: bytes.count)
                case .remoteEnd(let stream): session.finish(stream)
                case .closed(let stream, _): open[stream] = nil
                case .headersTooLarge, .bodySent, .settings, .ping, .pingAcknowledged, .goAway,
                    .failed:
                    break
                }
            }
            try hold(open.count <= 9, "no more streams are open than the settings allow")
            var output: [UInt8] = []
            let writes = (try? session.produce(into: &output, upTo: 1 << 20)) != nil
            for case .closed(let stream, _) in session.takeEvents() { open[stream] = nil }
            try hold(output.count < 1 << 20, "little input makes little output")
            guard goesOn, writes else { break }
        }
    }

    // MARK: - gRPC

    static func call(_ bytes: [UInt8]) throws(FuzzFinding) {
        guard let first = bytes.first else { return }
        let input = Array(bytes.dropFirst())
        switch first % 4 {
        case 0: try messages(in: input, 1 + Int(first >> 2))
        case 1: try request(fields(input))
        case 2: try response(fields(input))
        default: try status(input)
        }
    }

    private static func messages(in input: [UInt8], _ size: Int) throws(FuzzFinding) {
        var whole = MessageDeframer(limit: 1 << 16)
        let messages = try? whole.append(input)
        var split = MessageDeframer(limit: 1 << 16)
        var pieces: [[UInt8]]? = []
        for piece in input.pieces(size) {
            guard let more = try? split.append(piece) else {
                pieces = nil
                break
            }
            pieces? += more
        }
        try hold(messages == pieces, "messages do not depend on how their bytes are split")
        guard let messages else { return }
        let written = messages.flatMap { MessageFraming.frame($0).flatMap { $0 } }
        try hold(input.starts(with: written), "messages are framed byte for byte")
        try hold(
            whole.isMidMessage == (written.count < input.count),
            "what follows the last message is known to be incomplete"
        )
    }

    /// Lines of a name and a value.
    private static func fields(_ input: [UInt8]) -> [HeaderField] {
        input.split(separator: UInt8(ascii: "\n")).map { line in
            let text = String(decoding: line, as: UTF8.self)
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return HeaderField(String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
    }

    private static let destination = RequestHead.Destination(
        scheme: "https",
        authority: "localhost",
        userAgent: "fuzz"
    )

    private static func request(_ fields: [HeaderField]) throws(FuzzFinding) {
        guard var read = try? RequestHead(fields) else { return }
        // Metadata for whoever reads it, and written by the transport.
        read.metadata.removeAllValues(forKey: "user-agent")
        guard let written = try? read.fields(to: destination, sensitive: []) else { return }
        var again = try mustNotThrow("what was written can be read") { try RequestHead(written) }
        again.metadata.removeAllValues(forKey: "user-agent")
        try hold(
            again.method == read.method && again.timeout == read.timeout,
            "method and timeout read the same again"
        )
        let once = try mustNotThrow("what was read can be written") {
            try again.fields(to: destination, sensitive: [])
        }
        try hold(once == written, "a request is written the same again")
    }

    private static func response(_ fields: [HeaderField]) throws(FuzzFinding) {
        for endStream in [false, true] {
            guard
                case .end(let status, let metadata) = ResponseHead.read(
                    fields,
                    endStream: endStream
                )
            else { continue }
            let written = ResponseHead.trailers(status, metadata, sensitive: [], alone: true)
            guard case .end(let again, _) = ResponseHead.read(written, endStream: true) else {
                throw FuzzFinding(description: "trailers read as the end of a call")
            }
            try hold(again.code == status.code, "a status code reads the same again")
        }
    }

    private static func status(_ input: [UInt8]) throws(FuzzFinding) {
        let message = String(decoding: input.prefix(4_096), as: UTF8.self)
        guard message.utf8.count <= 4_096 else { return }
        let status = Status(code: .aborted, message: message)
        let written = ResponseHead.trailers(status, [:], sensitive: [], alone: true)
        guard case .end(let again, _) = ResponseHead.read(written, endStream: true) else {
            throw FuzzFinding(description: "trailers read as the end of a call")
        }
        try hold(again == status, "any status message reads the same again")
    }
}

extension [UInt8] {
    /// The bytes in pieces of some size.
    fileprivate func pieces(_ size: Int) -> [[UInt8]] {
        guard size < count else { return isEmpty ? [] : [self] }
        return stride(from: 0, to: count, by: size).map {
            Array(self[$0..<Swift.min($0 + size, count)])
        }
    }
}
