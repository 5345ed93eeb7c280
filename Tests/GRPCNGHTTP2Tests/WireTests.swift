import GRPCCore
import NGHTTP2
import Testing

@testable import GRPCNGHTTP2

@Suite struct WireTests {
    @Test(
        arguments: [
            ([], ""), ([0], "AA"), ([0, 255], "AP8"), ([1, 2, 3], "AQID"), ([251, 255], "+/8"),
        ] as [([UInt8], String)]
    )
    func `Base64 is written without padding and read with or without it`(
        _ bytes: [UInt8],
        _ text: String
    ) {
        #expect(Base64.encode(bytes) == text)
        #expect(Base64.decode(text) == bytes)
        let padding = String(repeating: "=", count: (4 - text.count % 4) % 4)
        #expect(Base64.decode(text + padding) == bytes)
    }

    @Test(arguments: ["A", "A=", "AA=A", "A A", "AQ-_", "===="])
    func `text that is not Base64 is refused`(_ text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test(arguments: [
        ("fine", "fine"), ("100%", "100%25"), ("a\nb", "a%0Ab"), ("ü", "%C3%BC"), ("~ !", "~ !"),
    ])
    func `a status message is percent-encoded`(_ text: String, _ encoded: String) {
        #expect(PercentEncoding.encode(text) == encoded)
        #expect(PercentEncoding.decode(encoded) == text)
    }

    @Test func `a percent sign that begins no escape stays as it is`() {
        #expect(PercentEncoding.decode("50% off %zz %4") == "50% off %zz %4")
        #expect(PercentEncoding.decode("%c3%bc") == "ü")
    }

    @Test(
        arguments: [
            (.nanoseconds(1), "1n"), (.seconds(1), "1000000u"),
            (.milliseconds(99_999), "99999000u"),
            (.seconds(100), "100000m"), (.seconds(100_000), "100000S"), (.zero, "0n"),
            (.seconds(-1), "0n"), (.seconds(99_999_999 * 3_600), "99999999H"),
            (.seconds(Int64.max), "99999999H"), (.nanoseconds(99_999_999), "99999999n"),
            (.nanoseconds(100_000_001), "100001u"),
        ] as [(Duration, String)]
    )
    func `a timeout is written in eight digits and never shorter than it is`(
        _ duration: Duration,
        _ text: String
    ) throws {
        #expect(GRPCTimeout.encode(duration) == text)
        let read = try #require(GRPCTimeout.decode(text))
        #expect(read >= duration || text == "99999999H")
    }

    @Test(arguments: ["", "n", "1", "1x", "123456789n", "-1n", "+1n", "1 n", "1.5S", "１S"])
    func `a malformed timeout is refused`(_ text: String) {
        #expect(GRPCTimeout.decode(text) == nil)
    }

    @Test(arguments: [1, 2, 4, 5, 6, 1_000])
    func `messages are found however the bytes are split`(_ size: Int) throws {
        let messages: [[UInt8]] = [[], [1], Array(repeating: 2, count: 300), []]
        let bytes = messages.flatMap { MessageFraming.frame($0).flatMap { $0 } }
        var deframer = MessageDeframer(limit: 300)
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            found += try deframer.append(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        #expect(found == messages)
        #expect(!deframer.isMidMessage)
    }

    @Test func `a length above the limit is refused before its bytes come`() throws {
        var deframer = MessageDeframer(limit: 10)
        #expect(try deframer.append([0, 0, 0, 0]) == [])
        let error = #expect(throws: RPCError.self) { try deframer.append([11]) }
        #expect(error?.code == .resourceExhausted)
    }

    @Test func `a compressed message is refused`() throws {
        var deframer = MessageDeframer(limit: 10)
        let error = #expect(throws: RPCError.self) { try deframer.append([1, 0, 0, 0, 0]) }
        #expect(error?.code == .unimplemented)
    }

    @Test(arguments: ["a b", "ü", "a:b", "", "a\n"])
    func `a key that can't be sent is refused by name`(_ key: String) {
        var fields: [HeaderField] = []
        let error = #expect(throws: RPCError.self) {
            try MetadataCoding.append([key: "secret-value"], sensitive: [], to: &fields)
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("secret-value") == false)
    }

    @Test func `a value that can't be sent is refused without showing it`() {
        var fields: [HeaderField] = []
        let error = #expect(throws: RPCError.self) {
            try MetadataCoding.append(["macaroon": "secret\n"], sensitive: [], to: &fields)
        }
        #expect(error?.message.contains("macaroon") == true)
        #expect(error?.message.contains("secret") == false)
    }

    @Test func `the transport's own headers can't be set by an application`() throws {
        var fields: [HeaderField] = []
        try MetadataCoding.append(
            ["grpc-status": "0", "Content-Type": "x", "TE": "y", "Own": "z"],
            sensitive: [],
            to: &fields
        )
        #expect(fields == [HeaderField("own", "z")])
    }

