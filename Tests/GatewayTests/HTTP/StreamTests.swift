import BridgeProtocol
import BusClient
import ScriptedBridge
import Testing

@testable import Gateway

/// Event streams, and what ends them.
@Suite(.timeLimit(.minutes(2))) struct StreamTests {
    private static let path = "/v1/chat/completions"

    private static func request(_ plot: Plot, _ prompt: String = "Hello?") -> String {
        Wire.request("POST", path, [], TestFront.question(plot, prompt, isStream: true))
    }

    @Test func `a failure in the middle is an event, and the stream ends after it`() async throws {
        try await TestFront.run { front in
            try await Wire.with(front.port) { wire in
                try await wire.send(Self.request(.endless))
                let beginning = try await wire.read(upTo: "\n\n")
                #expect(beginning.hasPrefix("HTTP/1.1 200"), "\(beginning)")
                #expect(beginning.contains(#""role":"assistant""#), "\(beginning)")
                let job = try #require(await front.bridge.market.jobs.first)
                try await front.bridge.change(job.key.jobID) {
                    $0.view.stage = .paidFailed
                    $0.view.failure.code = "peer-error"
                    $0.view.failure.detail = "the provider answered internal_error (9)"
                }
                // The last chunk of a body that has ended.
                let rest = try await wire.read(upTo: "\r\n0\r\n\r\n")
                #expect(rest.hasSuffix("\r\n0\r\n\r\n"), "\(rest)")
                #expect(rest.contains(#"data: {"error":{"#), "\(rest)")
                #expect(rest.contains("paid_failed"), "\(rest)")
                #expect(!rest.contains("[DONE]"), "\(rest)")
                // The connection is as good as before.
                try await wire.send(Wire.request("GET", "/v1/models/echo"))
                #expect(try await wire.read(upTo: "}").hasPrefix("HTTP/1.1 200"))
            }
        }
    }

    @Test func `an answer that takes too long is told, in a stream as elsewhere, and goes on`()
        async throws
    {
        try await TestFront.run {
            $0.purchases.answer = .milliseconds(1)
        } _: { front in
            try await withThrowingTaskGroup(of: String.self) { group in
                for isStream in [false, true] {
                    group.addTask {
                        try await Wire.with(front.port) { wire in
                            let body = TestFront.question(.endless, isStream: isStream)
                            try await wire.send(Wire.request("POST", Self.path, [], body))
                            return try await wire.read(upTo: "answer_pending")
                        }
                    }
                }
                let answers = try await group.reduce(into: []) { $0.append($1) }
                #expect(
                    Set(answers.map { $0.prefix(12) }) == ["HTTP/1.1 504", "HTTP/1.1 200"],
                    "\(answers)"
                )
                #expect(answers.allSatisfy { $0.hasSuffix("answer_pending") }, "\(answers)")
            }
            #expect(await front.bridge.orders("cancel") == 0, "they are paid")
        }
    }

    @Test func `an answer that is late is worth another try only while nothing may be paid`()
        async throws
    {
        try await TestFront.run {
            $0.purchases.answer = .milliseconds(1)
        } _: { front in
            await front.bridge.ignore(1_000, "accept")
            // Its quote is paid as soon as it is there, waited for, or accepted without an answer.
            let cases: [(Plot, [String], String)] = [
                (.silent, [], "payment_unknown"),
                (.silent, ["idempotency-key: a"], "provider_unavailable"),
                (.echo, ["idempotency-key: b"], "answer_pending"),
            ]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (plot, headers, code) in cases {
                    group.addTask {
                        let question = TestFront.question(plot, code)
                        let answer = try await front.answer(
                            "POST",
                            Self.path,
                            headers,
                            body: question
                        )
                        #expect(answer.body.contains(code), "\(answer)")
                        let mayBePaid = code != "provider_unavailable"
                        #expect(answer.status == (mayBePaid ? 504 : 503), "\(answer)")
                        let retry = answer.headers["x-should-retry"]
                        #expect(retry == (mayBePaid ? "false" : nil), "\(answer)")
                        #expect((answer.headers["retry-after"] != nil) != mayBePaid, "\(answer)")
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `for a client that reads nothing no more is bought than fits on its way`()
        async throws
    {
        // More bytes than the buffers of both kernels hold.
        let streams = 1_000
        try await TestFront.run {
            $0.requests.unreadTime = .milliseconds(500)
        } _: { front in
            // Each byte of the prompt comes back as six.
            let prompt = String(repeating: #"\u0001"#, count: 15_000)
            let request = Self.request(.echo, prompt)
            try await Wire.with(front.port) { wire in
                // It never reads. In the end the server gives it up, and it can send no more.
                _ = await #expect(throws: (any Error).self) {
                    for _ in 0..<streams { try await wire.send(request) }
                }
            }
            let bought = await front.bridge.orders("submit")
            #expect((1..<streams).contains(bought), "\(bought)")
        }
    }
}
