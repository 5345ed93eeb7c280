import GRPCCore
import NGHTTP2

/// Metadata as header fields and back.
enum MetadataCoding {
    // Made and read by the transport itself; never an application's.
    private static let reserved: Set<String> = [
        "te", "content-type", "grpc-status", "grpc-message", "grpc-encoding",
        "grpc-accept-encoding", "grpc-timeout", "host", "connection", "keep-alive",
        "proxy-connection", "transfer-encoding", "upgrade", "content-length",
    ]

    /// Appends the fields for some metadata.
    ///
    /// - Parameters:
    ///   - metadata: The transport's own keys are left out.
    ///   - sensitive: Lower-case names that are never indexed.
    ///   - fields: Grows.
    /// - Throws: `invalidArgument`, naming the key and never the value.
    static func append(
        _ metadata: Metadata,
        sensitive: Set<String>,
        to fields: inout [HeaderField]
    ) throws(RPCError) {
        for (key, value) in metadata {
            let name = key.lowercased()
            guard !reserved.contains(name) else { continue }
            guard !name.isEmpty, name.utf8.allSatisfy(isKeyCharacter) else {
                throw invalid("metadata key \(String(reflecting: key)) has characters not allowed")
            }
            let text: String
            switch value {
            case .binary(let bytes):
                guard name.hasSuffix("-bin") else {
                    throw invalid("binary metadata needs a key that ends in -bin, not \(name)")
                }
                text = Base64.encode(bytes)
            case .string(let string) where name.hasSuffix("-bin"):
                // Text under a binary key is taken as its UTF-8.
                text = Base64.encode(Array(string.utf8))
            case .string(let string):
                text = string
            }
            guard text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
                throw invalid("the value of metadata key \(name) is not printable ASCII")
            }
            fields.append(
                HeaderField(name, trimmed(text), neverIndexed: sensitive.contains(name))
            )
        }
    }

    /// The metadata in a header block.
    ///
    /// - Parameter fields: Pseudo-header fields and the transport's own are left out, and so are
    ///   `-bin` values that are not Base64.
    /// - Returns: Keys in lower case, values in order.
    static func decode(_ fields: [HeaderField]) -> Metadata {
        var metadata = Metadata()
        for field in fields where !field.name.hasPrefix(":") && !reserved.contains(field.name) {
            guard field.name.hasSuffix("-bin") else {
                metadata.addString(field.value, forKey: field.name)
                continue
            }
            // Several values may share a field, separated by commas.
            for part in field.value.split(separator: ",", omittingEmptySubsequences: false) {
                guard let bytes = Base64.decode(trimmed(part)) else { continue }
                metadata.addBinary(bytes, forKey: field.name)
            }
        }
        return metadata
    }

    private static func isKeyCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var characters = Substring(text)
        while characters.first == " " { characters.removeFirst() }
        while characters.last == " " { characters.removeLast() }
        return String(characters)
    }

    private static func invalid(_ message: String) -> RPCError {
        RPCError(code: .invalidArgument, message: message)
    }
}
