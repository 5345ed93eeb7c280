import BridgeProtocol
import BusClient
import LCPWire
import LightningTypes

/// What the jobs of a load are, and how far each is to come.
struct LoadPlan: Sendable {
    /// Where a job has done what it is for.
    enum Goal: Equatable, Sendable {
        /// Bought and answered, for at most this price.
        case answer(upTo: MilliSatoshi)
        /// Quoted; the quote is then dropped and nothing is paid.
        case quote
        /// Refused: the task is one that nobody sells, so that messages alone are exchanged.
        case refusal
    }

    /// Who shall do the jobs.
    var peer: NodeID
    /// One of the peer's offers.
    var profile: String
    /// What to ask; the jobs' numbers make prompts differ.
    var prompt: String
    /// How far each job is to come.
    var goal: Goal
    /// How long one job may take before it is given up; nil for any time.
    var timeout: Duration?

    /// What a job may cost; nil when nothing is bought.
    var ceiling: MilliSatoshi? {
        if case .answer(let ceiling) = goal { ceiling } else { nil }
    }

    /// A job's submission.
    ///
    /// - Parameters:
    ///   - number: The job's place in the load, from 0 on.
    ///   - ceiling: The price up to which to pay without an acceptance.
    /// - Returns: A submission with a key of its own.
    /// - Throws: `WireError` when the profile can't be encoded.
    func submission(_ number: Int, ceiling: MilliSatoshi?) throws -> JobSubmission {
        JobSubmission(
            to: peer,
            taskKind: goal == .refusal ? Self.unsoldTask : V01.llmChat,
            input: Redacted(Array((number == 0 ? prompt : "\(prompt) (\(number))").utf8)),
            params: try V01.LLMChatParams(profile: profile).encoded(),
            ceiling: ceiling
        )
    }

    /// Whether there is nothing more to wait for.
    func isReached(by job: BusJob) -> Bool {
        switch goal {
        // A quote above the ceiling waits for a person.
        case .answer: job.view.stage.isEnd || job.view.stage == .quoted && job.view.hasFailure
        case .quote, .refusal: job.view.stage != .quoting
        }
    }

    /// What a job's stage means for the load.
    func end(of job: BusJob) -> LoadEnd {
        let (stage, code) = (job.view.stage, job.view.failure.code)
        switch (goal, stage) {
        case (.answer, .done), (.quote, .quoted): return .ok
        case (.answer, .unanswered): return .unanswered
        case (.refusal, .failed) where code == "refused-by-provider": return .ok
        case (_, .cancelled): return .left
        default: return .failed(code.isEmpty ? stage.label : code)
        }
    }

    /// No provider offers it.
    private static let unsoldTask = "lcp.bench"
}
