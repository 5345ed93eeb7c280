import CNGHTTP2
import NGHTTP2
import Testing

@Suite struct HTTP2SessionTests {
    private let request = [
        HeaderField(":method", "POST"), HeaderField(":scheme", "https"),
        HeaderField(":path", "/a.B/C"), HeaderField(":authority", "here"),
    ]
    private let response = [HeaderField(":status", "200")]
    private let trailers = [HeaderField("grpc-status", "0")]

    @Test(arguments: [1, 2, 7, 1_000_000])
    func `a request, a body and trailers arrive however the bytes are split`(
        _ size: Int
    ) throws {
        var pair = try SessionPair()
        let stream = try pair.client.request(request)
        pair.client.send(stream, Array(repeating: 7, count: 1_000))
        pair.client.finish(stream)
        try pair.exchange(splitting: size)

        let received = pair.serverEvents
        #expect(received.headers(of: stream) == [request])
        #expect(received.body(of: stream) == Array(repeating: 7, count: 1_000))
        #expect(received.contains(.remoteEnd(stream: stream)))

        try pair.server.respond(stream, response)
        pair.server.send(stream, [1, 2, 3])
        pair.server.finish(stream, trailers: trailers)
        try pair.exchange(splitting: size)

        let answered = pair.clientEvents
        #expect(answered.headers(of: stream) == [response, trailers])
        #expect(answered.body(of: stream) == [1, 2, 3])
        #expect(answered.contains(.closed(stream: stream, code: .noError)))
        #expect(pair.serverEvents.contains(.closed(stream: stream, code: .noError)))
    }

