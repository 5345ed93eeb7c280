/// Which server computes, and what a call to it may take.
package struct OpenAISettings: Sendable {
    /// The field that caps the answer.
    package enum CapField: Sendable {
        /// `max_tokens`: what servers that run models know.
        case maxTokens
        /// `max_completion_tokens`: what OpenAI's reasoning models want.
        case maxCompletionTokens
    }

    /// Where the server is.
    package var endpoint: OpenAIEndpoint
    /// The file that holds its key, read again for each call; nil sends none.
    package var keyFile: String?
    /// How profiles are computed, by name; one that is not here has a model of its own name.
    package var profiles: [String: OpenAIProfile] = [:]
    /// The field that caps the answer.
    package var capField = CapField.maxTokens
    /// How many calls there are at the same time.
    package var concurrency = 8
    /// How often a call that can't have been billed is made again.
    package var retries = 3
    /// How long connecting may take, TLS included.
    package var connectLimit = Duration.seconds(10)
    /// How long the server may say nothing: before its first byte, and between two.
    package var silenceLimit = Duration.seconds(300)
    /// How long a computation may take, repeated calls and the waits between them included.
    package var timeLimit = Duration.seconds(600)
    /// How many bytes of an answer are read, also when only the first of the text are kept.
    package var responseLimit = 64 << 20

    /// Makes settings with the defaults above.
    package init(endpoint: OpenAIEndpoint) { self.endpoint = endpoint }
}
