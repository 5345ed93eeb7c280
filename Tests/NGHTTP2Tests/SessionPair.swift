import NGHTTP2

/// A client's and a server's session, wired to each other in memory.
struct SessionPair {
    let client: HTTP2Session
    let server: HTTP2Session
    private(set) var clientEvents: [HTTP2Event] = []
    private(set) var serverEvents: [HTTP2Event] = []

    init(_ settings: HTTP2Settings = HTTP2Settings()) throws {
        client = try HTTP2Session(role: .client)
        server = try HTTP2Session(role: .server, settings: settings)
    }

    /// Carries bytes to and fro until both are silent.
    mutating func exchange(
        splitting size: Int = .max,
        _ onServerEvent: (inout SessionPair, HTTP2Event) -> Void = { _, _ in }
    ) throws {
        while true {
            var up: [UInt8] = []
            var down: [UInt8] = []
            try client.produce(into: &up, upTo: .max)
            clientEvents += client.takeEvents()
            for piece in up.pieces(size) { try server.receive(piece) }
            let news = server.takeEvents()
            serverEvents += news
            for event in news { onServerEvent(&self, event) }
            try server.produce(into: &down, upTo: .max)
            serverEvents += server.takeEvents()
            for piece in down.pieces(size) { try client.receive(piece) }
            clientEvents += client.takeEvents()
            if up.isEmpty, down.isEmpty { return }
        }
    }
}

extension [UInt8] {
    fileprivate func pieces(_ size: Int) -> [[UInt8]] {
        guard size < count else { return isEmpty ? [] : [self] }
        return stride(from: 0, to: count, by: size).map {
            Array(self[$0..<Swift.min($0 + size, count)])
        }
    }
}

extension [HTTP2Event] {
    /// The header blocks of a stream, in order.
    func headers(of stream: StreamID) -> [[HeaderField]] {
        compactMap {
            if case .headers(stream, let fields, _) = $0 { fields } else { nil }
        }
    }

    /// The bytes of a stream, joined.
    func body(of stream: StreamID) -> [UInt8] {
        flatMap { event -> [UInt8] in
            if case .data(stream, let bytes) = event { bytes } else { [] }
        }
    }
}

/// A small generator with a seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
