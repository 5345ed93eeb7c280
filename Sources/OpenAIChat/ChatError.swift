/// What an OpenAI-compatible server says instead of an answer: `{"error": {…}}`.
package struct ChatError: Error, Equatable, Sendable {
    /// What kind of error it is; servers have kinds of their own.
    package struct Kind: RawRepresentable, Hashable, Sendable {
        /// As it is sent.
        package var rawValue: String

        /// Takes any text.
        package init(rawValue: String) { self.rawValue = rawValue }

        /// The request can't be served as it is.
        package static let invalidRequest = Kind(rawValue: "invalid_request_error")
        /// The key is missing or wrong.
        package static let authentication = Kind(rawValue: "authentication_error")
        /// The key may not do this.
        package static let permission = Kind(rawValue: "permission_error")
        /// Too many requests at a time.
        package static let rateLimit = Kind(rawValue: "rate_limit_error")
        /// Nothing is left to spend.
        package static let insufficientQuota = Kind(rawValue: "insufficient_quota")
        /// The server, not the request, is to blame.
        package static let server = Kind(rawValue: "server_error")
    }

    /// What happened, for people.
    package var message: String
    /// What kind of error it is: `type`.
    package var kind: Kind
    /// The field that is to blame: `messages[0].content`.
    package var param: String?
    /// A label to branch on: `model_not_found`.
    package var code: String?

    /// Makes an error.
    package init(_ kind: Kind, _ message: String, param: String? = nil, code: String? = nil) {
        self.kind = kind
        self.message = message
        self.param = param
        self.code = code
    }
}

extension ChatError: Codable {
    /// Reads `{"error": …}`: an object, or a bare text as some servers have it.
    ///
    /// Whatever is missing or of another type is left out; a numeric `code` becomes its digits.
    package init(from decoder: any Decoder) throws {
        let body = try decoder.container(keyedBy: FieldName.self)
        switch try body.decode(JSONValue.self, forKey: FieldName("error")) {
        case .object(let fields):
            self.init(
                Kind(rawValue: fields["type"]?.label ?? ""),
                fields["message"]?.label ?? "",
                param: fields["param"]?.label,
                code: fields["code"]?.label
            )
        case .string(let message): self.init(Kind(rawValue: ""), message)
        case .null, .bool, .integer, .number, .array:
            throw DecodingError.dataCorruptedError(
                forKey: FieldName("error"),
                in: body,
                debugDescription: "no error"
            )
        }
    }

    /// Writes `{"error": …}` with all four fields, `null` for those without a value.
    package func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: FieldName.self)
        var error = body.nestedContainer(keyedBy: FieldName.self, forKey: FieldName("error"))
        try error.encode(message, forKey: FieldName("message"))
        try error.encode(kind.rawValue, forKey: FieldName("type"))
        try error.encode(param, forKey: FieldName("param"))
        try error.encode(code, forKey: FieldName("code"))
    }
}

extension JSONValue {
    /// A text, or a number's digits.
    fileprivate var label: String? {
        switch self {
        case .string(let text): text
        case .integer(let number): "\(number)"
        case .null, .bool, .number, .array, .object: nil
        }
    }
}
