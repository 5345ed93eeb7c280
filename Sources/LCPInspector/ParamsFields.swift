import LCPWire
import LightningTypes

/// `llm_chat_params` in JSON: the decoded view of an `llm.chat` params stream.
struct ParamsFields: Decodable {
    var profile: String?
    var temperatureMilli: UInt32?
    var maxOutputTokens: UInt32?
    var unknown: [UnknownRecord]?

    /// One record the version does not know.
    struct UnknownRecord: Decodable {
        var type: DecimalNumber
        var value: HexBytes

        enum CodingKeys: String, CodingKey {
            case type
            case value = "value_hex"
        }
    }

    enum CodingKeys: String, CodingKey {
        case profile
        case temperatureMilli = "temperature_milli"
        case maxOutputTokens = "max_output_tokens"
        case unknown
    }

    /// The params stream these fields describe.
    func params() throws(InspectionError) -> V01.LLMChatParams {
        V01.LLMChatParams(
            profile: try profile.required("llm_chat_params.profile"),
            temperatureMilli: temperatureMilli,
            maxOutputTokens: maxOutputTokens,
            unknown: (unknown ?? []).map {
                TLVRecord(type: $0.type.value, value: $0.value.bytes[...])
            }
        )
    }

    /// The raw params of a task: `params_hex` as it is, else what `llm_chat_params` describes.
    ///
    /// When both are given they must agree, so that nobody reads one and sends the other.
    static func raw(
        _ bytes: HexBytes?,
        _ view: ParamsFields?
    ) throws(InspectionError) -> [UInt8]? {
        guard let view else { return bytes?.bytes }
        let described = try view.params()
        guard let bytes else {
            return try inspecting { () throws(WireError) in try described.encoded() }
        }
        if let decoded = try? V01.LLMChatParams(decoding: bytes.bytes), decoded != described {
            throw .field("llm_chat_params", "says something else than params_hex")
        }
        return bytes.bytes
    }

    /// The JSON view of decoded params; `null` for kinds of task whose params are opaque.
    static func json(_ params: V01.LLMChatParams?) -> JSONText {
        guard let params else { return .null }
        return [
            "profile": .string(params.profile),
            "temperature_milli": .number(params.temperatureMilli),
            "max_output_tokens": .number(params.maxOutputTokens),
            "unknown": .array(
                params.unknown.map {
                    ["type": .string(String($0.type)), "value_hex": .string(Hex.encode($0.value))]
                }
            ),
        ]
    }
}
