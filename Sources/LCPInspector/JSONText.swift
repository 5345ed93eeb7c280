/// A JSON document to be written: keys stay in the order in which they were put.
///
/// Reading JSON is the library's; writing keeps a fixed order of keys so that outputs can be
/// compared as text.
package enum JSONText: Equatable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A whole number; numbers above 2^53 belong into a string.
    case number(UInt64)
    /// A number in thousandths, written with three decimals: `12.345`.
    case decimal(thousandths: UInt64)
    /// Text.
    case string(String)
    /// A list.
    case array([JSONText])
    /// Named values in order.
    case object([Member])

    /// One named value of an object.
    package struct Member: Equatable, Sendable {
        /// The name.
        package var name: String
        /// The value.
        package var value: JSONText

        /// Makes a member.
        package init(name: String, value: JSONText) {
            self.name = name
            self.value = value
        }
    }

    /// Text, or `null` when there is none.
    package static func text(_ value: String?) -> JSONText { value.map(JSONText.string) ?? .null }

    /// A number, or `null` when there is none.
    package static func number(_ value: (some BinaryInteger)?) -> JSONText {
        value.map { .number(UInt64($0)) } ?? .null
    }

    /// Appends the document in its shortest form, without a newline.
    package func append(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .number(let value): bytes += String(value).utf8
        case .decimal(let thousandths):
            let rest = String(thousandths % 1000)
            bytes += "\(thousandths / 1000).".utf8
            bytes += repeatElement(UInt8(ascii: "0"), count: 3 - rest.utf8.count)
            bytes += rest.utf8
        case .string(let value): Self.append(value, to: &bytes)
        case .array(let items):
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                item.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.append(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for unit in text.utf8 {
            switch unit {
            case UInt8(ascii: "\""): bytes += #"\""#.utf8
            case UInt8(ascii: "\\"): bytes += #"\\"#.utf8
            case 0x0a: bytes += #"\n"#.utf8
            case 0x0d: bytes += #"\r"#.utf8
            case 0x09: bytes += #"\t"#.utf8
            case 0..<0x20, 0x7f:
                let digits = String(unit, radix: 16)
                bytes += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
            default: bytes.append(unit)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension JSONText: ExpressibleByDictionaryLiteral {
    /// Makes an object; the order of the literal is kept.
    package init(dictionaryLiteral elements: (String, JSONText)...) {
        self = .object(elements.map { Member(name: $0.0, value: $0.1) })
    }
}

extension JSONText: CustomStringConvertible {
    /// The document in its shortest form.
    package var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
