import Foundation
import Subprocess
import Testing

/// What lcp-provider and lcp-requester say before they reach a bridge.
@Suite struct WorkerCommandTests {
    private func temporary(_ text: String) throws -> URL {
        let file = FileManager.default.temporaryDirectory.appending(
            path: "lcp-worker-\(UUID().uuidString).yaml"
        )
        try Data(text.utf8).write(to: file)
        return file
    }

    @Test(arguments: ["lcp-provider", "lcp-requester"])
    func `help names the exit codes, and the version the build`(name: String) async throws {
        let help = try await Program(name: name).run("--help")
        #expect(help.status == .exited(0))
        #expect(help.output.contains("EXIT STATUS"))
        let version = try await Program(name: name).run("--version")
        #expect(version.output.wholeMatch(of: #/\d+\.\d+\.\d+ \(.+\)\n/#) != nil)
    }

    @Test(arguments: ["lcp-provider", "lcp-requester"])
    func `a worker that is not told where the bridge is says so`(name: String) async throws {
        let outcome = try await Program(name: name).run("--bus-dir", "")
        #expect(outcome.status == .exited(64))
        #expect(outcome.errors.contains("--bus-dir or LCP_BUS_DIR"))
    }

    @Test(arguments: ["lcp-provider", "lcp-requester"])
    func `an unknown key in the configuration is an error with its line`(name: String) async throws
    {
        let file = try temporary("# mine\nprize: 3\n")
        defer { try? FileManager.default.removeItem(at: file) }
        let outcome = try await Program(name: name)
            .run("--bus-dir", "/nonexistent", "--config", file.path())
        #expect(outcome.status == .exited(78))
        #expect(outcome.errors.hasPrefix("\(name): \(file.path()):2: unknown key prize"))
        #expect(outcome.output.isEmpty)
    }

    @Test(arguments: ["lcp-provider", "lcp-requester"])
    func `a configuration that is not there is no input`(name: String) async throws {
        let outcome = try await Program(name: name)
            .run("--bus-dir", "/nonexistent", "--config", "/nonexistent.yaml")
        #expect(outcome.status == .exited(66))
    }

    @Test func `a provider with nothing to sell does not start`() async throws {
        let outcome = try await Program(name: "lcp-provider").run("--bus-dir", "/nonexistent")
        #expect(outcome.status == .exited(78))
        #expect(outcome.errors.contains("nothing is for sale"))
        let wrong = try await Program(name: "lcp-provider")
            .run("--bus-dir", "/nonexistent", "--profile", "gpt:0:1")
        #expect(wrong.status == .exited(64))
    }
}
