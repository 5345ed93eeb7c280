package import BridgeProtocol
package import LightningTypes

/// What was bought, and the proof of payment.
package struct BoughtResult: Sendable {
    /// The job as it stands.
    package let job: BusJob
    /// The answer's bytes; nil until there is one, and when its retention is over.
    package let output: Redacted<[UInt8]>?
    /// Proves the payment; nil until it succeeded.
    package let preimage: Preimage?

    init(_ message: BusResult) {
        job = message.job
        output = message.hasOutput ? Redacted(Array(message.output)) : nil
        preimage = Bytes32(message.preimage).map { Preimage($0) }
    }
}
