import Foundation
import OpenAIChat
import Testing

@Suite struct ChatRequestTests {
    private func decode(_ json: String) throws(ChatError) -> ChatRequest {
        try ChatJSON.decode(ChatRequest.self, from: Data(json.utf8))
    }

    private let least = #"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#

    @Test func `what a client may send is read, each field by its name on the wire`() throws {
        let request = try decode(
            #"""
            {"model":"small","messages":[
               {"role":"system","content":"Be brief."},
               {"role":"user","content":[{"type":"text","text":"What "},
                                         {"type":"text","text":"now?"}],"name":"ann"}],
             "max_tokens":10,"max_completion_tokens":20,"temperature":0.5,"top_p":1,
             "stop":["a","b"],"presence_penalty":-1,"frequency_penalty":1.5,"seed":7,"n":1,
             "stream":true,"stream_options":{"include_usage":true},"user":"u1"}
            """#
        )
        #expect(request.model == "small")
        #expect(request.messages.map(\.role) == [.system, .user])
        #expect(request.messages.map(\.content?.text) == ["Be brief.", "What now?"])
        #expect(request.messages[1].others == ["name": .string("ann")])
        #expect((request.maxTokens, request.maxCompletionTokens) == (10, 20))
        #expect(request.outputTokenLimit == 10)
        #expect((request.temperature, request.topP) == (0.5, 1))
        #expect(request.stop == ["a", "b"])
        #expect((request.presencePenalty, request.frequencyPenalty) == (-1, 1.5))
        #expect((request.seed, request.n, request.stream) == (7, 1, true))
        #expect(request.streamOptions?.includeUsage == true)
        #expect(request.others == ["user": .string("u1")])
    }

    @Test func `what is read is written again as it was`() throws {
        let text = #"""
            {"messages":[{"content":[{"text":"a","type":"text"},{"image_url":{"url":"u"},"type":"image_url"}],"role":"user"},{"role":"assistant","tool_calls":[{"id":"1"}]}],"model":"m","response_format":{"type":"json_object"},"stop":["x"],"tools":[true,1,2.5,null]}
            """#
        let request = try decode(text)
        let written = String(decoding: try ChatJSON.encode(request), as: UTF8.self)
        #expect(written == text)
        #expect(try decode(written) == request)
    }

    @Test func `fields without a type of their own are kept by name, and null is not there`() throws
    {
        let request = try decode(
            #"""
            {"model":"m","messages":[{"role":"user","content":"hi","name":null}],
             "temperature":null,"tools":null,"logprobs":false,"whatever":{"a":[1]}}
            """#
        )
        #expect(request.temperature == nil)
        #expect(request.messages[0].others.isEmpty)
        #expect(
            request.others
                == ["logprobs": .bool(false), "whatever": .object(["a": .array([.integer(1)])])]
        )
    }

    @Test func `one stop text is a list of one`() throws {
        let request = try decode(#"{"model":"m","messages":[],"stop":"END"}"#)
        #expect(request.stop == ["END"])
    }

    @Test func `a part that is no text leaves the message without text`() throws {
        let request = try decode(
            #"""
            {"model":"m","messages":[{"role":"user","content":[
              {"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"u"}}]}]}
            """#
        )
        #expect(request.messages[0].content?.text == nil)
        guard case .parts(let parts) = request.messages[0].content else {
            Issue.record("no parts")
            return
        }
        let image: JSONValue = .object(["url": .string("u")])
        #expect(parts[1] == .other(type: "image_url", ["image_url": image]))
    }

    @Test func `a part of text keeps the fields it has besides`() throws {
        let json = #"[{"a":[1],"text":"Hi","type":"text"}]"#
        let message = #"{"messages":[{"content":\#(json),"role":"user"}],"model":"m"}"#
        let request = try decode(message)
        #expect(request.messages[0].content == .parts([.text("Hi", ["a": .array([.integer(1)])])]))
        #expect(request.messages[0].content?.text == "Hi")
        #expect(String(decoding: try ChatJSON.encode(request), as: UTF8.self) == message)
    }

    @Test(
        arguments: [
            (#"{"messages":[]}"#, "model"),
            (#"{"model":"m"}"#, "messages"),
            (#"{"model":1,"messages":[]}"#, "model"),
            (#"{"model":"m","messages":{}}"#, "messages"),
            (#"{"model":"m","messages":[{"role":"god","content":"x"}]}"#, "messages[0].role"),
            (#"{"model":"m","messages":[{"role":"user","content":7}]}"#, "messages[0].content"),
            (
                #"{"model":"m","messages":[{"role":"user","content":[{"text":"x"}]}]}"#,
                "messages[0].content[0].type"
            ),
            (#"{"model":"m","messages":[],"temperature":"hot"}"#, "temperature"),
            (#"{"model":"m","messages":[],"max_tokens":1.5}"#, "max_tokens"),
            (#"{"model":"m","messages":[],"stop":[1]}"#, "stop[0]"),
            (#"{"model":"m","messages":[],"stream_options":true}"#, "stream_options"),
        ]
    )
    func `a field of the wrong shape is refused by its name`(_ json: String, _ param: String) {
        let error = #expect(throws: ChatError.self) { try decode(json) }
        #expect(error?.param == param)
        #expect(error?.kind == .invalidRequest)
        #expect(error?.message.hasPrefix(param) == true, "\(error?.message ?? "")")
    }

    @Test func `an error text quotes nothing that was said`() {
        for json in [#"{"model":"sesame","messages":"sesame"}"#, #"{"sesame"#, "sesame", ""] {
            let error = #expect(throws: ChatError.self) { try decode(json) }
            #expect(error?.message.contains("sesame") == false)
        }
    }

    @Test func `nesting that is too deep is refused, not followed`() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: ChatError.self) {
            try decode(#"{"model":"m","messages":[],"x":"# + deep)
        }
    }

    @Test func `the least request is two fields`() throws {
        let request = ChatRequest(model: "m", messages: [ChatMessage(.user, "hi")])
        #expect(try decode(least) == request)
        let json = String(decoding: try ChatJSON.encode(request), as: UTF8.self)
        #expect(json == #"{"messages":[{"content":"hi","role":"user"}],"model":"m"}"#)
    }
}
