package import FoundationEssentials

/// The one way in which values of this module become JSON and come back.
package enum ChatJSON {
    /// Writes a value; the same value gives the same bytes.
    ///
    /// - Parameter value: The value.
    /// - Returns: UTF-8 without line feeds.
    /// - Throws: `EncodingError` for a number that JSON does not have.
    package static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    /// Reads what the other side sent.
    ///
    /// - Parameters:
    ///   - type: What it should be.
    ///   - bytes: UTF-8; the caller bounds its size. Deeper nesting than 512 is refused.
    /// - Returns: The value.
    /// - Throws: ``ChatError`` `invalid_request_error`, whose `param` names the field to blame. It
    ///   quotes nothing of the bytes but the names of fields.
    package static func decode<Value: Decodable>(
        _ type: Value.Type,
        from bytes: Data
    ) throws(ChatError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: bytes)
        } catch let error as ChatError {
            throw error
        } catch let error as DecodingError {
            throw ChatError(error)
        } catch {
            throw ChatError(.invalidRequest, "the body is not JSON")
        }
    }
}

extension ChatError {
    fileprivate init(_ error: DecodingError) {
        switch error {
        case .typeMismatch(let type, let context):
            self.init(context, "must be \(Self.name(of: type))")
        case .valueNotFound(let type, let context):
            self.init(context, "must be \(Self.name(of: type)), not null")
        case .keyNotFound(let key, let context):
            let path = Self.param(context.codingPath + [key])
            self.init(.invalidRequest, "\(path ?? "a field") is missing", param: path)
        case .dataCorrupted(let context):
            let isValue = !context.codingPath.isEmpty
            self.init(context, isValue ? "has a value that is not allowed" : "is not JSON")
        @unknown default: self.init(.invalidRequest, "the body is not what it should be")
        }
    }

    private init(_ context: DecodingError.Context, _ complaint: String) {
        let path = Self.param(context.codingPath)
        self.init(.invalidRequest, "\(path ?? "the body") \(complaint)", param: path)
    }

    /// `messages[0].content`.
    private static func param(_ path: [any CodingKey]) -> String? {
        var text = ""
        for key in path {
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
        return text.isEmpty ? nil : text
    }

    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is Int.Type, is Int64.Type: "an integer"
        case is Double.Type: "a number"
        case is [Any].Type: "a list"
        default: "an object"
        }
    }
}
