import LCPWire
import LightningTypes

/// The inputs of a terms hash as JSON gives them (LCP v0.1 §5.3).
///
/// Other fields are ignored; `params_hex` must be there, as `null` when the record is absent,
/// because leaving it out by mistake would give another hash.
package struct TermsFields: Decodable, Sendable {
    private var protocolVersion: UInt16
    private var jobID: HexBytes
    private var price: DecimalNumber
    private var quoteExpiry: DecimalNumber
    private var taskKind: String
    private var input: HexBytes
    private var params: HexBytes?

    private enum CodingKeys: String, CodingKey {
        case protocolVersion = "protocol_version"
        case jobID = "job_id_hex"
        case price = "price_msat"
        case quoteExpiry = "quote_expiry"
        case taskKind = "task_kind"
        case input = "input_hex"
        case params = "params_hex"
    }

    /// Reads the inputs from a JSON object.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        protocolVersion = try container.decode(UInt16.self, forKey: .protocolVersion)
        jobID = try container.decode(HexBytes.self, forKey: .jobID)
        price = try container.decode(DecimalNumber.self, forKey: .price)
        quoteExpiry = try container.decode(DecimalNumber.self, forKey: .quoteExpiry)
        taskKind = try container.decode(String.self, forKey: .taskKind)
        input = try container.decode(HexBytes.self, forKey: .input)
        params = try container.decode(HexBytes?.self, forKey: .params)
    }

    /// The canonical terms stream and its hash.
    ///
    /// - Returns: `{"terms_tlv_hex":…,"terms_hash_hex":…}`.
    /// - Throws: ``InspectionError`` when the task kind is empty or the params are not canonical.
    package func json() throws(InspectionError) -> JSONText {
        let job: JobID = try jobID.identifier("job_id")
        return try inspecting { () throws(WireError) in
            let terms = try V01.Terms(
                protocolVersion: protocolVersion,
                jobID: job,
                price: MilliSatoshi(msat: price.value),
                quoteExpiry: UnixTime(seconds: quoteExpiry.value),
                taskKind: taskKind,
                input: input.bytes,
                params: params?.bytes
            )
            return [
                "terms_tlv_hex": .string(Hex.encode(try terms.encoded())),
                "terms_hash_hex": .string(try terms.hash().hex),
            ]
        }
    }
}
