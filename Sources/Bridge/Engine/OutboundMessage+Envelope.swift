package import BridgeProtocol
import Foundation
package import Journal
import LCPWire
package import LightningTypes

extension OutboundMessage {
    /// How long an envelope is good for when nothing else limits it (LCP v0.1 §4.2).
    private static let windowSeconds: UInt64 = 600

    /// Writes a worker's message: the envelope of this sending, then its records.
    ///
    /// nil when contents it refers to are not kept any more.
    ///
    /// - Parameters:
    ///   - message: What a worker asked for, checked to be well formed.
    ///   - peer: The job's peer.
    ///   - now: The time of this sending.
    ///   - input: Reads the job's input.
    ///   - output: Reads the job's output.
    /// - Throws: ``JournalError`` when contents could not be read.
    package init?(
        _ message: BusSendMessage,
        to peer: NodeID,
        at now: UnixTime,
        input: () async throws(JournalError) -> [UInt8]?,
        output: () async throws(JournalError) -> [UInt8]?
    ) async throws(JournalError) {
        guard let jobID = Bytes32(message.jobID) else { return nil }
        let expiry =
            message.expiryUnix == 0
            ? now.advanced(bySeconds: Self.windowSeconds).seconds : message.expiryUnix
        var expiryBytes: [UInt8] = []
        TruncatedInteger.append(expiry, to: &expiryBytes)
        let version = UInt16(clamping: message.protocolVersion)
        var records = [
            TLVRecord(type: 1, value: [UInt8(version >> 8), UInt8(version & 0xff)]),
            TLVRecord(type: 2, value: jobID.bytes[...]),
            TLVRecord(type: 3, value: [UInt8](message.msgID)[...]),
            TLVRecord(type: 4, value: expiryBytes[...]),
        ]
        for record in message.records {
            let value: [UInt8]
            switch record.value {
            case .bytes(let bytes): value = [UInt8](bytes)
            case .storedInput(let count):
                guard let bytes = try await input(), bytes.count >= count else { return nil }
                value = Array(bytes.prefix(Int(clamping: count)))
            case .storedOutput(let count):
                guard let bytes = try await output(), bytes.count >= count else { return nil }
                value = Array(bytes.prefix(Int(clamping: count)))
            case nil: return nil
            }
            records.append(TLVRecord(type: record.type, value: value[...]))
        }
        // In order, as was checked; a record of more than 65,535 bytes fits no message.
        guard let payload = try? TLVStream.encode(records) else { return nil }
        self.init(
            peer: peer,
            type: UInt16(clamping: message.type),
            jobID: jobID,
            payload: payload
        )
    }
}
