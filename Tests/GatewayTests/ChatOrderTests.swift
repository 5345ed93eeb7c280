import Conversation
import Foundation
import OpenAIChat
import Testing

@testable import Gateway

@Suite struct ChatOrderTests {
    private func order(_ fields: String) throws -> ChatOrder {
        let body = #"{"model":"small","messages":[{"role":"user","content":"Hi"}]\#(fields)}"#
        return try ChatOrder(ChatJSON.decode(ChatRequest.self, from: Data(body.utf8)))
    }

    private func param(_ body: String) -> String? {
        do throws(ChatError) {
            let request = try ChatJSON.decode(ChatRequest.self, from: Data(body.utf8))
            _ = try ChatOrder(request)
            return "accepted"
        } catch {
            return error.param
        }
    }

    @Test func `roles and parts become a conversation`() throws {
        let body = """
            {"model":"small","messages":[{"role":"developer","content":"Be brief."},
            {"role":"user","content":[{"type":"text","text":"He"},{"type":"text","text":"y"}]},
            {"role":"assistant","content":"Yes?","annotations":[]},{"role":"user","content":"Go."}]}
            """
        let order = try ChatOrder(ChatJSON.decode(ChatRequest.self, from: Data(body.utf8)))
        #expect(
            order.conversation.messages == [
                .init(.system, "Be brief."), .init(.user, "Hey"), .init(.assistant, "Yes?"),
                .init(.user, "Go."),
            ]
        )
    }

    @Test(
        arguments: [
            #"{"role":"user","content":[{"type":"text","text":"Hi","cache_control":{"type":"e"}}]}"#,
            #"{"role":"user","content":[{"type":"text","text":"Hi","whatever":null}]}"#,
            #"{"role":"assistant","content":"Hi","tool_calls":[],"annotations":[]}"#,
            #"{"role":"assistant","content":"Hi","tool_calls":null,"refusal":null}"#,
        ]
    )
    func `what says nothing about the answer is taken`(_ message: String) throws {
        #expect(param(#"{"model":"m","messages":[\#(message)]}"#) == "accepted")
    }

    @Test func `limits and temperature are carried, the smaller limit of both names`() throws {
        let order = try order(#","temperature":0.7,"max_tokens":9,"max_completion_tokens":5"#)
        #expect(order.temperatureMilli == 700)
        #expect(order.maxOutputTokens == 5)
        #expect(!order.isStream && !order.wantsUsage)
        let stream = try self.order(#","stream":true,"stream_options":{"include_usage":true}"#)
        #expect(stream.isStream && stream.wantsUsage)
    }

    @Test(
        arguments: [
            ("n", "2"), ("top_p", "0.5"), ("stop", #""x""#), ("seed", "1"), ("tools", "[1]"),
            ("presence_penalty", "1"), ("frequency_penalty", "-1"), ("logprobs", "true"),
            ("response_format", #"{"type":"json_object"}"#), ("logit_bias", #"{"1":1}"#),
            ("tool_choice", #""required""#), ("reasoning_effort", #""low""#), ("audio", "{}"),
            ("temperature", "2.1"), ("temperature", "-0.1"), ("max_tokens", "0"),
            ("max_completion_tokens", "4294967296"),
        ]
    )
    func `a field that would be lost is refused by its name`(_ name: String, _ value: String) {
        let messages = #"[{"role":"user","content":"Hi"}]"#
        #expect(param(#"{"model":"m","messages":\#(messages),"\#(name)":\#(value)}"#) == name)
    }

    @Test(
        arguments: [
            #""n":1"#, #""top_p":1"#, #""stop":[]"#, #""tools":[]"#, #""tool_choice":"none""#,
            #""response_format":{"type":"text"}"#, #""logprobs":false"#, #""seed":null"#,
            #""user":"alice""#, #""metadata":{"a":"b"}"#, #""presence_penalty":0"#,
        ]
    )
    func `a field that asks for nothing is taken`(_ field: String) throws {
        _ = try order(",\(field)")
    }

    @Test(
        arguments: [
            (#"{"role":"tool","content":"1","tool_call_id":"c"}"#, "messages[0].role"),
            (#"{"role":"user","content":"Hi","name":"a"}"#, "messages[0].name"),
            (
                #"{"role":"user","content":[{"type":"image_url","image_url":{}}]}"#,
                "messages[0].content"
            ),
            (
                #"{"role":"user","content":[{"type":"text","text":"Hi","x":1}]}"#,
                "messages[0].content[0].x"
            ),
            (#"{"role":"assistant","tool_calls":[]}"#, "messages[0].content"),
            (#"{"role":"assistant","content":"","tool_calls":[1]}"#, "messages[0].tool_calls"),
            (#"{"role":"user"}"#, "messages[0].content"),
            (#"{"role":"system","content":"alone"}"#, "messages"),
            (#"{"role":"user","content":""}"#, "messages"),
        ]
    )
    func `a message that can't be carried is refused by its place`(
        _ message: String,
        _ place: String
    ) {
        #expect(param(#"{"model":"m","messages":[\#(message)]}"#) == place)
    }
}
