import LightningCrypto
import LightningTypes
import SwiftProtobuf

/// Reads the fields of one answer of lnd, refusing what lnd's interface excludes.
///
/// Every failure is ``LndError/Code/malformedAnswer`` and names message and field.
struct Answer {
    /// The message's name, as in `lnrpc.Invoice`.
    let message: String

    init<Message: SwiftProtobuf.Message>(_: Message.Type) { message = Message.protoMessageName }

    /// The error for a field.
    func malformed(_ field: String, _ what: String) -> LndError {
        LndError(.malformedAnswer, "\(message): \(field) \(what)")
    }

    func nodeID(_ hex: String, _ field: String) throws(LndError) -> NodeID {
        guard let id = NodeID(hex: hex) else { throw malformed(field, "is not a public key") }
        return id
    }

    func nodeID(_ bytes: some Collection<UInt8>, _ field: String) throws(LndError) -> NodeID {
        guard let id = NodeID(bytes) else { throw malformed(field, "is not a public key") }
        return id
    }

    func bytes32(_ bytes: some Collection<UInt8>, _ field: String) throws(LndError) -> Bytes32 {
        guard let value = Bytes32(bytes) else {
            throw malformed(field, "has \(bytes.count) bytes, not 32")
        }
        return value
    }

    func bytes32(hex: String, _ field: String) throws(LndError) -> Bytes32 {
        guard let value = Bytes32(hex: hex) else { throw malformed(field, "is not 64 hex digits") }
        return value
    }

    /// 32 bytes, or nil for none.
    func optional32(
        _ bytes: some Collection<UInt8>,
        _ field: String
    ) throws(LndError) -> Bytes32? {
        bytes.isEmpty ? nil : try bytes32(bytes, field)
    }

    func msat(_ value: Int64, _ field: String) throws(LndError) -> MilliSatoshi {
        MilliSatoshi(msat: try count(value, field))
    }

    func sat(_ value: Int64, _ field: String) throws(LndError) -> MilliSatoshi {
        guard let amount = MilliSatoshi(sat: try count(value, field)) else {
            throw malformed(field, "is more than there is")
        }
        return amount
    }

    func time(_ seconds: Int64, _ field: String) throws(LndError) -> UnixTime {
        UnixTime(seconds: try count(seconds, field))
    }

    /// A number that lnd declares as signed and never makes negative.
    func count(_ value: Int64, _ field: String) throws(LndError) -> UInt64 {
        guard let count = UInt64(exactly: value) else { throw malformed(field, "is negative") }
        return count
    }

    func text(_ value: String, _ field: String) throws(LndError) -> String {
        guard !value.isEmpty else { throw malformed(field, "is empty") }
        return value
    }
}
