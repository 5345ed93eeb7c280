package import LCPWire
import LightningTypes

/// The fields of any LCP v0.1 message as JSON gives them, to be encoded.
///
/// One flat set for all messages: bytes as `*_hex`, 64-bit numbers as decimal strings, `null` or
/// absence for an absent record. Fields that the message does not have are refused.
package struct MessageFields: Decodable, Sendable {
    private var values: Values
    private var names: [String]

    /// Reads the fields of a JSON object.
    package init(from decoder: any Decoder) throws {
        values = try Values(from: decoder)
        names = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
    }

    /// The message these fields describe.
    ///
    /// - Parameter type: Which message.
    /// - Returns: The message, not yet checked by the codec.
    /// - Throws: ``InspectionError`` when a field is missing, does not fit, or does not belong to
    ///   the message.
    package func message(_ type: V01.MessageType) throws(InspectionError) -> V01.Message {
        let allowed = Self.fields(of: type)
        if let stranger = names.first(where: { name in !allowed.contains(name) }) {
            throw .field(stranger, "is not a field of \(type.wireName)")
        }
        switch type {
        case .manifest: return .manifest(try manifest())
        case .quoteRequest: return .quoteRequest(try envelope(), try quoteRequest())
        case .quoteResponse: return .quoteResponse(try envelope(), try quoteResponse())
        case .result:
            let result = try values.result.required("result_hex").bytes
            return .result(
                try envelope(),
                V01.Result(result: result, contentType: values.contentType)
            )
        case .cancel: return .cancel(try envelope(), V01.Cancel(reason: values.reason))
        case .error:
            let code = V01.ErrorCode(rawValue: try values.code.required("code"))
            return .error(try envelope(), V01.Failure(code: code, message: values.message))
        }
    }

    private func envelope() throws(InspectionError) -> V01.Envelope {
        let envelope = try values.envelope.required("envelope")
        return V01.Envelope(
            protocolVersion: envelope.protocolVersion,
            jobID: try envelope.jobID.identifier("job_id"),
            messageID: try envelope.messageID.identifier("msg_id"),
            expiry: UnixTime(seconds: envelope.expiry.value)
        )
    }

    private func manifest() throws(InspectionError) -> V01.Manifest {
        var tasks: [V01.TaskTemplate] = []
        for task in values.supportedTasks ?? [] {
            do {
                let params = try ParamsFields.raw(task.params, task.chatParams)
                tasks.append(
                    try inspecting { () throws(WireError) in
                        try V01.TaskTemplate(taskKind: task.taskKind, params: params)
                    }
                )
            } catch {
                throw InspectionError(
                    code: "supported_tasks/\(error.code)",
                    detail: "supported_tasks: \(error.detail)"
                )
            }
        }
        return V01.Manifest(
            protocolVersion: try values.protocolVersion.required("protocol_version"),
            maxPayloadBytes: values.maxPayloadBytes,
            supportedTasks: tasks.isEmpty ? nil : tasks
        )
    }

    private func quoteRequest() throws(InspectionError) -> V01.QuoteRequest {
        let taskKind = try values.taskKind.required("task_kind")
        let input = try values.input.required("input_hex").bytes
        let params = try ParamsFields.raw(values.params, values.chatParams)
        return try inspecting { () throws(WireError) in
            try V01.QuoteRequest(taskKind: taskKind, input: input, params: params)
        }
    }

    private func quoteResponse() throws(InspectionError) -> V01.QuoteResponse {
        V01.QuoteResponse(
            price: MilliSatoshi(msat: try values.price.required("price_msat").value),
            quoteExpiry: UnixTime(
                seconds: try values.quoteExpiry.required("quote_expiry").value
            ),
            termsHash: try values.termsHash.required("terms_hash_hex").identifier("terms_hash"),
            paymentRequest: try values.paymentRequest.required("payment_request")
        )
    }

    private static func fields(of type: V01.MessageType) -> [String] {
        switch type {
        case .manifest: ["protocol_version", "max_payload_bytes", "supported_tasks"]
        case .quoteRequest:
            ["envelope", "task_kind", "input_hex", "params_hex", "llm_chat_params"]
        case .quoteResponse:
            ["envelope", "price_msat", "quote_expiry", "terms_hash_hex", "payment_request"]
        case .result: ["envelope", "result_hex", "content_type"]
        case .cancel: ["envelope", "reason"]
        case .error: ["envelope", "code", "message"]
        }
    }
}

extension MessageFields {
    /// Every field of every message, each optional.
    private struct Values: Decodable, Sendable {
        var envelope: EnvelopeFields?
        var protocolVersion: UInt16?
        var maxPayloadBytes: UInt32?
        var supportedTasks: [TemplateFields]?
        var taskKind: String?
        var input: HexBytes?
        var params: HexBytes?
        var chatParams: ParamsFields?
        var price: DecimalNumber?
        var quoteExpiry: DecimalNumber?
        var termsHash: HexBytes?
        var paymentRequest: String?
        var result: HexBytes?
        var contentType: String?
        var reason: String?
        var code: UInt16?
        var message: String?

        enum CodingKeys: String, CodingKey {
            case envelope, reason, code, message
            case protocolVersion = "protocol_version"
            case maxPayloadBytes = "max_payload_bytes"
            case supportedTasks = "supported_tasks"
            case taskKind = "task_kind"
            case input = "input_hex"
            case params = "params_hex"
            case chatParams = "llm_chat_params"
            case price = "price_msat"
            case quoteExpiry = "quote_expiry"
            case termsHash = "terms_hash_hex"
            case paymentRequest = "payment_request"
            case result = "result_hex"
            case contentType = "content_type"
        }
    }

    private struct EnvelopeFields: Decodable, Sendable {
        var protocolVersion: UInt16
        var jobID: HexBytes
        var messageID: HexBytes
        var expiry: DecimalNumber

        enum CodingKeys: String, CodingKey {
            case protocolVersion = "protocol_version"
            case jobID = "job_id_hex"
            case messageID = "msg_id_hex"
            case expiry
        }
    }

    private struct TemplateFields: Decodable, Sendable {
        var taskKind: String
        var params: HexBytes?
        var chatParams: ParamsFields?

        enum CodingKeys: String, CodingKey {
            case taskKind = "task_kind"
            case params = "params_hex"
            case chatParams = "llm_chat_params"
        }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
