package import LightningTypes

/// Where `msg_id` and `job_id` come from: unpredictable, 32 bytes, never twice (LCP v0.1 §2, §4.1).
///
/// Passed in, so that the steps themselves draw nothing and a test can repeat a run.
package struct IdentifierSource: Sendable {
    private let draw: @Sendable () -> Bytes32

    /// Takes what draws.
    package init(_ draw: @escaping @Sendable () -> Bytes32) { self.draw = draw }

    // LCP v0.1 §2 [job-id-unpredictable]
    // LCP v0.1 §4.1 [msg-id-unique]
    /// The system's generator.
    package static let system = IdentifierSource {
        var generator = SystemRandomNumberGenerator()
        // By words, since the system is asked for each; exactly 32 bytes are made.
        let words = (0..<4).map { _ in generator.next() as UInt64 }
        return Bytes32(words.withUnsafeBytes { Array($0) }) ?? .zero
    }

    /// The next identifier.
    func next<ID: Identifier32>() -> ID { ID(draw()) }
}
