import Foundation
import OpenAIChat
import Testing

@Suite struct AnswerTests {
    private func text(_ value: some Encodable) throws -> String {
        String(decoding: try ChatJSON.encode(value), as: UTF8.self)
    }

    private func decode<Value: Decodable>(_ json: String, as type: Value.Type) throws -> Value {
        try ChatJSON.decode(type, from: Data(json.utf8))
    }

    @Test func `a completion has the shape that clients know`() throws {
        let completion = ChatCompletion(
            id: "chatcmpl-1",
            created: 5,
            model: "m",
            choices: [.init(message: ChatMessage(.assistant, "yes/no"), finishReason: .stop)],
            usage: TokenUsage(promptTokens: 3, completionTokens: 2)
        )
        #expect(
            try text(completion) == #"""
                {"choices":[{"finish_reason":"stop","index":0,"message":{"content":"yes/no","role":"assistant"}}],"created":5,"id":"chatcmpl-1","model":"m","object":"chat.completion","usage":{"completion_tokens":2,"prompt_tokens":3,"total_tokens":5}}
                """#
        )
        #expect(try decode(try text(completion), as: ChatCompletion.self) == completion)
    }

    @Test func `a chunk says null while the answer goes on`() throws {
        let chunk = ChatCompletionChunk(
            id: "c",
            created: 5,
            model: "m",
            choices: [.init(delta: .init(role: "assistant", content: "a"))]
        )
        #expect(
            try text(chunk) == #"""
                {"choices":[{"delta":{"content":"a","role":"assistant"},"finish_reason":null,"index":0}],"created":5,"id":"c","model":"m","object":"chat.completion.chunk"}
                """#
        )
        #expect(try decode(try text(chunk), as: ChatCompletionChunk.self) == chunk)
    }

    @Test func `chunks of servers that leave things out are read`() throws {
        let chunk = try decode(
            #"{"choices":[{"delta":{"content":"a"}},{"index":1}],"x":1,"usage":{"prompt_tokens":4}}"#,
            as: ChatCompletionChunk.self
        )
        #expect(chunk.choices.map(\.delta.content) == ["a", nil])
        #expect(chunk.choices.map(\.index) == [0, 1])
        #expect(chunk.usage == TokenUsage(promptTokens: 4, completionTokens: 0))
        #expect(try decode("{}", as: ChatCompletionChunk.self).choices.isEmpty)
    }

    @Test func `an error has all four fields, without a value or with one`() throws {
        let error = ChatError(.invalidRequest, "no", param: "tools")
        #expect(
            try text(error)
                == #"{"error":{"code":null,"message":"no","param":"tools","type":"invalid_request_error"}}"#
        )
        #expect(try decode(try text(error), as: ChatError.self) == error)
    }

    @Test(
        arguments: [
            (#"{"error":"overloaded"}"#, ChatError(.init(rawValue: ""), "overloaded")),
            (
                #"{"error":{"message":"m","type":"t","code":429}}"#,
                ChatError(.init(rawValue: "t"), "m", code: "429")
            ),
            (#"{"error":{"code":{"a":1}}}"#, ChatError(.init(rawValue: ""), "")),
        ]
    )
    func `an error of another server's shape is read`(_ json: String, _ error: ChatError) throws {
        #expect(try decode(json, as: ChatError.self) == error)
    }

    @Test func `a body without an error is no error of a server`() {
        for json in ["{}", #"{"error":null}"#, #"{"error":[]}"#, "[]", "<html>"] {
            let error = #expect(throws: ChatError.self) { try decode(json, as: ChatError.self) }
            #expect(error?.kind == .invalidRequest)
        }
    }

    @Test func `the list of models has the shape that clients know`() throws {
        let list = ModelList([.init(id: "m", created: 1, ownedBy: "lcp")])
        #expect(
            try text(list)
                == #"{"data":[{"created":1,"id":"m","object":"model","owned_by":"lcp"}],"object":"list"}"#
        )
        #expect(try decode(try text(list), as: ModelList.self) == list)
        #expect(try decode(#"{"data":[{"id":"x"}]}"#, as: ModelList.self).models.map(\.id) == ["x"])
    }

    @Test func `counts that don't fit together don't crash`() {
        let usage = TokenUsage(promptTokens: .max, completionTokens: 1)
        #expect(usage.totalTokens == .max)
    }
}
