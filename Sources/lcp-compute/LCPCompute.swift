import ArgumentParser
import BridgeProtocol
import BuildInfo
import Compute
import Foundation
import Logging
import ServiceNotify
import Settings
import SwiftProtobuf
import WorkerKit

/// `lcp-compute`: runs the paid jobs of a bridge.
@main
struct LCPCompute: ConfiguredProgram {
    static var plan: SettingsPlan {
        var plan = SettingsPlan(program: "lcp-compute")
        plan.keys = ["program": "command", "profile": "profiles"]
        plan.keys.merge(OpenAIArguments.keys) { _, key in key }
        plan.tables = OpenAIArguments.tables
        plan.credentials = ["openai-key-file": "openai-key"]
        return plan
    }
    static let configuration = CommandConfiguration(
        commandName: "lcp-compute",
        abstract: "Run paid computations for an lcp-bridge.",
        discussion: """
            Keeps nothing: start as many as you like, stop and upgrade them one by one. SIGTERM lets \
            what runs finish, 25 seconds at most.

            BACKENDS
              deterministic  answers with the SHA-256 of the input in hex, a line feed and the \
            input: for tests and load.
              exec           runs the program after `--` for each job. The input is its standard \
            input, the result its standard output. Exit code 0 delivers the result, 75 \
            (EX_TEMPFAIL) asks for another attempt, anything else fails the job. The peer learns \
            only that it failed; the exit code and the last 2 KiB of standard error are logged here. \
            When the job is cancelled, or its deadline or a limit is reached, the program's process \
            group gets SIGTERM and two seconds later SIGKILL; what it leaves running is killed.
              openai         asks an OpenAI-compatible server for each job: the input is one user's \
            message, the streamed text is the result. When the job is cancelled, its deadline or a \
            limit is reached, or the result is full, the call is closed. Only a call that can't have \
            been billed is made again: without a connection, or answered with 429, or with 503 and \
            a time. The peer learns only that it failed; status, error code and request id are \
            logged here. The tokens that the server counts stand in the bridge's ledger.

            VARIABLES OF A PROGRAM
              LCP_JOB_ID, LCP_PEER    the job and the peer's public key, in hex
              LCP_TASK_KIND, LCP_PROFILE
              LCP_PARAMS              the request's raw params, in hex
              LCP_INPUT_BYTES         the size of the input
              LCP_ATTEMPT             1 for the first attempt
              LCP_DEADLINE_UNIX       the result is worth nothing after this
              LCP_MAX_RESULT_BYTES    longer text is cut, anything else that is longer is refused
              LCP_MAX_OUTPUT_TOKENS, LCP_TEMPERATURE_MILLI   when the request states them

            EXAMPLES
              lcp-compute --bus-dir /run/lcp --backend deterministic
              lcp-compute --backend exec --profile upper -- tr a-z A-Z
              lcp-compute --backend openai --openai-base-url http://127.0.0.1:8000/v1 \
            --openai-model small=llama-3.1-8b
              lcp-compute --config compute.yaml --probe

            COMPUTE.YAML
              backend: exec
              profiles: [upper]
              command: [tr, a-z, A-Z]     # what stands after `--`

              backend: openai
              openai:
                base_url: https://api.openai.com/v1
                key_file: /etc/lcp/openai-key   # or the credential openai-key
              llm:
                chat_profiles:
                  small:
                    backend_model: gpt-4o-mini
                    system_prompt: Answer briefly.
                    openai: {temperature: 0.7, top_p: 0.9, stop: [END], presence_penalty: 0, \
            frequency_penalty: 0, seed: 7}

            A job's own temperature goes before its profile's. Without --profile it runs the profiles \
            that have a model.

            Each option is also a variable, `LCP_COMPUTE_BACKEND`, and a key of the file that \
            --config names; see `lcp-compute help config`.

            EXIT STATUS
              0   drained after SIGTERM or SIGINT
              64  an option makes no sense
              66  the configuration file or the key can't be read
              69  the bus or the program can't be used; --probe: nobody answers
              70  a defect of lcp-compute
              76  --probe: the server answers something else
              77  the bridge refuses this worker; --probe: the server refuses the key
              78  the configuration is wrong; --probe: the server has no such model
            """,
        version: BuildInfo.description,
        subcommands: [ConfigurationCommand<Self>.self]
    )

