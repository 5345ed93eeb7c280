import BridgeProtocol
import BuildInfo
import Compute
import Foundation
import OpenAIChat
import ScriptedBus
import ScriptedOpenAI
import Subprocess
import SwiftProtobuf
import SystemPackage
import Testing

@Suite(.timeLimit(.minutes(10))) struct LCPComputeTests {
    @Test func `it computes what the bridge sends, and SIGTERM drains it`() async throws {
        let bridge = try await ScriptedBridge(.compute)
        let outcome = try await run(["--backend", "deterministic"], bridge) { process in
            let (member, hello) = try await bridge.join()
            #expect(hello.program == "lcp-compute \(BuildInfo.description)")
            #expect(hello.capabilities == [.with { $0.taskKind = "llm.chat" }])
            try await bridge.send(.compute(item("xyz")), to: member)
            let result = try await answer(bridge).result
            #expect(Array(result.output) == DeterministicBackend.answer(to: Array("xyz".utf8)))
            try process.send(signal: .terminate)
            try await bridge.goodbye()
            try await bridge.dismiss(member)
            try await bridge.end(of: member.subscription)
        }
        #expect(outcome.status == .exited(0))
        #expect(outcome.errors.contains("joined the bridge") && !outcome.errors.contains("xyz"))
        await bridge.close()
    }

    @Test func `SIGTERM lets a program finish before it exits`() async throws {
        let bridge = try await ScriptedBridge(.compute)
        let life = try LifeLine()
        let script = "exec 9>\(life.path); echo ready >&9; cat"
        let gate = "\(bridge.directory)/gate"
        let arguments = [
            "--backend", "exec", "--profile", "a,b", "--profile", "c", "--task-kind", "t",
            "--", "sh", "-c", "\(script); cat \(gate)",
        ]
        try #require(mkfifo(gate, 0o600) == 0)
        let outcome = try await run(arguments, bridge) { process in
            let (member, hello) = try await bridge.join()
            #expect(hello.capabilities.map(\.profile) == ["a", "b", "c"])
            #expect(hello.capabilities.allSatisfy { $0.taskKind == "t" } && hello.capacity == 1)
            try await bridge.send(.compute(item("question")), to: member)
            #expect(await life.line() == "ready")
            try process.send(signal: .terminate)
            try await bridge.goodbye()
            try Data(" answered".utf8).write(to: URL(filePath: gate))
            #expect(try await answer(bridge).result.output == Data("question answered".utf8))
            try await bridge.dismiss(member)
        }
        #expect(outcome.status == .exited(0))
        await bridge.close()
    }

    @Test func `SIGKILL takes the programs and all they started along`() async throws {
        let bridge = try await ScriptedBridge(.compute)
        let life = try LifeLine()
        let script = "exec 9>\(life.path); sleep 1000 & echo ready >&9; sleep 1000"
        let arguments = ["--backend", "exec", "--", "sh", "-c", script]
        let outcome = try await run(arguments, bridge) { process in
            let (member, _) = try await bridge.join()
            try await bridge.send(.compute(item("")), to: member)
            #expect(await life.line() == "ready")
            try process.send(signal: .kill)
            #expect(await life.line() == nil)
            try await bridge.end(of: member.subscription)
        }
        #expect(outcome.status == .signaled(SIGKILL))
        await bridge.close()
    }

    @Test func `a revoked job's program is ended and the next one runs`() async throws {
        let bridge = try await ScriptedBridge(.compute)
        let life = try LifeLine()
        let script = """
            read line; [ "$line" = go ] && echo done && exit
            exec 9>\(life.path); echo ready >&9; sleep 1000
            """
        let arguments = ["--backend", "exec", "--", "sh", "-c", script]
        let outcome = try await run(arguments, bridge) { process in
            let (member, _) = try await bridge.join()
            try await bridge.send(.compute(item("wait\n")), to: member)
            #expect(await life.line() == "ready")
            try await bridge.send(.revoke(.with { $0.lease = item("wait\n").lease }), to: member)
            #expect(await life.line() == nil)
            try await bridge.send(.compute(item("go\n")), to: member)
            #expect(try await answer(bridge).result.output == Data("done\n".utf8))
            try process.send(signal: .terminate)
            try await bridge.goodbye()
            try await bridge.dismiss(member)
        }
        #expect(outcome.status == .exited(0))
        await bridge.close()
    }

    @Test func `a refused worker says why and exits with 77`() async throws {
        let bridge = try await ScriptedBridge(.compute)
        let outcome = try await run(["--backend", "deterministic"], bridge) { _ in
            let (member, _) = try await bridge.join()
            let failure = BusFailure.with {
                $0.code = "too-many-workers"
                $0.detail = "64 are connected"
            }
            try await bridge.send(.refused(.with { $0.failure = failure }), to: member)
        }
        #expect(outcome.status == .exited(77))
        #expect(outcome.errors.contains("too-many-workers: 64 are connected"))
        await bridge.close()
    }

    /// A command line that ends before any bus is used.
    struct CommandLineCase: Sendable, CustomTestStringConvertible {
        var arguments: String
        var code: Int32

        var testDescription: String { "lcp-compute \(arguments)" }
    }

    static let commandLines = [
        CommandLineCase(arguments: "--version", code: 0),
        CommandLineCase(arguments: "--help", code: 0),
        CommandLineCase(arguments: "", code: 64),
        CommandLineCase(arguments: "--backend gpu", code: 64),
        CommandLineCase(arguments: "--backend exec", code: 64),
        CommandLineCase(arguments: "--backend deterministic", code: 64),
        CommandLineCase(arguments: "--backend deterministic --bus-dir /x -- cat", code: 64),
        CommandLineCase(arguments: "--backend deterministic --bus-dir /x --delay -1", code: 64),
        CommandLineCase(
            arguments: "--backend deterministic --bus-dir /x --concurrency 0",
            code: 64
        ),
        CommandLineCase(
            arguments: "--backend deterministic --bus-dir /x --profile a,any",
            code: 64
        ),
        CommandLineCase(arguments: "--backend exec --bus-dir /x -- lcp-no-such-program", code: 69),
        CommandLineCase(arguments: "--backend openai --bus-dir /x", code: 64),
        CommandLineCase(arguments: "--backend exec --bus-dir /x --probe -- cat", code: 64),
        CommandLineCase(arguments: "\(openAI) --openai-base-url ftp://h", code: 64),
        CommandLineCase(arguments: "\(openAI) --openai-base-url http://u:p@h", code: 64),
        CommandLineCase(arguments: "\(openAI) --openai-base-url http://h --time-limit 0", code: 64),
        CommandLineCase(
            arguments: "\(openAI) --openai-base-url http://h --openai-model small",
            code: 64
        ),
        CommandLineCase(
            arguments: "\(openAI) --openai-base-url http://h --openai-key-file /nonexistent",
            code: 66
        ),
        CommandLineCase(
            arguments: "--backend openai --openai-base-url http://127.0.0.1:1 --probe",
            code: 69
        ),
    ]

    private static let openAI = "--backend openai --bus-dir /x"

    // MARK: - openai

    @Test func `the openai backend computes its file's profiles`() async throws {
        try await ScriptedOpenAI.run { request, connection in
            try await connection.stream()
            try await connection.say(request.json["model"] as? String ?? "", " says hi")
            try await connection.finish(.stop, TokenUsage(promptTokens: 12, completionTokens: 3))
        } _: { server in
            let bridge = try await ScriptedBridge(.compute)
            let file = "\(bridge.directory)/compute.yaml"
            let text = """
                backend: openai
                openai: {base_url: "\(server.address)", retries: 0}
                llm:
                  chat_profiles:
                    small:
                      backend_model: llama
                      system_prompt: Be brief.
                      openai: {temperature: 0.5, stop: [END], seed: -1}
                    large: {}
                """
            try Data(text.utf8).write(to: URL(filePath: file))
            let arguments = ["--config", file, "--openai-model", "large=gpt"]
            let outcome = try await run(arguments, bridge) { process in
                let (member, hello) = try await bridge.join()
                #expect(hello.capabilities.map(\.profile) == ["large", "small"])
                #expect(hello.concurrency == 8)
                for (profile, model) in [("small", "llama"), ("large", "gpt")] {
                    var order = item("prompt of \(profile)")
                    order.profile = profile
                    try await bridge.send(.compute(order), to: member)
                    let result = try await answer(bridge).result
                    #expect(String(decoding: result.output, as: UTF8.self) == "\(model) says hi")
                    #expect((result.inputTokens, result.outputTokens) == (12, 3))
                }
                try process.send(signal: .terminate)
                try await bridge.goodbye()
                try await bridge.dismiss(member)
            }
            #expect(outcome.status == .exited(0), "\(outcome.errors)")
            #expect(!outcome.errors.contains("prompt of") && !outcome.errors.contains("says hi"))
            let json = try #require(server.requests.first).json
            #expect(json["temperature"] as? Double == 0.5 && json["seed"] as? Int == -1)
            #expect(json["stop"] as? [String] == ["END"])
            #expect((json["messages"] as? [Any])?.count == 2)
            await bridge.close()
        }
    }

    @Test(
        arguments: [
            ("{price: {input_msat_per_mtok: 1}}", ":5: unknown key llm.chat_profiles.small.price"),
            ("{openai: {temperature: 3}}", ":5: llm.chat_profiles.small.openai.temperature must"),
            ("{openai: {top_k: 3}}", ":5: unknown key llm.chat_profiles.small.openai.top_k"),
            ("{openai: {stop: [a, b, c, d, e]}}", ":5: llm.chat_profiles.small.openai.stop must"),
            ("{backend_model: ''}", ":5: llm.chat_profiles.small.backend_model must"),
        ]
    )
    func `a profile's mistake is told with its line`(_ profile: String, _ message: String)
        async throws
    {
        let file = "/tmp/lcp-compute-\(UUID().uuidString.prefix(8)).yaml"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let text = """
            backend: openai
            openai: {base_url: "http://localhost"}
            llm:
              chat_profiles:
                small: \(profile)
            """
        try Data(text.utf8).write(to: URL(filePath: file))
        let (status, output) = try await end(["config", "check", "--config", file])
        #expect(status == .exited(78))
        #expect(output.contains(message), "\(output)")
    }

    @Test(
        arguments: [
            (200, #"{"data":[{"id":"llama"},{"id":"gpt"}]}"#, 0, "it has 2 models"),
            (200, #"{"data":[{"id":"gpt"}]}"#, 78, "has no llama"),
            (200, "<html>", 76, "none of this kind"),
            (404, "", 76, "none of this kind"),
            (500, "", 76, "none of this kind"),
            (401, "", 77, "refuses us"),
        ] as [(Int, String, Int32, String)]
    )
    func `a probe asks for models alone, and says what is wrong`(
        _ status: Int,
        _ body: String,
        _ code: Int32,
        _ words: String
    ) async throws {
        try await ScriptedOpenAI.run { _, connection in
            try await connection.respond(status, body)
        } _: { server in
            let (status, output) = try await end([
                "--backend", "openai", "--openai-base-url", server.address, "--probe",
                "--openai-model", "small=llama",
            ])
            #expect(status == .exited(code) && output.contains(words), "\(output)")
            #expect(server.requests.map(\.line) == ["GET /v1/models"])
        }
    }

    // MARK: - The command line

    @Test(arguments: commandLines) func `the command line decides the exit code`(
        _ commandLine: CommandLineCase
    ) async throws {
        let words = commandLine.arguments.split(separator: " ").map(String.init)
        let (status, output) = try await end(words, busDirectory: nil)
        #expect(status == .exited(commandLine.code), "\(output)")
        #expect(!output.isEmpty)
        if commandLine.arguments == "--version" {
            #expect(output == "\(BuildInfo.description)\n")
        }
    }
}

/// Runs it to its end, without any bus.
private func end(
    _ arguments: [String],
    busDirectory: String? = "/x"
) async throws -> (TerminationStatus, String) {
    let result = try await Subprocess.run(
        executable,
        arguments: Arguments(arguments),
        environment: .inherit.updating(["LCP_BUS_DIR": busDirectory]),
        output: .string(limit: 1 << 20),
        error: .string(limit: 1 << 20)
    )
    return (result.terminationStatus, result.standardOutput + result.standardError)
}

private func item(_ input: String) -> BusComputeItem {
    BusComputeItem.with {
        $0.lease = Data(repeating: UInt8(input.utf8.count), count: 16)
        $0.input = Data(input.utf8)
    }
}

/// The next end of a computation, after any Progress.
private func answer(_ bridge: ScriptedBridge) async throws -> BusComputeReply {
    while true {
        let reply = try await bridge.reply()
        if case .compute(let compute) = reply.body { return compute }
    }
}

/// `lcp-compute` as built beside the tests.
private var executable: Executable {
    // `swift test` runs the test bundle from the directory that holds the products.
    let bundle = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    let file = bundle.deletingLastPathComponent().appending(path: "lcp-compute")
    return .path(FilePath(file.path()))
}

private struct Outcome {
    var status: TerminationStatus
    var errors: String
}

private typealias LCPComputeProcess = Execution<NoInput, DiscardedOutput, StringOutput<UTF8>>

/// Runs it on a bridge's bus beside a script, which must bring it to its end; a script that fails
/// or takes too long kills it.
private func run(
    _ arguments: [String],
    _ bridge: ScriptedBridge,
    _ script: @Sendable (LCPComputeProcess) async throws -> Void
) async throws -> Outcome {
    let result = try await Subprocess.run(
        executable,
        arguments: Arguments(arguments),
        environment: .inherit.updating(["LCP_BUS_DIR": bridge.directory]),
        input: .none,
        output: .discarded,
        error: .string(limit: 1 << 20)
    ) { process in
        do {
            try await script(process)
            return (any Error)?.none
        } catch {
            try? process.send(signal: .kill)
            return error
        }
    }
    if let error = result.closureResult { throw error }
    return Outcome(status: result.terminationStatus, errors: result.standardError)
}
