import OpenAIChat

/// Asks a server which models it has.
///
/// So an operator learns whether address, key and models are right before any job is at stake. No
/// prompt is sent, and nothing is billed.
package enum OpenAIProbe {
    /// What came of it.
    package enum Verdict: Equatable, Sendable {
        /// The server answers, and has these many models.
        case good(models: Int)
        /// The server answers, and has none of these names.
        case missing(models: [String])
        /// Nobody answers at the address, or not in time.
        case unreachable(String)
        /// The server does not take our key, or the key can't be read.
        case refused(String)
        /// The server answers with something else.
        case strange(String)
    }

    /// Asks once.
    ///
    /// - Parameter settings: Which server, and the profiles whose models it should have.
    /// - Returns: The verdict; its text has nothing of the key.
    /// - Throws: `CancellationError`.
    package static func run(_ settings: OpenAISettings) async throws -> Verdict {
        try await OpenAICall.withClient(settings) { client in
            do {
                let list = try await OpenAICall(client: client, settings: settings).models()
                let known = Set(list.models.map(\.id))
                let missing = Set(settings.profiles.values.map(\.model)).subtracting(known)
                return missing.isEmpty
                    ? .good(models: list.models.count) : .missing(models: missing.sorted())
            } catch let failure as CallFailure {
                switch failure.kind {
                case .unreachable, .timeout: return .unreachable(failure.detail)
                case .misconfigured where failure.status != 404: return .refused(failure.detail)
                case .misconfigured, .busy, .rejected, .failed, .tooLong:
                    return .strange(failure.detail)
                }
            }
        }
    }
}
