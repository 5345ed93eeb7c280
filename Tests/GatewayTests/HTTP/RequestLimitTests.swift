import ScriptedBridge
import Testing

@testable import Gateway

/// How much a client may send, and how slowly.
@Suite(.timeLimit(.minutes(2))) struct RequestLimitTests {
    private static let path = "/v1/chat/completions"

    @Test func `a body beyond the limit is 413, whether it says its length or not`() async throws {
        try await TestFront.run {
            $0.requests.bodyBytes = 10_000
        } _: { front in
            let question = TestFront.question(.echo)
            let filler = String(repeating: " ", count: 10_000 - question.utf8.count)
            let fits = try await front.answer("POST", Self.path, body: question + filler)
            #expect(fits.status == 200, "\(fits)")
            let said = try await front.answer("POST", Self.path, body: question + filler + " ")
            let unsaid = try await front.answer(
                "POST",
                Self.path,
                ["transfer-encoding: chunked", "", "2711\r\n\(question)\(filler) \r\n0"]
            )
            for answer in [said, unsaid] {
                #expect(answer.status == 413, "\(answer)")
                #expect(answer.body.contains("request_too_large"), "\(answer)")
                #expect(answer.headers["connection"] == "close")
            }
            #expect(await front.bridge.orders("submit") == 1)
        }
    }

    @Test func `who is told that the body is too large is not read to its end`() async throws {
        try await TestFront.run { front in
            try await Wire.with(front.port) { wire in
                // All of it would be an exabyte.
                try await wire.send(
                    Wire.request("POST", Self.path, ["content-length: 1000000000000000000"])
                )
                // The server ends it, although the client does not.
                let answer = Wire.Answer(try await wire.rest())
                #expect(answer.status == 413, "\(answer)")
            }
        }
    }

    @Test func `who asks first is told to send the body, unless it is too large`() async throws {
        try await TestFront.run { front in
            try await Wire.with(front.port) { wire in
                for _ in 0..<2 {
                    let question = TestFront.question(.echo)
                    let headers = [
                        "expect: 100-Continue", "content-length: \(question.utf8.count)",
                    ]
                    try await wire.send(Wire.request("POST", Self.path, headers))
                    let word = try await wire.read(upTo: "\r\n\r\n")
                    #expect(word == "HTTP/1.1 100 Continue\r\n\r\n")
                    try await wire.send(question)
                    let answer = try await wire.read(upTo: #"_tokens":4}}"#)
                    #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
                }
            }
            try await Wire.with(front.port) { wire in
                let headers = ["expect: 100-continue", "content-length: 2000000"]
                try await wire.send(Wire.request("POST", Self.path, headers))
                let answer = Wire.Answer(try await wire.rest())
                #expect(answer.status == 413, "\(answer)")
            }
        }
    }

    @Test func `a head beyond the limit is 431`() async throws {
        try await TestFront.run {
            $0.requests.headBytes = 4_096
        } _: { front in
            let fits = try await front.answer(
                "GET",
                "/v1/models",
                ["x-filler: " + String(repeating: "x", count: 3_000)]
            )
            #expect(fits.status == 200, "\(fits)")
            let fields = [
                ["x-filler: " + String(repeating: "x", count: 5_000)],
                (0..<10).map { "x-filler-\($0): " + String(repeating: "x", count: 600) },
                (0..<200).map { "x\($0): x" },
            ]
            for headers in fields {
                let answer = try await front.answer("GET", "/v1/models", headers)
                #expect(answer.status == 431, "\(headers.count) headers: \(answer)")
                #expect(answer.body.contains("request_headers_too_large"), "\(answer)")
                #expect(answer.headers["x-request-id"]?.hasPrefix("req_") == true, "\(answer)")
            }
        }
    }

    @Test func `what is no HTTP is 400`() async throws {
        try await TestFront.run { front in
            let answer = try await Wire.with(front.port) { wire in
                try await wire.send("HELO mail.example\r\n\r\n")
                return Wire.Answer(try await wire.rest())
            }
            #expect(answer.status == 400 && answer.body.contains("malformed_request"), "\(answer)")
            #expect(answer.headers["x-request-id"]?.hasPrefix("req_") == true, "\(answer)")
        }
    }

    @Test(arguments: ["G", "GET /v1/models HTTP/1.1\r\nhost: he"])
    func `a head that comes too slowly is 408`(_ beginning: String) async throws {
        try await TestFront.run {
            $0.requests.headTime = .milliseconds(200)
        } _: { front in
            try await Wire.with(front.port) { wire in
                // Also when an earlier request came as it should.
                try await wire.send(Wire.request("GET", "/v1/models/echo"))
                #expect(try await wire.read(upTo: "}").hasPrefix("HTTP/1.1 200"))
                try await wire.send(beginning)
                let answer = Wire.Answer(try await wire.rest())
                #expect(answer.status == 408, "\(answer)")
                #expect(answer.headers["x-request-id"]?.hasPrefix("req_") == true, "\(answer)")
                #expect(answer.body.contains("request_timeout"), "\(answer)")
                #expect(answer.headers["connection"] == "close")
            }
        }
    }

    @Test func `a body that comes too slowly is 408, and buys nothing`() async throws {
        try await TestFront.run {
            $0.requests.bodyTime = .milliseconds(200)
        } _: { front in
            let question = TestFront.question(.echo)
            let answer = try await Wire.with(front.port) { wire in
                let whole = Wire.request("POST", Self.path, [], question)
                try await wire.send(String(whole.dropLast()))
                return Wire.Answer(try await wire.rest())
            }
            #expect(answer.status == 408, "\(answer)")
            #expect(answer.body.contains("request_timeout"), "\(answer)")
            #expect(await front.bridge.orders("submit") == 0)
        }
    }

    @Test func `a connection that nothing comes over is ended without a word`() async throws {
        try await TestFront.run {
            // Longer than a slow machine takes from connecting to sending.
            $0.requests.idleTime = .seconds(2)
        } _: { front in
            let fresh = try await Wire.with(front.port) { try await $0.rest() }
            #expect(fresh.isEmpty, "\(fresh)")
            try await Wire.with(front.port) { wire in
                try await wire.send(Wire.request("GET", "/v1/models/echo"))
                #expect(try await wire.read(upTo: "}").hasPrefix("HTTP/1.1 200"))
                let rest = try await wire.rest()
                #expect(rest.isEmpty, "\(rest)")
            }
        }
    }
}
