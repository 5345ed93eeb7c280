import LCPInspector
import LCPWire
import LightningTypes

/// One line of `decode --batch`: a message or an invoice.
struct DecodeRequest: Decodable {
    var type: UInt16?
    var payload: String?
    var invoice: String?

    enum CodingKeys: String, CodingKey {
        case type, invoice
        case payload = "payload_hex"
    }

    /// The answer to one line.
    static func answer(_ line: ArraySlice<UInt8>) throws(InspectionError) -> JSONText.Member {
        let request = try JSONInput.decode(DecodeRequest.self, from: line)
        return .init(name: "fields", value: try request.fields())
    }

    private func fields() throws(InspectionError) -> JSONText {
        if let invoice { return try JSONText(invoice: invoice) }
        let type = try V01.MessageType(number: type)
        guard let payload = payload.flatMap({ Hex.decode($0) }) else {
            throw InspectionError(
                code: "invalid-hex",
                detail: "payload_hex is missing or is not pairs of hex digits"
            )
        }
        do {
            return JSONText(try V01.Message(decoding: payload, as: type))
        } catch {
            throw InspectionError(error)
        }
    }
}

extension V01.MessageType {
    /// The message type a request names.
    init(number: UInt16?) throws(InspectionError) {
        guard let number, let type = Self(rawValue: number) else {
            let known = Self.allCases.map { String($0.rawValue) }.joined(separator: ", ")
            throw InspectionError(
                code: "unknown-message-type",
                detail: "type is \(number.map { String($0) } ?? "missing"); LCP v0.1 has \(known)"
            )
        }
        self = type
    }
}
