import ArgumentParser
import Compute
import Settings

/// The server that `--backend openai` asks, and how each profile is computed.
struct OpenAIArguments: ParsableArguments {
    /// Where the options stand in compute.yaml.
    static let keys = [
        "openai-base-url": "openai.base_url",
        "openai-key-file": "openai.key_file",
        "openai-model": "openai.models",
        "openai-cap-field": "openai.cap_field",
        "openai-retries": "openai.retries",
        "openai-connect-limit": "openai.connect_limit",
        "openai-silence-limit": "openai.silence_limit",
    ]
    /// What no option can say.
    static let tables = ["llm.chat_profiles"]

    @Option(
        help: ArgumentHelp(
            "The server's address: https://host/v1. Without a path it is /v1.",
            valueName: "url"
        )
    )
    var openaiBaseUrl: String?

    @Option(
        help: ArgumentHelp(
            "A file with the server's key, read for each call; none sends no key.",
            valueName: "file"
        )
    )
    var openaiKeyFile: String?

    @Option(
        name: .customLong("openai-model"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "The model of a profile; without it, the one of the profile's name. Repeatable.",
            valueName: "profile=model"
        )
    )
    var openaiModels: [ModelArgument] = []

    @Option(
        help: ArgumentHelp(
            "The field that caps the answer; OpenAI's reasoning models want the second.",
            valueName: "max_tokens|max_completion_tokens"
        )
    )
    var openaiCapField = CapField.maxTokens

    @Option(
        help: ArgumentHelp(
            "How often a call that can't have been billed is made again.",
            valueName: "count"
        )
    )
    var openaiRetries = 3

    @Option(help: ArgumentHelp("How long connecting may take.", valueName: "seconds"))
    var openaiConnectLimit = 10

    @Option(
        help: ArgumentHelp(
            "How long the server may say nothing, before its first byte or between two.",
            valueName: "seconds"
        )
    )
    var openaiSilenceLimit = 300

    /// As it stands in a request.
    enum CapField: String, ExpressibleByArgument {
        case maxTokens = "max_tokens"
        case maxCompletionTokens = "max_completion_tokens"
    }

    func validate() throws {
        guard (0...10).contains(openaiRetries) else {
            throw ValidationError("--openai-retries must be 0 to 10.")
        }
        guard (1...300).contains(openaiConnectLimit) else {
            throw ValidationError("--openai-connect-limit must be 1 to 300.")
        }
        guard (1...86_400).contains(openaiSilenceLimit) else {
            throw ValidationError("--openai-silence-limit must be 1 to 86400.")
        }
        if let openaiBaseUrl, OpenAIEndpoint(openaiBaseUrl) == nil {
            throw ValidationError(
                "--openai-base-url must be http:// or https:// without user, query or fragment."
            )
        }
    }

    /// What the options and the profiles of a file say.
    ///
    /// - Parameter file: The file; nil for none.
    /// - Returns: The settings; a model that is an option goes before the file's.
    /// - Throws: ``ConfigurationError`` with the line of the first mistake in the file, and for a
    ///   key that can't be read.
    func settings(_ file: ConfigurationTable?) throws(ConfigurationError) -> OpenAISettings {
        guard let endpoint = openaiBaseUrl.flatMap({ OpenAIEndpoint($0) }) else {
            throw ConfigurationError(.missing, "--backend openai needs --openai-base-url")
        }
        var settings = OpenAISettings(endpoint: endpoint)
        settings.keyFile = openaiKeyFile
        try checkKey()
        settings.profiles = try OpenAIProfile.all(in: file)
        for argument in openaiModels {
            settings.profiles[argument.profile, default: OpenAIProfile(model: "")].model =
                argument.model
        }
        settings.capField =
            switch openaiCapField {
            case .maxTokens: .maxTokens
            case .maxCompletionTokens: .maxCompletionTokens
            }
        settings.retries = openaiRetries
        settings.connectLimit = .seconds(openaiConnectLimit)
        settings.silenceLimit = .seconds(openaiSilenceLimit)
        return settings
    }

    private func checkKey() throws(ConfigurationError) {
        guard let openaiKeyFile else { return }
        do {
            _ = try KeyFile.read(openaiKeyFile)
        } catch .unreadable {
            throw ConfigurationError(
                .unreadable,
                "\(openaiKeyFile) can't be read",
                advice: "Check the path and its rights."
            )
        } catch {
            throw ConfigurationError(
                .invalidValue,
                "\(openaiKeyFile) holds no key",
                advice: "One line of ASCII without spaces is expected."
            )
        }
    }
}

/// `profile=model`; the model may hold equals signs itself.
struct ModelArgument: ExpressibleByArgument {
    let profile: String
    let model: String

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, !argument.hasPrefix("=") else { return nil }
        (profile, model) = (parts[0], parts[1])
    }
}
