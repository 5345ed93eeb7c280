import LCPWire
import LightningTypes

/// An unsigned 64-bit number in JSON: a decimal string, or a plain number.
struct DecimalNumber: Decodable {
    let value: UInt64

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            guard let value = UInt64(text) else {
                throw DecodingError.dataCorruptedError(
                    in: container,
                    debugDescription: "not a decimal number of 64 bits"
                )
            }
            self.value = value
        } else {
            value = try container.decode(UInt64.self)
        }
    }
}

/// Bytes in JSON: a string of hex digits.
struct HexBytes: Decodable {
    let bytes: [UInt8]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let bytes = Hex.decode(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "not pairs of hex digits"
            )
        }
        self.bytes = bytes
    }

    /// The bytes as a 32-byte value, or the error the codec has for another length.
    func identifier<Value: Identifier32>(
        _ name: String,
        as type: Value.Type = Value.self
    ) throws(InspectionError) -> Value {
        guard let value = Bytes32(bytes) else {
            throw InspectionError(
                code: "length:\(name)",
                detail: "\(name) has \(bytes.count) bytes, not 32"
            )
        }
        return Value(value)
    }
}

extension Optional {
    /// The value, or the error that a field is missing.
    func required(_ name: String) throws(InspectionError) -> Wrapped {
        guard let self else { throw .field(name, "is missing") }
        return self
    }
}

/// Runs codec work inside a function that throws inspection errors.
func inspecting<Result>(
    _ work: () throws(WireError) -> Result
) throws(InspectionError) -> Result {
    do {
        return try work()
    } catch {
        throw InspectionError(error)
    }
}
