/// A JSON value of any shape, for fields that are passed on or only looked at.
package enum JSONValue: Equatable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number without a fraction that fits 64 bits.
    case integer(Int64)
    /// Any other number.
    case number(Double)
    /// A text.
    case string(String)
    /// A list.
    case array([JSONValue])
    /// Names and values.
    case object([String: JSONValue])
}

extension JSONValue: Codable {
    /// Reads whatever is there.
    package init(from decoder: any Decoder) throws {
        if let object = try? decoder.container(keyedBy: FieldName.self) {
            var members: [String: JSONValue] = [:]
            for key in object.allKeys {
                members[key.stringValue] = try object.decode(JSONValue.self, forKey: key)
            }
            self = .object(members)
            return
        }
        if var list = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !list.isAtEnd { elements.append(try list.decode(JSONValue.self)) }
            self = .array(elements)
            return
        }
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let value = try? single.decode(String.self) {
            self = .string(value)
        } else if let value = try? single.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? single.decode(Int64.self) {
            self = .integer(value)
        } else {
            self = .number(try single.decode(Double.self))
        }
    }

    /// Writes the same value.
    package func encode(to encoder: any Encoder) throws {
        var single = encoder.singleValueContainer()
        switch self {
        case .null: try single.encodeNil()
        case .bool(let value): try single.encode(value)
        case .integer(let value): try single.encode(value)
        case .number(let value): try single.encode(value)
        case .string(let value): try single.encode(value)
        case .array(let elements): try single.encode(elements)
        case .object(let members): try single.encode(members)
        }
    }
}

/// The name of any field.
struct FieldName: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ name: String) {
        stringValue = name
        intValue = nil
    }

    init(stringValue: String) { self.init(stringValue) }

    init(intValue: Int) {
        stringValue = "\(intValue)"
        self.intValue = intValue
    }
}

extension KeyedDecodingContainer<FieldName> {
    /// A field's value; nil when it is not there or `null`.
    func value<Value: Decodable>(
        _ name: String,
        as type: Value.Type = Value.self
    ) throws -> Value? {
        let key = FieldName(name)
        do {
            return try decodeIfPresent(type, forKey: key)
        } catch  where !(error is DecodingError) {
            // A number with a fraction where none may be: Foundation throws an error of its own here,
            // and tells it as one without a place.
            throw DecodingError.dataCorruptedError(
                forKey: key,
                in: self,
                debugDescription: "not such a number"
            )
        }
    }

    /// The fields that are there, have a value, and are none of these.
    func others(than known: Set<String>) throws -> [String: JSONValue] {
        var others: [String: JSONValue] = [:]
        for key in allKeys where !known.contains(key.stringValue) {
            let value = try decode(JSONValue.self, forKey: key)
            if value != .null { others[key.stringValue] = value }
        }
        return others
    }
}

extension KeyedEncodingContainer<FieldName> {
    /// Writes a field, or leaves it out when it has no value.
    mutating func write(_ value: (some Encodable)?, _ name: String) throws {
        try encodeIfPresent(value, forKey: FieldName(name))
    }
}
