import Foundation
import Subprocess
import Testing

/// `lcp demo` with all programs: the whole market as separate processes.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DemoTests {
    private let lcp = Program(name: "lcp")

    @Test func `one job is bought and sold, and the accounts are right`() async throws {
        let report = try await run(["demo", "--json", "--prompt", "a question"])
        #expect(report["jobs"] as? Int == 1)
        #expect(report["ok"] as? Int == 1)
        let job = try #require(report["job"] as? NSDictionary)
        #expect(job["stage"] as? String == "done")
        #expect((job["result"] as? String)?.contains("a question") == true)
        #expect((job["preimage"] as? String)?.count == 64)
        try checkAccounts(report, ok: 1)
    }

    @Test func `many jobs at a time are all answered`() async throws {
        let report = try await run(["demo", "--json", "--jobs", "40", "--concurrency", "8"])
        #expect(report["ok"] as? Int == 40)
        #expect(report["failed"] as? Int == 0)
        #expect(report["unanswered"] as? Int == 0)
        let latency = try #require(report["latency_ms"] as? NSDictionary)
        #expect(try #require(latency["p50"] as? Double) <= #require(latency["max"] as? Double))
        try checkAccounts(report, ok: 40)
    }

    @Test func `killed workers and bridges cost no job and no money`() async throws {
        let report = try await run(["demo", "--json", "--kill", "--jobs", "24"])
        #expect(report["kills"] as? Int == 5)
        #expect(report["ok"] as? Int == 24)
        try checkAccounts(report, ok: 24)
    }

    @Test func `a request over HTTP buys a job, and its headers tell which and for how much`()
        async throws
    {
        let report = try await run(["demo", "--gateway", "--json", "--prompt", "it's a question"])
        #expect(report["jobs"] as? Int == 1)
        let response = try #require(report["response"] as? NSDictionary)
        #expect(response["status"] as? Int == 200)
        #expect((response["content"] as? String)?.contains("it's a question") == true)
        let headers = try #require(response["headers"] as? NSDictionary)
        let price = try #require((headers["x-lcp-price-msat"] as? String).flatMap(Int.init))
        let fee = try #require((headers["x-lcp-fee-msat"] as? String).flatMap(Int.init))
        let alice = try #require((report["nodes"] as? [NSDictionary])?.first)
        #expect(alice["spent_msat"] as? Int == price && alice["fees_msat"] as? Int == fee)
        let processes = try #require(report["processes"] as? [NSDictionary])
        #expect(processes.contains { $0["name"] as? String == "alice/gateway" })
        try checkAccounts(report, ok: 1)
    }

    @Test func `on a terminal the line for curl is shown, and the job that it buys`() async throws {
        let terminal = try PseudoTerminal(columns: 200)
        let arguments = ["demo", "--gateway", "--prompt", "what's new?"]
        let status = try await terminal.run(lcp, arguments) { session in
            try await session.terminal.expect("curl -si http://127.0.0.1:")
            try await session.terminal.expect("new?\"}]}'\r\n")
            let shown = await session.terminal.text.split(separator: "\r\n")
            let line = try #require(shown.first { $0.hasPrefix("curl ") })
            let asked = try await Program.run(.name("sh"), ["-c", String(line)])
            #expect(asked.output.hasPrefix("HTTP/1.1 200"), "\(asked)")
            #expect(asked.output.contains("what's new?"), "\(asked.output)")
            try await session.terminal.expect("done")
            try session.signal(.interrupt)
        }
        #expect(status == .exited(130))
    }

    private func run(_ arguments: [String]) async throws -> NSDictionary {
        let outcome = try await lcp.run(arguments)
        #expect(outcome.status == .exited(0), "\(outcome.errors)")
        return try #require(try outcome.lines().first)
    }

    /// What one earned the other spent, and every balance moved by what its ledger says.
    private func checkAccounts(_ report: NSDictionary, ok: Int) throws {
        let nodes = try #require(report["nodes"] as? [NSDictionary])
        #expect(nodes.map { $0["name"] as? String } == ["alice", "bob"])
        func sum(_ key: String) throws -> Int {
            try nodes.reduce(0) { try $0 + #require($1[key] as? Int) }
        }
        for node in nodes {
            func msat(_ key: String) throws -> Int { try #require(node["\(key)_msat"] as? Int) }
            let moved = try msat("balance_after") - msat("balance_before")
            #expect(try moved == msat("earned") - msat("spent") - msat("fees"))
        }
        #expect(try sum("earned_msat") == sum("spent_msat"))
        // 256 tokens out cost 3,584 msat; those of the prompt come on top.
        #expect(try sum("earned_msat") >= ok * 3_584)
    }
}
