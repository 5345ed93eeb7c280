import GRPCCore
import InteropControl

/// Messages that are their own bytes.
struct BytesSerializer: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes {
        (message as? Bytes) ?? Bytes(message)
    }
}

struct BytesDeserializer: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        (bytes as? [UInt8]) ?? bytes.withUnsafeBytes { Array($0) }
    }
}

extension MethodDescriptor {
    static func echo(_ name: String) -> MethodDescriptor {
        MethodDescriptor(fullyQualifiedService: "interop.Echo", method: name)
    }
}

extension Metadata {
    init(_ fields: [Field]) {
        self.init()
        for field in fields {
            switch field {
            case .text(let key, let value): addString(value, forKey: key)
            case .binary(let key, let bytes): addBinary(bytes, forKey: key)
            }
        }
    }

    var fields: [Field] {
        map { key, value in
            switch value {
            case .string(let text): .text(key, text)
            case .binary(let bytes): .binary(key, bytes)
            }
        }
    }

    func text(_ key: String) -> String? { self[stringValues: key].first { _ in true } }

    func number(_ key: String) -> Int? { text(key).flatMap { Int($0) } }

    /// What a client wants back.
    var echoed: Metadata { Metadata(fields.filter { $0.key.hasPrefix("echo-") }) }
}
