import FoundationEssentials
package import LCPWire

/// Why an input could not be explained or encoded; the input is at fault.
package struct InspectionError: Error, Equatable, Sendable {
    /// A stable label for programs: one of the codec's (`missing-type-20`), an invoice failure
    /// (`bad_checksum`), or one of the inputs' own: `invalid-json`, `invalid-hex`,
    /// `invalid-field:NAME`, `unknown-message-type`, `line-too-long`.
    package var code: String
    /// What happened, for people.
    package var detail: String

    /// Makes an error of the input's own.
    package init(code: String, detail: String) {
        self.code = code
        self.detail = detail
    }

    /// Takes over an error of the codec.
    package init(_ error: WireError) {
        self.init(code: error.code, detail: error.description)
    }

    /// A field whose JSON value does not fit.
    static func field(_ name: String, _ detail: String) -> InspectionError {
        InspectionError(code: "invalid-field:\(name)", detail: "\(name) \(detail)")
    }

    /// Takes over an error of the JSON reader.
    init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self = .field(Self.path(context.codingPath + [key]), "is missing")
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            self = .field(Self.path(context.codingPath), "has a JSON type that does not fit")
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            self = .field(Self.path(context.codingPath), "is out of range")
        case .dataCorrupted: self = .json
        @unknown default: self = .json
        }
    }

    /// Text that is not JSON at all.
    static let json = InspectionError(code: "invalid-json", detail: "the input is not valid JSON")

    /// This error as it is printed: `{"code":…,"detail":…}`.
    package var json: JSONText {
        ["code": .string(code), "detail": .string(detail)]
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.isEmpty ? "the document" : keys.map(\.stringValue).joined(separator: ".")
    }
}

extension InspectionError: CustomStringConvertible {
    /// The detail with its code: `lcp_cancel: expiry (4) is missing [missing-type-4]`.
    package var description: String { "\(detail) [\(code)]" }
}

/// Reads JSON with every failure as an ``InspectionError``.
package enum JSONInput {
    /// Decodes one document.
    ///
    /// - Parameters:
    ///   - type: What to decode.
    ///   - bytes: The document in UTF-8.
    /// - Returns: The value.
    /// - Throws: ``InspectionError`` naming the field that does not fit.
    package static func decode<Value: Decodable>(
        _ type: Value.Type,
        from bytes: some Collection<UInt8>
    ) throws(InspectionError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw InspectionError(error)
        } catch {
            throw .json
        }
    }
}
