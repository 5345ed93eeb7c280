import LightningTypes

/// What happened in a scenario: a digest of every move in its order, and how often what came up.
struct ScenarioTrace: Sendable {
    /// FNV-1a over all notes; the same for the same seed, in any process.
    private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    private(set) var counts: [String: Int] = [:]

    /// Notes something that happened, and its details.
    mutating func note(_ name: String, _ details: String...) {
        counts[name, default: 0] += 1
        mix(name)
        for detail in details { mix(detail) }
    }

    private mutating func mix(_ text: String) {
        for byte in text.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01b3 }
        digest = (digest ^ 0xff) &* 0x100_0000_01b3
    }
}

/// What a scenario can't go on without.
struct ScenarioError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The value, or an error that says what is missing.
func need<Value>(_ value: Value?, _ what: @autoclosure () -> String) throws -> Value {
    guard let value else { throw ScenarioError("there is no \(what())") }
    return value
}
