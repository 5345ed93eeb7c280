import ScriptedBridge
import Testing

@testable import Gateway

/// Which paths and methods there are.
@Suite(.timeLimit(.minutes(2))) struct PathTests {
    @Test func `what is not there, and what a path does not take, is refused in OpenAI's shape`()
        async throws
    {
        try await TestFront.run { front in
            let cases: [(String, String, Int, String?)] = [
                ("GET", "/", 404, nil), ("GET", "/v1", 404, nil), ("GET", "/v1/nothing", 404, nil),
                ("GET", "//v1/models", 404, nil), ("GET", "/V1/models", 404, nil),
                ("GET", "/v1/models/nobody", 404, nil), ("GET", "/v1/models/", 404, nil),
                ("GET", "/v1/models/%FF", 404, nil), ("GET", "/../etc/passwd", 404, nil),
                ("GET", "/v1/chat/completions", 405, "POST"),
                ("DELETE", "/v1/chat/completions", 405, "POST"),
                ("OPTIONS", "/v1/chat/completions", 405, "POST"),
                ("POST", "/v1/models", 405, "GET, HEAD"), ("PUT", "/health", 405, "GET, HEAD"),
                ("PATCH", "/v1/models/echo", 405, "GET, HEAD"),
            ]
            for (method, path, status, allowed) in cases {
                let answer = try await front.answer(method, path)
                #expect(answer.status == status, "\(method) \(path): \(answer)")
                #expect(answer.headers["allow"] == allowed, "\(method) \(path)")
                #expect(answer.headers["content-type"] == "application/json")
                #expect(answer.body.hasPrefix(#"{"error":{"#), "\(method) \(path): \(answer)")
                #expect(answer.headers["x-request-id"]?.hasPrefix("req_") == true)
            }
        }
    }

    @Test func `HEAD answers as GET does, without the body`() async throws {
        try await TestFront.run { front in
            for path in ["/v1/models", "/v1/models/echo", "/v1/nothing"] {
                let (get, head) = (
                    try await front.answer("GET", path), try await front.answer("HEAD", path)
                )
                #expect(head.status == get.status && !get.body.isEmpty, "\(path): \(get)")
                #expect(head.body.isEmpty, "\(path): \(head)")
                #expect(head.headers["content-length"] == "\(get.body.utf8.count)", "\(path)")
            }
            // Its body may change between two questions.
            let health = try await front.answer("HEAD", "/health")
            #expect([200, 503].contains(health.status) && health.body.isEmpty, "\(health)")
            #expect(try await front.answer("HEAD", "/v1/chat/completions").status == 405)
        }
    }

    @Test func `metrics are there for who asks for them, and count answers by status`()
        async throws
    {
        try await TestFront.run { front in
            let answer = try await front.answer("GET", "/metrics")
            #expect(answer.status == 404, "\(answer)")
        }
        try await TestFront.run {
            $0.hasMetrics = true
        } _: { front in
            #expect(try await front.answer("GET", "/nothing").status == 404)
            let body = TestFront.question(.echo)
            let bought = try await front.answer("POST", "/v1/chat/completions", body: body)
            #expect(bought.status == 200, "\(bought)")
            let answer = try await front.answer("GET", "/metrics")
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            let lines = answer.body.split(separator: "\n")
            for line in [
                #"lcp_gateway_answers_total{status="200"} 1"#,
                #"lcp_gateway_answers_total{status="404"} 1"#, "lcp_gateway_requests 1",
                "lcp_gateway_streams 0",
            ] {
                #expect(lines.contains { $0 == line }, "\(line) is not in \(answer.body)")
            }
        }
    }
}
