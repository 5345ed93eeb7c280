/// How one profile is computed: which model, and what it is told besides the prompt.
///
/// The parameters are those of the reference implementation's `openai` section. One that is nil is
/// not sent, which leaves it to the server.
package struct OpenAIProfile: Equatable, Sendable {
    /// What the server calls the model.
    package var model: String
    /// Instructions before the prompt; nil for none.
    package var systemPrompt: String?
    /// 0 to 2, for jobs that don't say.
    package var temperature: Double?
    /// The share of probability that tokens are drawn from, above 0 to 1.
    package var topP: Double?
    /// Texts that end the answer, at most four.
    package var stop: [String]?
    /// -2 to 2; more for new subjects.
    package var presencePenalty: Double?
    /// -2 to 2; more against repetition.
    package var frequencyPenalty: Double?
    /// The same seed asks for the same answer.
    package var seed: Int?

    /// Makes a profile that leaves everything to the server.
    package init(model: String) { self.model = model }
}
