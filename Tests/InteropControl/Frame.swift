import Foundation

/// What a client peer is told to do; the same in Python's `peer.py`.
///
/// On the wire a frame is one line of JSON and then its bodies, whose lengths the line tells.
package struct Command: Codable, Sendable {
    /// The operations of a client peer.
    package enum Operation: String, Codable, Sendable {
        /// A whole call; answered with all it brought.
        case exchange
        /// Opens a call that is then driven step by step.
        case open
        /// Writes a message; answered when the transport has taken it.
        case send
        /// Ends the client's half.
        case finish
        /// Reads a message, or how the call ended.
        case read
        /// Answers with the headers, when they have come.
        case headers
        /// Cancels an open call.
        case cancel
        /// Unary calls one after the other; answered with the memory before and after.
        case `repeat`
        /// Unary calls from several tasks at once, until `stop`; answered when it has begun.
        case load
        /// Answers when so many calls of a load have succeeded.
        case progress
        /// Ends a load; answered with counts by status when its last call has ended.
        case stop
    }

    /// The four kinds of RPC.
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case unary, clientStream, serverStream, bidi
    }

    /// Comes back with the answer.
    package var id = 0
    /// What to do.
    package var op: Operation
    /// The number of the call or load it is about, chosen by the sender.
    package var call: Int?
    /// The kind of an `exchange`.
    package var kind: Kind?
    /// The method's name in the service `interop.Echo`.
    package var method: String?
    /// The metadata of the request.
    package var metadata: [Field]?
    /// The deadline, if any.
    package var timeoutMilliseconds: Int?
    /// Whether to wait through failures to connect.
    package var waitForReady: Bool?
    /// How many: calls, tasks or successes.
    package var count: Int?
    /// The lengths of the bodies that follow.
    package var sizes: [Int]? = []

    /// Says what to do; the rest is set by assignment.
    package init(_ op: Operation) { self.op = op }
}

/// What a client peer answers.
package struct Reply: Codable, Sendable {
    /// The command's.
    package var id: Int
    /// The number of the gRPC status, when the call has ended.
    package var code: Int?
    /// The text of the status.
    package var message: String?
    /// The metadata that came first.
    package var headers: [Field]?
    /// The metadata that came last.
    package var trailers: [Field]?
    /// Measured or counted numbers.
    package var numbers: [String: Int]?
    /// What went wrong inside the peer itself, which no test expects.
    package var broken: String?
    /// The lengths of the bodies that follow.
    package var sizes: [Int]? = []

    /// Answers a command; the rest is set by assignment.
    package init(to command: Command) { id = command.id }
}

/// One value of metadata.
package enum Field: Codable, Hashable, Sendable {
    case text(String, String)
    /// The key ends in `-bin`.
    case binary(String, [UInt8])

    /// The name.
    package var key: String {
        switch self {
        case .text(let key, _), .binary(let key, _): key
        }
    }

    /// Reads `[key, value]`; binary values are base64.
    package init(from decoder: any Decoder) throws {
        var pair = try decoder.unkeyedContainer()
        let key = try pair.decode(String.self)
        let value = try pair.decode(String.self)
        if key.hasSuffix("-bin"), let data = Data(base64Encoded: value) {
            self = .binary(key, Array(data))
        } else {
            self = .text(key, value)
        }
    }

    /// Writes `[key, value]`.
    package func encode(to encoder: any Encoder) throws {
        var pair = encoder.unkeyedContainer()
        try pair.encode(key)
        switch self {
        case .text(_, let value): try pair.encode(value)
        case .binary(_, let bytes): try pair.encode(Data(bytes).base64EncodedString())
        }
    }
}

/// The line of a frame, which knows the lengths of its bodies.
package protocol FrameHead: Codable, Sendable {
    var sizes: [Int]? { get set }
}

extension Command: FrameHead {}
extension Reply: FrameHead {}

extension FrameHead {
    /// The frame as bytes.
    package func framed(with bodies: [[UInt8]]) throws -> [UInt8] {
        var head = self
        head.sizes = bodies.map(\.count)
        var bytes = [UInt8](try JSONEncoder().encode(head))
        bytes.append(UInt8(ascii: "\n"))
        for body in bodies { bytes += body }
        return bytes
    }
}

/// Received bytes on their way to whole lines and frames.
package struct FrameBuffer: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0

    /// Holds nothing yet.
    package init() {}

    /// Adds what was read.
    package mutating func append(_ read: some Sequence<UInt8>) {
        if start > 0 {
            bytes.removeFirst(start)
            start = 0
        }
        bytes.append(contentsOf: read)
    }

    /// The next line without its end, or nil until it is complete.
    package mutating func nextLine() -> String? {
        guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        defer { start = end + 1 }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// The next frame, or nil until it is complete.
    package mutating func next<Head: FrameHead>(
        _ kind: Head.Type
    ) throws -> (head: Head, bodies: [[UInt8]])? {
        guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let head = try JSONDecoder().decode(kind, from: Data(bytes[start..<end]))
        let sizes = head.sizes ?? []
        var position = end + 1
        guard bytes.count - position >= sizes.reduce(0, +) else { return nil }
        let bodies = sizes.map { size in
            defer { position += size }
            return Array(bytes[position..<position + size])
        }
        start = position
        return (head, bodies)
    }
}