    @Test func `an answer of headers alone ends the stream`() throws {
        var pair = try SessionPair()
        let stream = try pair.client.request(request, endStream: true)
        try pair.exchange()
        try pair.server.respond(stream, response + trailers, endStream: true)
        try pair.exchange()
        #expect(
            pair.clientEvents.contains(
                .headers(stream: stream, fields: response + trailers, endStream: true)
            )
        )
        #expect(pair.clientEvents.contains(.closed(stream: stream, code: .noError)))
    }

    @Test func `a server that has answered frees the stream of a client that still sends`() throws {
        var pair = try SessionPair()
        let stream = try pair.client.request(request)
        try pair.exchange()
        try pair.server.respond(stream, response + trailers, endStream: true)
        try pair.exchange()
        #expect(pair.serverEvents.contains(.closed(stream: stream, code: .noError)))
        #expect(pair.clientEvents.contains(.closed(stream: stream, code: .noError)))
        #expect(!pair.client.send(stream, [1]))
    }

    @Test func `a reader that gives no credit stalls its stream and no other`() throws {
        var pair = try SessionPair(HTTP2Settings(streamWindow: 1_000, connectionWindow: 65_535))
        try pair.exchange()
        let slow = try pair.client.request(request)
        let fast = try pair.client.request(request)
        let body = Array(repeating: UInt8(1), count: 100_000)
        pair.client.send(slow, body)
        try pair.exchange()
        pair.client.send(fast, body)
        pair.client.finish(fast)
        try pair.exchange { pair, event in
            guard case .data(fast, let bytes) = event else { return }
            pair.server.credit(fast, bytes: bytes.count)
        }
        #expect(pair.serverEvents.body(of: slow).count == 1_000)
        #expect(pair.serverEvents.body(of: fast) == body)

        pair.server.credit(slow, bytes: 1_000)
        try pair.exchange()
        #expect(pair.serverEvents.body(of: slow).count == 2_000)
    }

    @Test func `what was framed is reported, so that writers can go on`() throws {
        var pair = try SessionPair()
        let stream = try pair.client.request(request)
        pair.client.send(stream, Array(repeating: 1, count: 300))
        try pair.exchange()
        let sent = pair.clientEvents.reduce(0) {
            if case .bodySent(stream, let bytes) = $1 { $0 + bytes } else { $0 }
        }
        #expect(sent == 300)
    }

    @Test func `a reset ends the stream on both sides with its code`() throws {
        var pair = try SessionPair()
        let stream = try pair.client.request(request)
        try pair.exchange()
        pair.client.reset(stream, .cancel)
        try pair.exchange()
        #expect(pair.serverEvents.contains(.closed(stream: stream, code: .cancel)))
        #expect(pair.clientEvents.contains(.closed(stream: stream, code: .cancel)))
    }

    @Test func `a GOAWAY names the last stream and refuses later ones`() throws {
        var pair = try SessionPair()
        let stream = try pair.client.request(request)
        try pair.exchange()
        try pair.server.goAway(.enhanceYourCalm, debug: "too_many_pings")
        try pair.exchange()
        #expect(
            pair.clientEvents.contains(
                .goAway(lastStream: stream, code: .enhanceYourCalm, debug: "too_many_pings")
            )
        )
        #expect(throws: HTTP2Error.self) { try pair.client.request(request) }

        try pair.server.respond(stream, response + trailers, endStream: true)
        try pair.exchange()
        #expect(pair.clientEvents.headers(of: stream) == [response + trailers])
    }

    @Test func `a shutdown notice lets streams under way be opened`() throws {
        var pair = try SessionPair()
        try pair.exchange()
        try pair.server.noticeShutdown()
        let stream = try pair.client.request(request, endStream: true)
        try pair.exchange()
        #expect(pair.serverEvents.headers(of: stream) == [request])
        #expect(
            pair.clientEvents.contains(.goAway(lastStream: .max, code: .noError, debug: ""))
        )
    }

    @Test func `a ping is answered with the same bytes`() throws {
        var pair = try SessionPair()
        try pair.client.ping(0x0102_0304_0506_0708)
        try pair.exchange()
        #expect(pair.serverEvents.contains(.ping))
        #expect(pair.clientEvents.contains(.pingAcknowledged(0x0102_0304_0506_0708)))
    }

    @Test func `settings reach the other side`() throws {
        var pair = try SessionPair(
            HTTP2Settings(maxConcurrentStreams: 3, maxHeaderListSize: 5_000)
        )
        try pair.exchange()
        let settings = HTTP2PeerSettings(maxConcurrentStreams: 3, maxHeaderListSize: 5_000)
        #expect(pair.clientEvents.contains(.settings(settings)))
    }

    @Test func `streams beyond the limit wait until one ends`() throws {
        var pair = try SessionPair(HTTP2Settings(maxConcurrentStreams: 1))
        try pair.exchange()
        let first = try pair.client.request(request, endStream: true)
        let second = try pair.client.request(request, endStream: true)
        try pair.exchange()
        #expect(pair.serverEvents.headers(of: second) == [])
        try pair.server.respond(first, response, endStream: true)
        try pair.exchange()
        #expect(pair.serverEvents.headers(of: second) == [request])
    }

    @Test func `headers above the limit reset the stream and leave the others alone`() throws {
        var pair = try SessionPair(HTTP2Settings(maxHeaderListSize: 1_000))
        let large = try pair.client.request(
            request + [HeaderField("a", String(repeating: "b", count: 2_000))]
        )
        let small = try pair.client.request(request)
        try pair.exchange()
        #expect(pair.serverEvents.contains(.headersTooLarge(stream: large)))
        #expect(pair.clientEvents.contains(.closed(stream: large, code: .internalError)))
        #expect(pair.serverEvents.headers(of: small) == [request])
    }

    @Test func `a credential is never indexed, and never described`() throws {
        var pair = try SessionPair()
        let macaroon = HeaderField("macaroon", "0201036c6e64", neverIndexed: true)
        let stream = try pair.client.request(request + [macaroon], endStream: true)
        try pair.exchange()
        let fields = pair.serverEvents.headers(of: stream).first ?? []
        #expect(fields.last == macaroon)
        #expect(!"\(fields)".contains("0201036c6e64"))
        #expect(!String(reflecting: fields).contains("0201036c6e64"))
    }

    @Test func `a credential sent twice is spelled out twice`() throws {
        // An indexed field would shrink to one byte the second time.
        var pair = try SessionPair()
        try pair.exchange()
        var sizes: [Int] = []
        for _ in 0..<2 {
            _ = try pair.client.request(
                [HeaderField("macaroon", String(repeating: "f", count: 200), neverIndexed: true)]
            )
            var bytes: [UInt8] = []
            try pair.client.produce(into: &bytes, upTo: .max)
            sizes.append(bytes.count)
        }
        #expect(sizes[0] == sizes[1])
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n\r\n", "\u{15}\u{3}\u{1}\0\u{2}\u{2}\u{50}\0\0\0", "garbage garbage",
    ])
    func `a client that is answered with something else fails with a reason`(
        _ text: String
    ) throws {
        let client = try HTTP2Session(role: .client)
        #expect(throws: Never.self) { try client.receive(Array(text.utf8)) }
        var bytes: [UInt8] = []
        try client.produce(into: &bytes, upTo: .max)
        let failures = client.takeEvents().filter { if case .failed = $0 { true } else { false } }
        #expect(failures.count == 1)
        #expect(client.isFinished)
    }

    @Test func `a server says so when the preface is not HTTP2`() throws {
        let server = try HTTP2Session(role: .server)
        #expect(throws: HTTP2Error.self) {
            try server.receive(Array("GET / HTTP/1.1\r\nHost: here\r\n\r\n".utf8))
        }
    }

    @Test func `random bytes after a good start end the session and trap nothing`() throws {
        var failed = 0
        for seed in UInt64(0)..<200 {
            var random = SplitMix(state: seed)
            var pair = try SessionPair()
            _ = try pair.client.request(request)
            try pair.exchange()
            let noise = (0..<200).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            do {
                try pair.server.receive(noise)
                var bytes: [UInt8] = []
                try pair.server.produce(into: &bytes, upTo: 1 << 20)
                if pair.server.isFinished { failed += 1 }
            } catch {
                failed += 1
            }
        }
        #expect(failed > 100, "the noise was never noticed")
    }

    @Test func `a client that resets stream after stream is sent away`() throws {
        var pair = try SessionPair(HTTP2Settings(resetBurst: 10, resetsPerSecond: 1))
        try pair.exchange()
        for _ in 0..<50 {
            guard let stream = try? pair.client.request(request) else { break }
            try pair.exchange()
            pair.client.reset(stream, .cancel)
            try pair.exchange()
        }
        let goAways = pair.clientEvents.filter { if case .goAway = $0 { true } else { false } }
        #expect(!goAways.isEmpty)
    }

    @Test func `streams that are gone are ignored`() throws {
        let client = try HTTP2Session(role: .client)
        client.reset(99, .cancel)
        client.credit(99, bytes: 10)
        #expect(!client.send(99, [1]))
        #expect(!client.finish(99))
        #expect(throws: HTTP2Error.self) { try client.respond(99, response) }
    }
}
