import BridgeProtocol
import OpenAIChat
import WorkerKit

extension ChatRequest {
    /// What a job asks of the server.
    ///
    /// v0.1 carries one text, so it is one user's message; a profile's instructions stand before it.
    /// The answer always comes in chunks: a call that is given up then ends, and with it the bill.
    ///
    /// - Parameters:
    ///   - item: The computation.
    ///   - settings: Which model a profile has, and what it is told.
    /// - Throws: ``WorkFailure`` for an input that is no text.
    init(_ item: BusComputeItem, _ settings: OpenAISettings) throws(WorkFailure) {
        guard let prompt = String(validating: item.input, as: UTF8.self) else {
            throw WorkFailure("bad-job", "the input is not UTF-8", isRetryable: false)
        }
        let profile = settings.profiles[item.profile] ?? OpenAIProfile(model: item.profile)
        let instructions = profile.systemPrompt.map { [ChatMessage(.system, $0)] } ?? []
        self.init(model: profile.model, messages: instructions + [ChatMessage(.user, prompt)])
        let limits = item.limits
        if limits.maxOutputTokens > 0 {
            switch settings.capField {
            case .maxTokens: maxTokens = Int(limits.maxOutputTokens)
            case .maxCompletionTokens: maxCompletionTokens = Int(limits.maxOutputTokens)
            }
        }
        // The provider has checked the job's own temperature against its limits.
        temperature =
            limits.hasTemperatureMilli
            ? Double(limits.temperatureMilli) / 1_000 : profile.temperature
        topP = profile.topP
        stop = profile.stop
        presencePenalty = profile.presencePenalty
        frequencyPenalty = profile.frequencyPenalty
        seed = profile.seed
        stream = true
        streamOptions = StreamOptions(includeUsage: true)
    }
}
