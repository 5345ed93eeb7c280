package import OpenAIChat

/// Which fields of a chat request a job of LCP v0.1 carries.
///
/// A field that can't be carried is still fine with the one value that asks for nothing.
package enum CarriedFields {
    /// Refuses the first field that would be lost.
    ///
    /// - Throws: `ChatError` `invalid_request_error` with its `param`.
    package static func check(_ request: ChatRequest) throws(ChatError) {
        try allow("n", request.n == nil || request.n == 1)
        try allow("top_p", request.topP == nil || request.topP == 1)
        try allow("stop", request.stop?.isEmpty ?? true)
        try allow("presence_penalty", request.presencePenalty ?? 0 == 0)
        try allow("frequency_penalty", request.frequencyPenalty ?? 0 == 0)
        try allow("seed", request.seed == nil)
        for (name, value) in request.others.sorted(by: { $0.key < $1.key }) {
            try allow(name, isHarmless(name, value))
        }
        for name in (request.streamOptions?.others ?? [:]).keys.sorted() {
            try allow("stream_options.\(name)", name == "include_obfuscation")
        }
    }

    /// The refusal of a field.
    package static func refusal(of param: String) -> ChatError {
        ChatError(
            .invalidRequest,
            "a job of LCP v0.1 can't carry \(param)",
            param: param,
            code: "unsupported_parameter"
        )
    }

    private static func allow(_ param: String, _ isCarried: Bool) throws(ChatError) {
        guard isCarried else { throw refusal(of: param) }
    }

    /// Whether leaving a field out changes nothing about the answer.
    private static func isHarmless(_ name: String, _ value: JSONValue) -> Bool {
        switch name {
        // About the account at OpenAI, not about the answer.
        case "user", "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention":
            true
        // Without tools they mean nothing, and tools are refused by themselves.
        case "parallel_tool_calls": true
        case "tools", "functions": value == .array([])
        case "tool_choice", "function_call": value == .string("none") || value == .string("auto")
        case "logprobs", "store": value == .bool(false)
        case "top_logprobs": value == .integer(0)
        case "logit_bias": value == .object([:])
        case "response_format": value == .object(["type": .string("text")])
        case "modalities": value == .array([.string("text")])
        case "service_tier": value == .string("auto") || value == .string("default")
        default: false
        }
    }
}
