import BridgeProtocol
import BuildInfo
import Compute
import Foundation
import ScriptedBus
import Subprocess
import SwiftProtobuf
import SystemPackage
import Testing

@Suite(.timeLimit(.minutes(2))) struct LCPComputeTests {
    @Test func `it computes what the bridge sends, and SIGTERM drains it`() async throws {
        let bridge = try await ScriptedBridge(.compute)
        let outcome = try await run(["--backend", "deterministic"], bridge) { process in
            let (member, hello) = try await bridge.join()
            #expect(hello.program == "lcp-compute \(BuildInfo.description)")
            #expect(hello.capabilities == [.with { $0.taskKind = "llm.chat" }])
            try await bridge.send(.compute(item("abc")), to: member)
            let result = try await answer(bridge).result
            #expect(Array(result.output) == DeterministicBackend.answer(to: Array("abc".utf8)))
            try process.send(signal: .terminate)
            try await bridge.goodbye()
            try await bridge.dismiss(member)
            try await bridge.end(of: member.subscription)
        }
        #expect(outcome.status == .exited(0))
        #expect(outcome.errors.contains("joined the bridge") && !outcome.errors.contains("abc"))
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
    ]

    @Test(arguments: commandLines) func `the command line decides the exit code`(
        _ commandLine: CommandLineCase
    ) async throws {
        let result = try await Subprocess.run(
            executable,
            arguments: Arguments(commandLine.arguments.split(separator: " ").map(String.init)),
            environment: .inherit.updating(["LCP_BUS_DIR": nil]),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        #expect(result.terminationStatus == .exited(commandLine.code))
        #expect(!(result.standardOutput + result.standardError).isEmpty)
        if commandLine.arguments == "--version" {
            #expect(result.standardOutput == "\(BuildInfo.description)\n")
        }
    }
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
