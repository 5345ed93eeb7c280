import BridgeProtocol
import Foundation
import OpenAIChat
import SwiftProtobuf
import Testing
import WorkerKit

@testable import Compute

/// The decisions of the backend, without a server.
@Suite struct OpenAIPartsTests {
    // MARK: - Address

    @Test(
        arguments: [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/models"),
            ("https://api.openai.com/v1/", "https://api.openai.com/v1/models"),
            ("https://api.openai.com", "https://api.openai.com/v1/models"),
            ("http://127.0.0.1:8000//", "http://127.0.0.1:8000/v1/models"),
            ("https://h/api/openai", "https://h/api/openai/models"),
            ("HTTP://[::1]:8000", "HTTP://[::1]:8000/v1/models"),
        ]
    )
    func `an address without a path has v1, any other path stays`(_ text: String, _ url: String) {
        #expect(OpenAIEndpoint(text)?.url("models") == url)
    }

    @Test(
        arguments: [
            "", "api.openai.com", "ftp://h/v1", "https://", "https:///v1", "https://u@h/v1",
            "https://u:p@h/v1", "https://h/v1?key=secret", "https://h/v1#x", "unix:///run/x",
        ]
    )
    func `what is no address, or holds a secret, is refused`(_ text: String) {
        #expect(OpenAIEndpoint(text) == nil)
    }

    @Test func `plain HTTP to another machine is told apart`() throws {
        for (text, isExposed) in [
            ("http://10.0.0.1/v1", true), ("https://10.0.0.1/v1", false),
            ("http://localhost:1/v1", false), ("http://127.0.0.1/v1", false),
            ("http://[::1]/v1", false),
        ] {
            #expect(try #require(OpenAIEndpoint(text)).isExposed == isExposed, "\(text)")
        }
    }

    // MARK: - Repeating

    @Test func `waits double up to a limit, and obey the server`() {
        let plan = RetryPlan(limit: 5)
        var busy = CallFailure(.busy, "")
        func wait(_ calls: Int, jitter: Double = 1, left: Duration = .seconds(600)) -> Duration? {
            plan.wait(after: busy, calls: calls, left: left, jitter: jitter)
        }
        #expect((1...6).map { wait($0) } == [0.5, 1, 2, 4, 8].map { .seconds($0) } + [nil])
        #expect(wait(1, jitter: 0) == .seconds(0.25))
        busy.retryAfter = .seconds(7)
        #expect(wait(1) == .seconds(7))
        // No time for it.
        #expect(wait(1, left: .seconds(7)) == nil)
        busy.retryAfter = .seconds(61)
        #expect(wait(1) == nil)
    }

    @Test func `only what can't have been billed is asked again`() {
        let kinds: [CallFailure.Kind] = [
            .unreachable, .busy, .misconfigured, .rejected, .failed, .timeout, .tooLong,
        ]
        let again = kinds.filter {
            let failure = CallFailure($0, "")
            return RetryPlan(limit: 1).wait(
                after: failure,
                calls: 1,
                left: .seconds(60),
                jitter: 0
            ) != nil
        }
        #expect(again == [.unreachable, .busy])
        // And what another worker may try was not billed either.
        let retryable = kinds.filter { CallFailure($0, "").outcome.isRetryable }
        #expect(retryable == [.unreachable, .busy, .misconfigured])
    }

    // MARK: - Reading

    @Test func `where the bytes of an answer are split changes nothing`() throws {
        let pieces = ["Grü", "ße", "", " 🌩\n", "done"]
        var bytes: [UInt8] = Array(": hello\r\n\r\n".utf8)
        for piece in pieces {
            let chunk = ChatCompletionChunk(
                id: "c",
                created: 1,
                model: "m",
                choices: [
                    .init(index: 1, delta: .init(content: "another answer")),
                    .init(delta: .init(content: piece)),
                ]
            )
            bytes += try ChatStreamItem.chunk(chunk).event().encoded
        }
        let usage = TokenUsage(promptTokens: 1, completionTokens: -5)
        let last = ChatCompletionChunk(
            id: "c",
            created: 1,
            model: "m",
            choices: [.init(delta: .init(), finishReason: .stop)],
            usage: usage
        )
        bytes += try ChatStreamItem.chunk(last).event().encoded
        bytes += try ChatStreamItem.done.event().encoded
        for split in stride(from: 0, through: bytes.count, by: 1) {
            var reader = AnswerReader(.events, for: BusComputeItem(), responseLimit: 1 << 20)
            try reader.take(bytes[..<split])
            try reader.take(bytes[split...])
            #expect(reader.isDone)
            let result = try reader.result()
            #expect(String(decoding: result.output, as: UTF8.self) == "Grüße 🌩\ndone")
            // A negative count is none.
            #expect((result.inputTokens, result.outputTokens) == (1, 0))
        }
    }

    @Test func `short pieces alone don't make an answer too long`() throws {
        // Some servers send each letter by itself.
        let item = BusComputeItem.with { $0.limits.maxOutputTokens = 10 }
        var reader = AnswerReader(.events, for: item, responseLimit: 1 << 20)
        let chunk = ChatCompletionChunk(
            id: "c",
            created: 1,
            model: "m",
            choices: [.init(delta: .init(content: "x"))]
        )
        for _ in 0..<43 { try reader.take(try ChatStreamItem.chunk(chunk).event().encoded) }
        #expect(!reader.isDone)
        try reader.take(try ChatStreamItem.chunk(chunk).event().encoded)
        #expect(reader.isDone)
    }
}
