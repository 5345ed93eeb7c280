import InteropControl
import Testing

/// One thing that must hold between any client and any server.
struct Scenario: Sendable, CustomTestStringConvertible {
    /// A sentence about behaviour.
    var testDescription: String

    /// Tries it.
    var body: @Sendable (Pairing) async throws -> Void

    init(_ sentence: String, _ body: @Sendable @escaping (Pairing) async throws -> Void) {
        testDescription = sentence
        self.body = body
    }

    /// The list every pairing runs.
    static let all = calls + endings + flows + disturbances + certificates
}
