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
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return Bytes32(bytes) ?? .zero  // 32 bytes were just drawn
    }

    /// The next identifier.
    func next<ID: Identifier32>() -> ID { ID(draw()) }
}