    @Option(help: ArgumentHelp("A compute.yaml.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("What computes.", valueName: "deterministic|exec|openai"))
    var backend: Backend

    @Option(help: "The bridge's bus directory; also $LCP_BUS_DIR.")
    var busDir = ""

    @Option(help: "The kind of task it runs.")
    var taskKind = "llm.chat"

    @Option(
        name: .customLong("profile"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "The profiles it runs, separated by commas or repeated; any by default.",
            valueName: "name,...|any"
        )
    )
    var profiles: [String] = []

    @Option(help: "How many jobs it takes at a time, waiting ones included.")
    var capacity: Int?

    @Option(
        help: "How many it runs at the same time; 1 for exec, 8 for openai, 64 for deterministic."
    )
    var concurrency: Int?

    @Option(help: "exec, openai: how many seconds one run may take.")
    var timeLimit = 600

    @Option(help: "exec, openai: how many bytes one run may write before it is stopped.")
    var outputLimit = 64 << 20

    @Option(help: "exec: the media type of the results; by default UTF-8 text is told from bytes.")
    var contentType: String?

    @Option(help: "deterministic: how many milliseconds each job takes.")
    var delay = 0

    @OptionGroup(title: "Server of --backend openai") var openAI: OpenAIArguments

    @Flag(help: "openai: ask the server for its models, say what is wrong, and exit.")
    var probe = false

    @Option(help: ArgumentHelp("The least important lines to log.", valueName: "level"))
    var logLevel = LogLevel.info

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("exec: the program and its arguments.", valueName: "program")
    )
    var command: [String] = []

    /// What computes.
    enum Backend: String, ExpressibleByArgument {
        case deterministic, exec, openai
    }

    /// Between SIGTERM and SIGKILL of a program.
    private static let grace = 2

    func validate() throws {
        if backend == .exec, command.isEmpty {
            throw ValidationError("--backend exec needs a program after `--`.")
        }
        if backend != .exec, !command.isEmpty {
            throw ValidationError("Only --backend exec takes a program.")
        }
        if backend == .openai, openAI.openaiBaseUrl == nil {
            throw ValidationError("--backend openai needs --openai-base-url.")
        }
        guard backend == .openai || !probe else {
            throw ValidationError("--probe is for --backend openai.")
        }
        guard !busDir.isEmpty || probe else {
            throw ValidationError("Say where the bridge is: --bus-dir or LCP_BUS_DIR.")
        }
        guard (1...86_400).contains(timeLimit), outputLimit > 0, (0...86_400_000).contains(delay)
        else {
            throw ValidationError(
                "--time-limit, --output-limit and --delay must be positive, and a day at most."
            )
        }
        guard (1...4_096).contains(slots), (slots...16_384).contains(capacity ?? slots) else {
            throw ValidationError(
                "--concurrency is 1 to 4096, --capacity at least as much and at most 16384."
            )
        }
        guard !taskKind.isEmpty, !profileNames.contains("") else {
            throw ValidationError("Neither --task-kind nor a profile may be empty.")
        }
        if profileNames.count > 1, profileNames.contains("any") {
            throw ValidationError("--profile any stands alone.")
        }
    }

    static func main() async { await start() }

    func check() throws {
        switch backend {
        case .deterministic: break
        case .exec:
            let logger = Logger(label: "")
            do {
                _ = try ExecBackend(execSettings, environment: environment, logger: logger)
            } catch { throw ConfigurationError(.invalidValue, "\(error)") }
        case .openai: _ = try openAISettings()
        }
    }

    func run() async throws {
        if probe { try await ask() }
        let logger = WorkerProgram.logger(
            "lcp-compute",
            level: logLevel.level
        )
        let status =
            switch backend {
            case .deterministic:
                await work(DeterministicBackend(delay: .milliseconds(delay)), logger)
            case .exec: await work(try execBackend(logger), logger)
            case .openai: try await workOpenAI(logger)
            }
        throw ExitCode(status)
    }

    private func workOpenAI(_ logger: Logger) async throws -> Int32 {
        let settings = try openAISettings()
        if settings.endpoint.isExposed, settings.keyFile != nil {
            logger.warning(
                "the server's key and every prompt go over plain HTTP",
                metadata: ["openai.base_url": "\(settings.endpoint.base)"]
            )
        }
        let names = profileNames(settings)
        return try await OpenAIBackend.run(settings, logger: logger) { backend in
            await work(backend, logger, names)
        }
    }

    /// `--probe`.
    private func ask() async throws {
        var settings = try openAISettings()
        settings.timeLimit = .seconds(min(timeLimit, 30))
        let (code, text): (Int32, String) =
            switch try await OpenAIProbe.run(settings) {
            case .good(let count):
                (0, "the server answers; it has \(count) models, ours among them")
            case .missing(let models): (78, "the server has no \(models.joined(separator: ", "))")
            case .unreachable(let detail): (69, "nobody answers: \(detail)")
            case .refused(let detail): (77, "the server refuses us: \(detail)")
            case .strange(let detail): (76, "the server is none of this kind: \(detail)")
            }
        print("lcp-compute: \(settings.endpoint.base): \(text)")
        throw ExitCode(code)
    }

    private func openAISettings() throws(ConfigurationError) -> OpenAISettings {
        var file: ConfigurationTable?
        if let config { file = try ConfigurationTable.read(config) }
        var settings = try openAI.settings(file)
        settings.concurrency = slots
        settings.timeLimit = .seconds(timeLimit)
        settings.responseLimit = outputLimit
        return settings
    }

    private func work(
        _ handler: some ComputationHandler,
        _ logger: Logger,
        _ profiles: [String]? = nil
    ) async -> Int32 {
        var options = options
        options.capabilities = capabilities(profiles ?? profileNames)
        let worker = ComputeWorker(options: options, handler: handler, logger: logger)
        return await WorkerProgram.run(worker, logger: logger)
    }

    private func execBackend(_ logger: Logger) throws -> ExecBackend {
        do {
            return try ExecBackend(execSettings, environment: environment, logger: logger)
        } catch {
            logger.critical("stopped", metadata: ["error": "\(error)"])
            throw ExitCode(69)  // EX_UNAVAILABLE
        }
    }

    private var execSettings: ExecBackend.Settings {
        var settings = ExecBackend.Settings(command: command)
        settings.timeLimit = .seconds(timeLimit)
        settings.outputLimit = outputLimit
        settings.contentType = contentType
        settings.grace = .seconds(Self.grace)
        return settings
    }

    private var environment: [String: String] { ProcessInfo.processInfo.environment }

    // MARK: - What it says of itself

    private var options: WorkerOptions {
        var options = WorkerOptions(
            role: .compute,
            busDirectory: busDir,
            program: "lcp-compute \(BuildInfo.description)"
        )
        options.concurrency = slots
        options.capacity = capacity ?? slots
        // A program that is still running then has its grace within the 25 seconds of a drain.
        options.drainLimit = .seconds(25 - Self.grace)
        options.notifier = .ofThisProcess()
        return options
    }

    private var slots: Int {
        switch backend {
        case .exec: concurrency ?? 1
        case .openai: concurrency ?? 8
        case .deterministic: concurrency ?? 64
        }
    }

    private var profileNames: [String] {
        profiles.flatMap {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// Without any named, those that have a model.
    private func profileNames(_ settings: OpenAISettings) -> [String] {
        profileNames.isEmpty ? settings.profiles.keys.sorted() : profileNames
    }

    /// One for each profile; an empty profile means any of the kind.
    private func capabilities(_ profiles: [String]) -> [BusCapability] {
        let names = profiles.isEmpty || profiles == ["any"] ? [""] : profiles
        return names.map { name in
            BusCapability.with {
                $0.taskKind = taskKind
                $0.profile = name
            }
        }
    }
}
