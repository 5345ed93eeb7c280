import BridgeProtocol
import Compute
import Foundation
import Logging
import SwiftProtobuf
import Testing
import WorkerKit

@Suite(.timeLimit(.minutes(10))) struct ExecBackendTests {
    // MARK: - Input and output

    @Test func `the program reads the input and its output is the result`() async throws {
        let result = try await result(of: ["tr", "a-z", "A-Z"], item(input: "grüße"))
        #expect(result.output == Data("GRüßE".utf8))
        #expect(result.contentType == ResultOutput.textType && !result.truncated)
    }

    @Test func `a large input and a large output pass at the same time`() async throws {
        let input = String(repeating: "0123456789abcdef", count: 65_536)
        let result = try await result(of: ["cat"], item(input: input, maxResultBytes: 1 << 21))
        #expect(result.output == Data(input.utf8))
    }

    @Test func `a program need not read its input`() async throws {
        let input = String(repeating: "x", count: 1 << 20)
        let result = try await result(of: ["echo", "done"], item(input: input))
        #expect(result.output == Data("done\n".utf8))
    }

    @Test func `the job's facts are variables, and no other LCP variable is`() async throws {
        var item = item(input: "four", maxResultBytes: 900)
        item.job.jobID = Data(repeating: 0xab, count: 32)
        item.job.peer = Data([2] + [UInt8](repeating: 1, count: 32))
        item.taskKind = "llm.chat"
        item.profile = "a b"
        item.params = Data([1, 2])
        item.attempt = 2
        item.deadlineUnix = 1_700_000_000
        item.limits.maxOutputTokens = 40
        item.limits.temperatureMilli = 0
        let command = ["sh", "-c", "env | grep ^LCP_ | sort"]
        let text = String(decoding: try await result(of: command, item).output, as: UTF8.self)
        let expected = [
            "LCP_ATTEMPT=2", "LCP_DEADLINE_UNIX=1700000000", "LCP_INPUT_BYTES=4",
            "LCP_JOB_ID=\(String(repeating: "ab", count: 32))", "LCP_MAX_OUTPUT_TOKENS=40",
            "LCP_MAX_RESULT_BYTES=900", "LCP_PARAMS=0102",
            "LCP_PEER=02\(String(repeating: "01", count: 32))", "LCP_PROFILE=a b",
            "LCP_TASK_KIND=llm.chat", "LCP_TEMPERATURE_MILLI=0",
        ]
        #expect(text.split(separator: "\n").map(String.init) == expected)
    }

    @Test func `text that is too long is cut, and the program may finish`() async throws {
        let command = ["sh", "-c", "seq 1 100000; exit 0"]
        let result = try await result(of: command, item(maxResultBytes: 5))
        #expect(result.output == Data("1\n2\n3".utf8) && result.truncated)
    }

    @Test func `bytes that are too long stop the program and are refused`() async throws {
        let command = ["cat", "/dev/urandom"]
        #expect(try await failure(of: command, item(maxResultBytes: 64)) == "result-too-large")
    }

    @Test func `a program that writes without end is stopped`() async throws {
        var settings = ExecBackend.Settings(command: ["yes"])
        settings.outputLimit = 1 << 20
        #expect(try await failure(of: settings, item(maxResultBytes: 64)) == "output-limit")
    }

    // MARK: - Endings

    @Test func `how a program ends decides between a failure and another attempt`() async throws {
        let final = [
            "exit 1": "backend-failed", "exit 0": "empty-output", "exit 127": "backend-failed",
        ]
        for (script, code) in final {
            #expect(try await failure(of: ["sh", "-c", script], item()) == code, "\(script)")
        }
        let retried = ["exit 75": "backend-busy", "kill -9 $$": "backend-died"]
        for (script, code) in retried {
            let error = await #expect(throws: WorkFailure.self) {
                try await failure(of: ["sh", "-c", script], item())
            }
            #expect(error?.code == code && error?.isRetryable == true, "\(script)")
        }
    }

    @Test func `the peer learns nothing of a failure, the operator all of it`() async throws {
        let lines = LogLines()
        let command = ["sh", "-c", "echo out of bananas >&2; printf 'a\\nb' >&2; exit 3"]
        let backend = try backend(.init(command: command), Logger(label: "test") { _ in lines })
        var item = item()
        item.job.jobID = Data(repeating: 0xcd, count: 32)
        let outcome = try await backend.compute(item, progress: ComputationProgress {})
        guard case .failure(let failure) = outcome else {
            Issue.record("no failure")
            return
        }
        #expect(!"\(failure)".contains("banana") && !"\(failure)".contains("3"))
        let line = try #require(lines.all.first)
        #expect(
            line.contains("exited(code: 3)") && line.contains(String(repeating: "cd", count: 32))
        )
        #expect(line.contains("out of bananas\\na\\nb") && !line.contains("\n"))
    }

    @Test func `a program that can't be executed asks for another worker`() async throws {
        // A file that is executable by its mode alone.
        let path = "/tmp/lcp-exec-\(UUID().uuidString.prefix(8))"
        try Data("#!/nonexistent/interpreter\n".utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        let error = await #expect(throws: WorkFailure.self) {
            try await failure(of: [path], item())
        }
        #expect(error?.code == "backend-unavailable" && error?.isRetryable == true)
    }

    @Test func `a program that does not exist is refused before any job`() {
        for command in [[], ["lcp-no-such-program"], ["/nonexistent"], ["/tmp"], ["a\0b"]] {
            #expect(throws: ExecError.self) { try backend(.init(command: command), quiet) }
        }
    }

    @Test func `a fact that can't be a variable fails the job`() async throws {
        var zero = item()
        zero.profile = "a\0b"
        #expect(try await failure(of: ["cat"], zero) == "bad-job")
        var large = item()
        large.params = Data(count: 20_000)
        #expect(try await failure(of: ["cat"], large) == "params-too-large")
    }

    // MARK: - The process group

    @Test func `cancellation ends the program and all it started, by SIGTERM first`() async throws {
        let life = try LifeLine()
        let script = """
            exec 9>\(life.path); trap 'echo term >&9; exit' TERM
            sleep 1000 & echo ready >&9; wait
            """
        let run = start(["sh", "-c", script], grace: .seconds(60))
        #expect(await life.line() == "ready")
        run.cancel()
        #expect(await life.line() == "term")
        #expect(await life.line() == nil)
        await #expect(throws: CancellationError.self) { try await run.value }
    }

    @Test func `a program that ignores SIGTERM is killed after the grace`() async throws {
        let life = try LifeLine()
        let script = """
            exec 9>\(life.path); trap '' TERM
            sleep 1000 & echo ready >&9; while :; do sleep 1000; done
            """
        let run = start(["sh", "-c", script], grace: .milliseconds(50))
        #expect(await life.line() == "ready")
        run.cancel()
        #expect(await life.line() == nil)
        await #expect(throws: CancellationError.self) { try await run.value }
    }

    @Test func `what a program leaves running ends with it`() async throws {
        let life = try LifeLine()
        let script = "exec 9>\(life.path); sleep 1000 & echo ready >&9; echo result"
        async let result = result(of: ["sh", "-c", script], item())
        #expect(await life.line() == "ready")
        #expect(await life.line() == nil)
        #expect(try await result.output == Data("result\n".utf8))
    }

    @Test func `a run beyond the time limit is ended`() async throws {
        let life = try LifeLine()
        let script = "exec 9>\(life.path); sleep 1000 & sleep 1000"
        var settings = ExecBackend.Settings(command: ["sh", "-c", script])
        settings.timeLimit = .milliseconds(300)
        settings.grace = .milliseconds(50)
        #expect(try await failure(of: settings, item()) == "backend-timeout")
    }

    @Test func `a quiet program shows signs of life`() async throws {
        let touches = AsyncStream<Void>.makeStream()
        let run = Task {
            try await backend(.init(command: ["sleep", "1000"]), quiet).compute(
                item(),
                progress: ComputationProgress { touches.continuation.yield() }
            )
        }
        var count = 0
        for await _ in touches.stream {
            count += 1
            if count == 2 { break }
        }
        run.cancel()
        await #expect(throws: CancellationError.self) { try await run.value }
    }

    // MARK: - Helpers

    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func backend(
        _ settings: ExecBackend.Settings,
        _ logger: Logger
    ) throws -> ExecBackend {
        var environment = ProcessInfo.processInfo.environment
        environment["LCP_BUS_DIR"] = "/run/lcp"
        return try ExecBackend(settings, environment: environment, logger: logger)
    }

    private func start(
        _ command: [String],
        grace: Duration
    ) -> Task<BusComputeReply.OneOf_Outcome, any Error> {
        var settings = ExecBackend.Settings(command: command)
        settings.grace = grace
        return Task { [settings] in
            try await backend(settings, quiet).compute(item(), progress: ComputationProgress {})
        }
    }

    private func result(
        of command: [String],
        _ item: BusComputeItem
    ) async throws -> BusComputeResult {
        let backend = try backend(.init(command: command), quiet)
        let outcome = try await backend.compute(item, progress: ComputationProgress {})
        guard case .result(let result) = outcome else { throw Surprise(outcome: outcome) }
        return result
    }

    private func failure(of command: [String], _ item: BusComputeItem) async throws -> String {
        try await failure(of: ExecBackend.Settings(command: command), item)
    }

    private func failure(
        of settings: ExecBackend.Settings,
        _ item: BusComputeItem
    ) async throws -> String {
        let backend = try backend(settings, quiet)
        let outcome = try await backend.compute(item, progress: ComputationProgress {})
        guard case .failure(let failure) = outcome else { throw Surprise(outcome: outcome) }
        return failure.code
    }

    private func item(input: String = "", maxResultBytes: UInt32 = 16_000) -> BusComputeItem {
        BusComputeItem.with {
            $0.input = Data(input.utf8)
            $0.limits.maxResultBytes = maxResultBytes
        }
    }

    private struct Surprise: Error { var outcome: BusComputeReply.OneOf_Outcome }
}