    @Test func `binary values may be joined by commas, padded or broken`() {
        let metadata = MetadataCoding.decode([HeaderField("a-bin", "AQ==,AgM, !,")])
        #expect(Array(metadata[binaryValues: "a-bin"]) == [[1], [2, 3], []])
    }

    @Test func `a request's deadline is the metadata's, or else the options'`() throws {
        let stated = RequestHead(
            method: .test("a"),
            metadata: ["grpc-timeout": "5S"],
            timeout: .seconds(9)
        )
        #expect(stated.timeout == .seconds(5))
        let other = RequestHead(method: .test("a"), metadata: [:], timeout: .seconds(9))
        let fields = try other.fields(
            to: .init(scheme: "https", authority: "here:1", userAgent: "test"),
            sensitive: ["macaroon"]
        )
        #expect(fields.contains(HeaderField("grpc-timeout", "9000000u")))
        #expect(fields.contains(HeaderField(":path", "/test.Service/a")))
    }

    @Test func `only the sensitive headers are marked`() throws {
        let head = RequestHead(
            method: .test("a"),
            metadata: ["macaroon": "00", "other": "11"],
            timeout: nil
        )
        let fields = try head.fields(
            to: .init(scheme: "https", authority: "here:1", userAgent: "test"),
            sensitive: ["macaroon"]
        )
        #expect(fields.filter(\.neverIndexed).map(\.name) == ["macaroon"])
    }

    @Test(arguments: [
        (":method", "GET", RequestHead.Refusal.http(405)),
        ("content-type", "text/html", .http(415)),
        ("content-type", "application/grpcx", .http(415)),
        (
            ":path", "/nothing",
            .status(Status(code: .unimplemented, message: "malformed method name"))
        ),
        (
            "grpc-timeout", "soon",
            .status(Status(code: .internalError, message: "malformed grpc-timeout"))
        ),
    ])
    func `a request that is not gRPC is refused`(
        _ name: String,
        _ value: String,
        _ refusal: RequestHead.Refusal
    ) {
        var fields = [
            HeaderField(":method", "POST"), HeaderField(":path", "/a.B/C"),
            HeaderField("content-type", "application/grpc+proto"),
        ]
        #expect(throws: Never.self) { try RequestHead(fields) }
        fields.removeAll { $0.name == name }
        fields.append(HeaderField(name, value))
        #expect(throws: refusal) { try RequestHead(fields) }
    }

    @Test(arguments: [
        (400, Status.Code.internalError), (401, .unauthenticated), (403, .permissionDenied),
        (404, .unimplemented), (429, .unavailable), (502, .unavailable), (503, .unavailable),
        (504, .unavailable), (500, .unknown), (302, .unknown),
    ])
    func `an answer without a gRPC status is judged by HTTP's`(_ http: Int, _ code: Status.Code) {
        let fields = [HeaderField(":status", "\(http)"), HeaderField("content-type", "text/html")]
        guard case .end(let status, _) = ResponseHead.read(fields, endStream: false) else {
            Issue.record("not an end")
            return
        }
        #expect(status.code == code)
    }

    @Test func `a gRPC status counts more than HTTP's`() {
        let fields = [
            HeaderField(":status", "503"), HeaderField("content-type", "application/grpc"),
            HeaderField("grpc-status", "5"), HeaderField("grpc-message", "not%20here"),
        ]
        #expect(
            ResponseHead.read(fields, endStream: true)
                == .end(Status(code: .notFound, message: "not here"), [:])
        )
    }

    @Test(arguments: [nil, "", "99", "x", "-1"] as [String?])
    func `trailers without a status we know mean unknown`(_ value: String?) {
        let fields = value.map { [HeaderField("grpc-status", $0)] } ?? []
        guard case .end(let status, _) = ResponseHead.read(fields, endStream: true) else {
            Issue.record("not an end")
            return
        }
        #expect(status.code == .unknown)
    }

    @Test func `an interim answer is not the answer`() {
        let fields = [HeaderField(":status", "103")]
        #expect(ResponseHead.read(fields, endStream: false) == .informational)
    }

    @Test(arguments: [
        (HTTP2ErrorCode.cancel, RPCError.Code.cancelled), (.refusedStream, .unavailable),
        (.enhanceYourCalm, .resourceExhausted), (.inadequateSecurity, .permissionDenied),
        (.internalError, .unavailable), (.noError, .unavailable),
    ])
    func `a reset stream becomes a status`(_ code: HTTP2ErrorCode, _ expected: RPCError.Code) {
        #expect(StreamEnding.error(reset: code).code == expected)
    }

    @Test func `every kind of failure gives advice`() {
        for code in GRPCTransportError.Code.allCases {
            let text = GRPCTransportError(code, "what happened").description
            #expect(text.hasPrefix("\(code.rawValue): what happened. "))
            #expect(text.hasSuffix("."))
        }
    }
}
