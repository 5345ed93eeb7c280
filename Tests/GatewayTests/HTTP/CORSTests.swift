import ScriptedBridge
import Testing

@testable import Gateway

/// What web pages of other origins may do.
@Suite(.timeLimit(.minutes(2))) struct CORSTests {
    private static let page = "https://chat.example"
    private static let preflight = [
        "origin: \(page)", "access-control-request-method: POST",
        "access-control-request-headers: authorization,content-type,x-stainless-os",
    ]

    @Test func `by default no page of another origin may use the gateway`() async throws {
        try await TestFront.run { front in
            let answers = [
                try await front.answer("OPTIONS", "/v1/chat/completions", Self.preflight),
                try await front.answer("GET", "/v1/models", ["origin: \(Self.page)"]),
                // Needs no preflight, so the browser would have sent it.
                try await front.answer(
                    "POST",
                    "/v1/chat/completions",
                    ["origin: \(Self.page)", "content-type: text/plain"],
                    body: TestFront.question(.echo)
                ),
            ]
            for answer in answers {
                #expect(answer.status == 403, "\(answer)")
                #expect(answer.body.contains("origin_not_allowed"), "\(answer)")
                #expect(!answer.headers.keys.contains { $0.hasPrefix("access-control-") })
            }
            #expect(await front.bridge.orders("submit") == 0)
            let health = try await front.answer("GET", "/health", ["origin: \(Self.page)"])
            #expect(health.status != 403, "\(health)")
        }
    }

    @Test func `a page whose name resolves to this machine is not taken for it`() async throws {
        try await TestFront.run { front in
            for host in ["page.example:8080", "127.0.0.1.page.example", "localhost.page.example"] {
                let answer = try await front.answer(
                    "POST",
                    "/v1/chat/completions",
                    body: TestFront.question(.echo),
                    host: host
                )
                #expect(answer.status == 403, "\(host): \(answer)")
                #expect(answer.body.contains("host_not_allowed"), "\(host): \(answer)")
            }
            #expect(await front.bridge.orders("submit") == 0)
        }
    }

    @Test func `without keys only names of this machine pass, with keys any`() {
        func passes(_ host: String?, _ listen: String = "127.0.0.1", keys: Bool = false) -> Bool {
            var options = GatewayOptions()
            options.host = listen
            let rule = PageRule(options, wantsKeys: keys)
            return (try? rule.check(origin: nil, host: host)) != nil
        }
        for host in [
            "localhost", "LocalHost:1", "127.0.0.1", "127.9.8.7:65535", "[::1]", "[::1]:8080",
        ] {
            #expect(passes(host), "\(host)")
        }
        for host in [
            nil, "", ":80", "page.example", "127.0.0.1.page.example", "127.page.example",
            "127.0.0", "127.0.0.256", "127.0.0.+1", "[::2]", "localhost:http", "localhost:80:80",
            "10.0.0.1",
        ] {
            #expect(!passes(host), "\(host ?? "none")")
            #expect(passes(host, keys: true), "\(host ?? "none")")
        }
        #expect(passes("Gateway.internal:80", "gateway.internal"))
    }

    @Test(arguments: [page, "*"])
    func `a page that was let in may ask with the headers of its SDK, and read ours`(
        _ allowed: String
    ) async throws {
        try await TestFront.run {
            $0.origins = [allowed]
        } _: { front in
            let asked = try await front.answer("OPTIONS", "/v1/chat/completions", Self.preflight)
            #expect(asked.status == 204 && asked.body.isEmpty, "\(asked)")
            #expect(asked.headers["access-control-allow-origin"] == Self.page)
            #expect(asked.headers["access-control-allow-methods"]?.contains("POST") == true)
            #expect(
                asked.headers["access-control-allow-headers"]
                    == "authorization,content-type,x-stainless-os"
            )
            let answer = try await front.answer(
                "POST",
                "/v1/chat/completions",
                ["origin: \(Self.page)"],
                body: TestFront.question(.echo)
            )
            #expect(answer.status == 200, "\(answer)")
            #expect(answer.headers["access-control-allow-origin"] == Self.page)
            #expect(answer.headers["vary"] == "origin")
            #expect(
                answer.headers["access-control-expose-headers"]?.contains("x-lcp-job-id") == true
            )
            let refused = try await front.answer("GET", "/nothing", ["origin: \(Self.page)"])
            #expect(refused.headers["access-control-allow-origin"] == Self.page, "errors, too")
        }
    }

    @Test func `a page that was not let in gets no leave, and caches know that`() async throws {
        try await TestFront.run {
            $0.origins = [Self.page]
        } _: { front in
            for origin in [["origin: https://other.example"], ["origin: null"], []] {
                let answer = try await front.answer("GET", "/v1/models", origin)
                #expect(answer.status == (origin.isEmpty ? 200 : 403), "\(origin)")
                #expect(answer.headers["access-control-allow-origin"] == nil, "\(origin)")
                #expect(answer.headers["vary"] == "origin", "\(origin)")
            }
        }
    }
}
