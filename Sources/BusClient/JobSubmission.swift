import BridgeProtocol
import FoundationEssentials
package import LightningTypes
import SwiftProtobuf

/// A job to be bought: what, from whom, and up to which price.
///
/// Its key is drawn when it is made. Whoever submits the same value again, after a timeout or a
/// crash of the bridge, gets the job that exists and buys nothing twice.
package struct JobSubmission: Sendable {
    /// Names the submission for ever: 16 random bytes unless the caller chose others.
    package let key: SubmissionKey
    /// Who shall do the job.
    package let peer: NodeID
    /// What kind of job: `llm.chat`.
    package let taskKind: String
    /// The input as the peer gets it.
    package let input: Redacted<[UInt8]>
    /// The raw params; empty for none.
    package let params: [UInt8]
    /// Pay without asking again up to this price, routing fees apart; nil waits for an acceptance.
    package var ceiling: MilliSatoshi?

    /// Describes a job.
    ///
    /// - Parameters:
    ///   - peer: Who shall do the job.
    ///   - taskKind: What kind of job.
    ///   - input: The input as the peer gets it.
    ///   - params: The raw params; empty for none.
    ///   - ceiling: The price up to which to pay without asking again; nil waits for an acceptance.
    ///   - key: Names the submission; a new random one by default.
    package init(
        to peer: NodeID,
        taskKind: String,
        input: Redacted<[UInt8]>,
        params: [UInt8],
        ceiling: MilliSatoshi? = nil,
        key: SubmissionKey = .random()
    ) {
        self.key = key
        self.peer = peer
        self.taskKind = taskKind
        self.input = input
        self.params = params
        self.ceiling = ceiling
    }

    var message: BusSubmit {
        .with {
            $0.key = Data(key.bytes)
            $0.peer = Data(peer.bytes)
            $0.taskKind = taskKind
            $0.input = Data(input.reveal("the bridge sends it to the peer"))
            $0.params = Data(params)
            if let ceiling { $0.maxPriceMsat = ceiling.msat }
        }
    }
}

/// Names a submission, so that repeating it gives the same job: 1 to 64 bytes.
package struct SubmissionKey: Hashable, Sendable {
    /// The bytes.
    package let bytes: [UInt8]

    /// Takes 1 to 64 bytes; nil for another count.
    package init?(_ bytes: [UInt8]) {
        guard (1...64).contains(bytes.count) else { return nil }
        self.bytes = bytes
    }

    /// Takes 32 bytes.
    package init(_ bytes: Bytes32) { self.init(unchecked: bytes.bytes) }

    /// Draws 16 random bytes.
    package static func random() -> SubmissionKey {
        var generator = SystemRandomNumberGenerator()
        return SubmissionKey(
            unchecked: (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        )
    }

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }
}
