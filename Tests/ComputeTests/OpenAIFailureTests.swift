import BridgeProtocol
import Compute
import Foundation
import GRPCNGHTTP2
import LightningTypes
import ScriptedOpenAI
import Synchronization
import Testing

/// What goes wrong at the server, what is done about it, and who learns what.
@Suite(.timeLimit(.minutes(10))) struct OpenAIFailureTests {
    // MARK: - Responses

    @Test(
        arguments: [
            (302, "backend-misconfigured retry"), (400, "backend-refused"),
            (401, "backend-misconfigured retry"), (402, "backend-misconfigured retry"),
            (403, "backend-misconfigured retry"), (404, "backend-misconfigured retry"),
            (408, "backend-failed"), (413, "backend-refused"), (422, "backend-refused"),
            (500, "backend-failed"), (502, "backend-failed"), (503, "backend-failed"),
            (504, "backend-failed"), (201, "backend-failed"),
        ]
    )
    func `a status decides the failure, and the call is not made again`(
        _ status: Int,
        _ failure: String
    ) async throws {
        let outcome = try await OpenAIHarness.compute { _, connection in
            try await connection.respond(status, headers: ["location": "/elsewhere"])
        }
        #expect(outcome.failure == failure)
        #expect(outcome.requests.count == 1)
        #expect(outcome.lines.count == 1)
        #expect(outcome.lines.first?.contains("openai.status=\(status)") == true)
    }

    @Test(arguments: [429, 503])
    func `a call that was put off is made again`(_ status: Int) async throws {
        let calls = Atomic(0)
        let outcome = try await OpenAIHarness.compute { _, connection in
            if calls.add(1, ordering: .relaxed).newValue == 1 {
                try await connection.respond(status, headers: ["retry-after": "0"])
            } else {
                try await connection.stream()
                try await connection.say("now")
                try await connection.finish()
            }
        }
        #expect(outcome.text == "now" && outcome.requests.count == 2)
        #expect(outcome.lines.count == 1)
    }

    @Test func `a server that goes on putting off is left to another worker`() async throws {
        let outcome = try await OpenAIHarness.compute { _, connection in
            try await connection.respond(429)
        }
        #expect(outcome.failure == "backend-busy retry" && outcome.requests.count == 2)
        // Too long a rest is not waited for.
        let long = try await OpenAIHarness.compute { _, connection in
            try await connection.respond(429, headers: ["retry-after": "3600"])
        }
        #expect(long.failure == "backend-busy retry" && long.requests.count == 1)
    }

    @Test func `a server without credit is not asked again`() async throws {
        let outcome = try await OpenAIHarness.compute { _, connection in
            try await connection.respond(
                429,
                #"{"error":{"message":"no money","type":"insufficient_quota","code":null}}"#
            )
        }
        #expect(outcome.failure == "backend-misconfigured retry" && outcome.requests.count == 1)
    }

    // MARK: - Connections

    @Test func `nobody listens`() async throws {
        // Port 1 is nobody's (tcpmux).
        let nowhere = try #require(OpenAIEndpoint("http://127.0.0.1:1"))
        let outcome = try await OpenAIHarness.compute {
            $0.endpoint = nowhere
        } _: { _, _ in
        }
        #expect(outcome.failure == "backend-unavailable retry")
        // Each of the two calls has a line: the one that was made again and the last.
        #expect(outcome.lines.count == 2)
    }

    @Test func `a certificate that nobody vouches for gets no request`() async throws {
        let outcome = try await OpenAIHarness.compute(certificate: try selfSignedPEM()) {
            $0.retries = 0
        } _: { _, connection in
            try await connection.respond(200)
        }
        #expect(outcome.failure == "backend-unavailable retry", "\(outcome)")
        #expect(outcome.requests.isEmpty)
        #expect(outcome.lines.first?.contains("CERTIFICATE_VERIFY_FAILED") == true)
    }

    @Test func `what may have been billed is not asked again`() async throws {
        // The connection ends before any byte of a response.
        let silent = try await OpenAIHarness.compute { _, _ in }
        #expect(silent.failure == "backend-failed" && silent.requests.count == 1)
        // And in the middle of the answer.
        let broken = try await OpenAIHarness.compute { _, connection in
            try await connection.stream()
            try await connection.say("half of")
        }
        #expect(broken.failure == "backend-failed" && broken.requests.count == 1)
    }

    // MARK: - Time

    @Test func `a server that says nothing is given up, before its first byte or after`()
        async throws
    {
        for speaks in [false, true] {
            let closed = AsyncStream<Void>.makeStream()
            let outcome = try await OpenAIHarness.compute {
                $0.silenceLimit = .seconds(1)
            } _: { _, connection in
                if speaks {
                    try await connection.stream()
                    try await connection.say("a")
                }
                try await connection.closed()
                closed.continuation.yield()
            }
            #expect(outcome.failure == "backend-timeout", "\(outcome)")
            #expect(outcome.requests.count == 1)
            for await _ in closed.stream { break }
        }
    }

    @Test func `a computation ends at its limit of time, however much is said`() async throws {
        let closed = AsyncStream<Void>.makeStream()
        let outcome = try await OpenAIHarness.compute {
            $0.timeLimit = .milliseconds(300)
        } _: { _, connection in
            defer { closed.continuation.yield() }
            try await connection.stream()
            while (try? await connection.send(": still thinking\n\n")) != nil {
                // Cut short when the client has gone, which the next send tells.
                try? await Task.sleep(for: .milliseconds(10))
            }
        }
        #expect(outcome.failure == "backend-timeout")
        // On a busy machine the limit may come before the request.
        guard !outcome.requests.isEmpty else { return }
        for await _ in closed.stream { break }
    }

    // MARK: - Nonsense

    @Test(
        arguments: [
            ("data: {\n\n", "backend-failed"),
            ("data: []\n\n", "backend-failed"),
            (#"data: {"choices":[{"delta":{"content":7}}]}"# + "\n\n", "backend-failed"),
            (
                #"data: {"error":{"message":"overloaded","type":"server_error"}}"# + "\n\n",
                "backend-failed"
            ),
            ("<html>hello</html>", "backend-failed"),
            ("", "backend-failed"),
            (
                #"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"# + "\n\n",
                "empty-output"
            ),
            ("data: [DONE]\n\n", "empty-output"),
            ("data: " + String(repeating: "x", count: 1 << 21), "output-limit"),
        ]
    )
    func `a stream of something else fails the job`(_ body: String, _ failure: String) async throws
    {
        let outcome = try await OpenAIHarness.compute { _, connection in
            try await connection.stream()
            try await connection.send(body)
        }
        #expect(outcome.failure == failure)
        #expect(outcome.requests.count == 1 && outcome.lines.count == 1)
    }

    @Test func `a response without end is stopped`() async throws {
        let outcome = try await OpenAIHarness.compute {
            $0.responseLimit = 1 << 16
        } _: { _, connection in
            try await connection.stream()
            let comments = String(repeating: ": nothing\n", count: 100)
            while (try? await connection.send(comments)) != nil {}
        }
        #expect(outcome.failure == "output-limit")
    }

    @Test func `a body that is no completion fails the job`() async throws {
        for body in ["", "{}", #"{"choices":[]}"#, "<html>"] {
            let outcome = try await OpenAIHarness.compute { _, connection in
                try await connection.respond(200, body)
            }
            #expect(outcome.failure == "backend-failed", "\(body)")
        }
    }

    @Test func `an input that is no text is not sent`() async throws {
        var item = OpenAIHarness.item()
        item.input = Data([0xff, 0xfe])
        let outcome = try await OpenAIHarness.compute(item) { _, connection in
            try await connection.respond(200)
        }
        #expect(outcome.failure == "bad-job" && outcome.requests.isEmpty)
    }

    // MARK: - Secrecy

    @Test func `the peer learns nothing of a failure, the operator all but secrets`() async throws {
        let path = "/tmp/lcp-key-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("sk-sesame".utf8).write(to: URL(filePath: path))
        let outcome = try await OpenAIHarness.compute(OpenAIHarness.item("the prompt")) {
            $0.keyFile = path
        } _: { _, connection in
            let error = """
                {"error":{"message":"Incorrect API key sk-sesame for: the prompt",\
                "type":"invalid_request_error","code":"invalid_api_key","param":"sk-sesame"}}
                """
            try await connection.respond(401, error, headers: ["x-request-id": "req_17"])
        }
        let failure = "\(try #require(outcome.thrown))"
        for secret in ["sesame", "prompt", "127.0.0.1", "401", "invalid_api_key"] {
            #expect(!failure.contains(secret), "\(failure)")
        }
        let line = try #require(outcome.lines.first)
        #expect(!line.contains("sesame") && !line.contains("prompt"))
        for part in [
            "openai.status=401", "openai.error_type=invalid_request_error",
            "openai.error_code=invalid_api_key", "openai.request_id=req_17", "bus.attempt=1",
            "lcp.failure=backend-misconfigured", String(repeating: "cd", count: 32),
        ] {
            #expect(line.contains(part), "\(line)")
        }
    }

    @Test func `labels that are none don't reach the log`() async throws {
        let outcome = try await OpenAIHarness.compute { _, connection in
            try await connection.respond(
                500,
                #"{"error":{"type":"the prompt said so","code":"two\nlines"}}"#,
                headers: ["x-request-id": String(repeating: "x", count: 65)]
            )
        }
        let line = try #require(outcome.lines.first)
        #expect(!line.contains("prompt said") && !line.contains("two") && !line.contains("xxx"))
    }
}

/// A certificate for 127.0.0.1 that vouches for itself, after its key.
private func selfSignedPEM() throws -> String {
    let now = UInt64(Date().timeIntervalSince1970)
    let made = try SelfSignedCertificate.generate(
        organization: "nobody that a client trusts",
        commonName: "127.0.0.1",
        dnsNames: [],
        ipAddresses: ["127.0.0.1"],
        notBefore: UnixTime(seconds: now - 60),
        notAfter: UnixTime(seconds: now + 3_600)
    )
    return made.privateKeyPEM.reveal("the test's server shows it") + made.certificatePEM
}
