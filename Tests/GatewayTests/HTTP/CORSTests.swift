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
            ]
            #expect(answers.map(\.status) == [405, 200])
            for answer in answers {
                #expect(!answer.headers.keys.contains { $0.hasPrefix("access-control-") })
            }
        }
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
                #expect(answer.headers["access-control-allow-origin"] == nil, "\(origin)")
                #expect(answer.headers["vary"] == "origin", "\(origin)")
            }
        }
    }
}
