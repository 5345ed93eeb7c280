package import LCPWire
import LightningTypes

extension JSONText {
    /// The fields of a message: bytes as `*_hex`, 64-bit numbers as decimal strings, `null` for an
    /// absent record.
    package init(_ message: V01.Message) {
        switch message {
        case .manifest(let manifest):
            self = [
                "protocol_version": .number(UInt64(manifest.protocolVersion)),
                "max_payload_bytes": .number(manifest.maxPayloadBytes),
                "supported_tasks": .array((manifest.supportedTasks ?? []).map(JSONText.init)),
            ]
        case .quoteRequest(let envelope, let request):
            self = [
                "envelope": JSONText(envelope),
                "task_kind": .string(request.taskKind),
                "input_hex": .string(Hex.encode(request.input)),
                "params_hex": .text(request.params.map { Hex.encode($0) }),
                "llm_chat_params": ParamsFields.json(request.chatParams),
            ]
        case .quoteResponse(let envelope, let response):
            self = [
                "envelope": JSONText(envelope),
                "price_msat": .string(String(response.price.msat)),
                "quote_expiry": .string(String(response.quoteExpiry.seconds)),
                "terms_hash_hex": .string(response.termsHash.hex),
                "payment_request": .string(response.paymentRequest),
            ]
        case .result(let envelope, let result):
            self = [
                "envelope": JSONText(envelope),
                "result_hex": .string(Hex.encode(result.result)),
                "content_type": .text(result.contentType),
            ]
        case .cancel(let envelope, let cancel):
            self = ["envelope": JSONText(envelope), "reason": .text(cancel.reason)]
        case .error(let envelope, let failure):
            self = [
                "envelope": JSONText(envelope),
                "code": .number(UInt64(failure.code.rawValue)),
                "message": .text(failure.message),
            ]
        }
    }

    private init(_ envelope: V01.Envelope) {
        self = [
            "protocol_version": .number(UInt64(envelope.protocolVersion)),
            "job_id_hex": .string(envelope.jobID.hex),
            "msg_id_hex": .string(envelope.messageID.hex),
            "expiry": .string(String(envelope.expiry.seconds)),
        ]
    }

    private init(_ template: V01.TaskTemplate) {
        self = [
            "task_kind": .string(template.taskKind),
            "params_hex": .text(template.params.map { Hex.encode($0) }),
            "llm_chat_params": ParamsFields.json(template.chatParams),
        ]
    }
}
