import Foundation
import Subprocess
import Testing

/// `lcp-gateway keys` as an operator uses it.
@Suite(.timeLimit(.minutes(10))) struct GatewayKeysTests {
    private let gateway = Program(name: "lcp-gateway")

    private func withFile(_ body: (String) async throws -> Void) async throws {
        let directory = "/tmp/lcp-keys-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body("\(directory)/keys.jsonl")
    }

    @Test func `a key is shown once, kept as a hash, listed and revoked`() async throws {
        try await withFile { file in
            let made = try await gateway.run(
                ["keys", "add", "alice", "--budget-day", "100", "--rate", "30", "--keys", file]
            )
            #expect(made.status == .exited(0), "\(made.errors)")
            let token = try #require(made.output.split(separator: "\n").first)
            #expect(token.hasPrefix("lcp-") && token.utf8.count == 68)
            let stored = try String(contentsOfFile: file, encoding: .utf8)
            #expect(!stored.contains(token.dropFirst(4)))

            let list = try await gateway.run("keys", "list", "--json", "--keys", file)
            let keys = try #require(try list.lines().first?["keys"] as? [NSDictionary])
            let key = try #require(keys.first)
            #expect(key["name"] as? String == "alice")
            #expect(key["budget_day_msat"] as? Int == 100_000)
            #expect(key["budget_msat"] is NSNull && key["revoked_unix"] is NSNull)
            #expect(key["requests_per_minute"] as? Int == 30 && key["spent_msat"] as? Int == 0)

            let id = try #require(key["id"] as? String)
            #expect(made.errors.hasPrefix(id))
            let revoked = try await gateway.run("keys", "revoke", id, "--keys", file)
            #expect(revoked.status == .exited(0))
            let table = try await gateway.run("keys", "list", "--keys", file)
            #expect(table.output.contains("yes") && table.output.hasPrefix("ID"))
        }
    }

    @Test func `mistakes end with one line and an exit code of their own`() async throws {
        try await withFile { file in
            func fails(_ arguments: String..., status: Int32, says: String) async throws {
                let outcome = try await gateway.run(["keys"] + arguments + ["--keys", file])
                #expect(outcome.status == .exited(status), "\(outcome)")
                #expect(outcome.errors.contains(says), "\(outcome.errors)")
            }
            _ = try await gateway.run("keys", "add", "alice", "--keys", file)
            try await fails("add", "alice", status: 64, says: "alice has the key")
            try await fails("add", "bob", "--rate", "0", status: 64, says: "--rate is at least 1")
            try await fails("revoke", "000000000000", status: 64, says: "there is no key")
            try await fails("revoke", "alice", status: 64, says: "invalid for '<id>'")
            try Data("oops\n".utf8).write(to: URL(filePath: file), options: .atomic)
            try await fails("list", status: 78, says: "keys.jsonl:1 is not a key in JSON")
            try await fails("add", "bob", status: 78, says: "Mend or remove the line")
        }
    }

    @Test func `what keys offers is explained without the program's options`() async throws {
        for arguments in [["keys", "--help"], ["help", "keys"]] {
            let help = try await gateway.run(arguments)
            #expect(help.status == .exited(0))
            #expect(help.output.contains("USAGE: lcp-gateway keys"), "\(help.output)")
        }
        let add = try await gateway.run("keys", "add", "--help")
        #expect(add.output.contains("--budget-day <sat>"))
    }
}
