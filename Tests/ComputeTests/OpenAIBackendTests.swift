import BridgeProtocol
import Compute
import Foundation
import Logging
import OpenAIChat
import ScriptedOpenAI
import SwiftProtobuf
import Synchronization
import Testing
import WorkerKit

/// What is asked, what becomes of the answer, and when the call ends.
@Suite(.timeLimit(.minutes(10))) struct OpenAIBackendTests {
    // MARK: - Question and answer

    @Test func `what streams in is the result, with the server's count of tokens`() async throws {
        let outcome = try await OpenAIHarness.compute { _, connection in
            try await connection.stream()
            try await connection.say("Grü", "ße", " 🌩")
            try await connection.finish(.stop, TokenUsage(promptTokens: 12, completionTokens: 3))
        }
        let result = try #require(outcome.result, "\(outcome)")
        #expect(outcome.text == "Grüße 🌩" && !result.truncated)
        #expect(result.contentType == ResultOutput.textType)
        #expect((result.inputTokens, result.outputTokens) == (12, 3))
        let request = try #require(outcome.requests.first)
        #expect(request.line == "POST /v1/chat/completions")
        #expect(request.headers["authorization"] == nil)
        let expected: NSDictionary = [
            "model": "small", "stream": true, "stream_options": ["include_usage": true],
            "messages": [["role": "user", "content": "a question"]],
        ]
        #expect(request.json == expected)
        #expect(outcome.requests.count == 1 && outcome.lines.isEmpty)
    }

    @Test func `a profile has a model, instructions and parameters of its own`() async throws {
        var item = OpenAIHarness.item(maxOutputTokens: 40)
        item.limits.temperatureMilli = 250
        let outcome = try await OpenAIHarness.compute(item) { settings in
            var profile = OpenAIProfile(model: "llama")
            profile.systemPrompt = "Be brief."
            profile.temperature = 1
            profile.topP = 0.5
            profile.stop = ["END"]
            profile.presencePenalty = -1
            profile.frequencyPenalty = 1.5
            profile.seed = 7
            settings.profiles = ["small": profile]
        } _: { _, connection in
            try await connection.stream()
            try await connection.say("yes")
            try await connection.finish()
        }
        let expected: NSDictionary = [
            "model": "llama", "stream": true, "stream_options": ["include_usage": true],
            "messages": [
                ["role": "system", "content": "Be brief."],
                ["role": "user", "content": "a question"],
            ],
            // The job's own goes before the profile's.
            "temperature": 0.25, "max_tokens": 40, "top_p": 0.5, "stop": ["END"],
            "presence_penalty": -1, "frequency_penalty": 1.5, "seed": 7,
        ]
        #expect(outcome.requests.first?.json == expected)
    }

    @Test func `the newer name of the cap is used where it is wanted`() async throws {
        let item = OpenAIHarness.item(maxOutputTokens: 40)
        let outcome = try await OpenAIHarness.compute(item) {
            $0.capField = .maxCompletionTokens
        } _: { _, connection in
            try await connection.respond(400)
        }
        let json = try #require(outcome.requests.first?.json)
        #expect(json["max_completion_tokens"] as? Int == 40 && json["max_tokens"] == nil)
    }

    @Test func `the key is read for each call`() async throws {
        let path = "/tmp/lcp-key-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("sk-first\n".utf8).write(to: URL(filePath: path))
        let outcome = try await OpenAIHarness.compute {
            $0.keyFile = path
        } _: { request, connection in
            if request.headers["authorization"] == "Bearer sk-first" {
                try Data(" sk-second\r\n".utf8).write(to: URL(filePath: path))
                try await connection.respond(429, headers: ["retry-after": "0"])
            } else {
                try await connection.stream()
                try await connection.say(request.headers["authorization"] ?? "")
                try await connection.finish()
            }
        }
        #expect(outcome.text == "Bearer sk-second")
        for content in ["", "two words", "two\nlines", "Ä"] {
            try Data(content.utf8).write(to: URL(filePath: path))
            let outcome = try await OpenAIHarness.compute {
                $0.keyFile = path
            } _: { _, connection in
                try await connection.respond(200)
            }
            #expect(outcome.failure == "backend-misconfigured retry", "\(content)")
            #expect(outcome.requests.isEmpty)
        }
    }

    @Test func `a server that answers at once is understood`() async throws {
        let outcome = try await OpenAIHarness.compute { _, connection in
            let completion = ChatCompletion(
                id: "c",
                created: 1,
                model: "m",
                choices: [
                    .init(message: ChatMessage(.assistant, "all of it"), finishReason: .stop)
                ],
                usage: TokenUsage(promptTokens: 5, completionTokens: 4)
            )
            let body = String(decoding: try ChatJSON.encode(completion), as: UTF8.self)
            try await connection.respond(200, body)
        }
        #expect(outcome.text == "all of it")
        #expect(outcome.result?.outputTokens == 4)
    }

    @Test func `an answer at its end is a result even when its stream breaks then`() async throws {
        let outcome = try await OpenAIHarness.compute { _, connection in
            try await connection.send(
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                    + "transfer-encoding: chunked\r\n\r\n"
            )
            let event =
                #"data: {"choices":[{"delta":{"content":"done"},"finish_reason":"stop"}]}"# + "\n\n"
            let size = String(event.utf8.count, radix: 16)
            try await connection.send("\(size)\r\n\(event)\r\n")
        }
        #expect(outcome.text == "done", "\(outcome)")
    }

    @Test func `calls don't wait for each other`() async throws {
        // More than a connection pool lets through that nobody told otherwise.
        let count = 20
        let room = Room(count)
        try await ScriptedOpenAI.run { _, connection in
            await room.enter()
            try await connection.stream()
            try await connection.say("met")
            try await connection.finish()
        } _: { server in
            var settings = try OpenAIHarness.settings(server.address)
            settings.concurrency = count
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            try await OpenAIBackend.run(settings, logger: logger) { backend in
                try await withThrowingTaskGroup(of: BusComputeReply.OneOf_Outcome.self) { group in
                    for _ in 0..<count {
                        group.addTask {
                            try await backend.compute(
                                OpenAIHarness.item(),
                                progress: ComputationProgress {}
                            )
                        }
                    }
                    for try await outcome in group {
                        guard case .result = outcome else {
                            Issue.record("\(outcome)")
                            continue
                        }
                    }
                }
            }
        }
    }

    // MARK: - The end of a call

    @Test func `cancellation in the middle of an answer closes the call`() async throws {
        let life = AsyncStream<String>.makeStream()
        try await ScriptedOpenAI.run { _, connection in
            try await connection.stream()
            try await connection.say("a")
            life.continuation.yield("begun")
            try await connection.closed()
            life.continuation.yield("closed")
        } _: { server in
            let settings = try OpenAIHarness.settings(server.address)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let run = Task {
                try await OpenAIBackend.run(settings, logger: logger) {
                    try await $0.compute(OpenAIHarness.item(), progress: ComputationProgress {})
                }
            }
            var events = life.stream.makeAsyncIterator()
            #expect(await events.next() == "begun")
            run.cancel()
            #expect(await events.next() == "closed")
            await #expect(throws: CancellationError.self) { try await run.value }
        }
    }

    @Test func `a full result closes the call and is cut at a character`() async throws {
        let life = AsyncStream<String>.makeStream()
        let item = OpenAIHarness.item(maxResultBytes: 8)
        let outcome = try await OpenAIHarness.compute(item) { _, connection in
            try await connection.stream()
            try await connection.say("12345", "67üü", "never read")
            try await connection.closed()
            life.continuation.yield("closed")
        }
        #expect(outcome.text == "1234567" && outcome.result?.truncated == true)
        var events = life.stream.makeAsyncIterator()
        #expect(await events.next() == "closed")
    }

    @Test func `a server that goes past the cap on tokens is stopped`() async throws {
        let life = AsyncStream<Int>.makeStream()
        let item = OpenAIHarness.item(maxOutputTokens: 10)
        let outcome = try await OpenAIHarness.compute(item) { _, connection in
            try await connection.stream()
            var said = 0
            // Ends by the client's closing.
            while (try? await connection.say("12345")) != nil { said += 1 }
            life.continuation.yield(said)
        }
        #expect(outcome.result?.truncated == true)
        #expect(outcome.text?.utf8.count == 55)
        var events = life.stream.makeAsyncIterator()
        #expect(await events.next() ?? 0 > 10)
    }

    @Test func `an answer that the cap on tokens has ended is marked`() async throws {
        let outcome = try await OpenAIHarness.compute { _, connection in
            try await connection.stream()
            try await connection.say("to be contin")
            try await connection.finish(.length)
        }
        #expect(outcome.text == "to be contin" && outcome.result?.truncated == true)
    }

    @Test func `a quiet call shows signs of life`() async throws {
        let touches = AsyncStream<Void>.makeStream()
        let outcome = try await OpenAIHarness.compute(
            progress: ComputationProgress { touches.continuation.yield() }
        ) { _, connection in
            var count = 0
            for await _ in touches.stream {
                count += 1
                if count == 2 { break }
            }
            try await connection.stream()
            try await connection.say("at last")
            try await connection.finish()
        }
        #expect(outcome.text == "at last")
    }
}

/// Lets everybody in once it is full.
private actor Room {
    private let size: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ size: Int) { self.size = size }

    func enter() async {
        await withCheckedContinuation { continuation in
            waiting.append(continuation)
            guard waiting.count == size else { return }
            for one in waiting { one.resume() }
        }
    }
}
