import Foundation
import ScriptedBridge
import Subprocess
import Testing

/// `lcp doctor` as a process, about the bus and this machine.
@Suite(.timeLimit(.minutes(10))) struct DoctorTests {
    private func findings(_ outcome: Program.Outcome) throws -> [String: NSDictionary] {
        let answer = try #require(try outcome.lines().first)
        let list = try #require(answer["findings"] as? [NSDictionary])
        var findings: [String: NSDictionary] = [:]
        for finding in list {
            findings[try #require(finding["check"] as? String)] = finding
            let isFine = finding["level"] as? String == "ok"
            #expect(isFine == (finding["fix"] is NSNull), "\(finding)")
        }
        #expect(
            answer["healthy"] as? Bool == !list.contains { $0["level"] as? String == "problem" }
        )
        return findings
    }

    private func level(_ check: String, _ findings: [String: NSDictionary]) -> String? {
        findings[check]?["level"] as? String
    }

    @Test func `a buyer's bus in order is healthy`() async throws {
        try await ScriptedBus.with { _, lcp in
            let outcome = try await lcp.run(["doctor"])
            let found = try findings(outcome)
            // The script's bridge names no budget.
            #expect(level("bridge", found) == "ok")
            #expect(level("bus.directory", found) == "ok")
            #expect(level("workers.requester", found) == "ok")
            #expect(level("peers.offers", found) == "ok")
            #expect(level("lnd", found) == "skipped")
            #expect(found["workers.compute"] == nil, "nothing is sold")
        }
    }

    @Test func `a seller without workers is told what to start`() async throws {
        try await ScriptedBus.with { _, lcp in
            let outcome = try await lcp.run(["doctor", "--role", "provider"])
            #expect(outcome.status == .exited(17))
            let found = try findings(outcome)
            #expect(level("workers.provider", found) == "problem")
            #expect(level("workers.compute", found) == "problem")
            let fix = found["workers.compute"]?["fix"] as? String
            #expect(fix?.contains("lcp-compute") == true)
        }
    }

    @Test func `folders that strangers may enter are named, with what closes them`() async throws {
        try await ScriptedBus.with { _, lcp in
            let control = "\(lcp.directory)/control"
            for path in [lcp.directory, control] {
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o755],
                    ofItemAtPath: path
                )
            }
            let outcome = try await lcp.run(["doctor"])
            #expect(outcome.status == .exited(17))
            let found = try findings(outcome)
            #expect(level("bus.control", found) == "problem")
            #expect(found["bus.control"]?["fix"] as? String == "chmod o-rwx \(control)")
        }
    }

    @Test func `without a bridge it says how to start one and looks at the rest`() async throws {
        let lcp = BusCommand(directory: "/tmp/lcp-nobody-\(UUID().uuidString.prefix(8))")
        let outcome = try await lcp.run(
            ["doctor", "--journal", "/nonexistent/journal", "--backend", "127.0.0.1:9"]
        )
        #expect(outcome.status == .exited(17))
        let found = try findings(outcome)
        #expect(level("bus.directory", found) == "problem")
        #expect(level("bridge", found) == "problem")
        #expect(level("journal", found) == "problem")
        #expect(level("backend", found) == "problem")
        #expect(found["clock"] != nil)
    }

    @Test func `a gateway is looked at by its configuration`() async throws {
        let directory = "/tmp/lcp-doctor-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (configuration, keys) = ("\(directory)/gateway.yaml", "\(directory)/keys.jsonl")
        let lcp = BusCommand(directory: "\(directory)/bus")
        func look(_ yaml: String) async throws -> [String: NSDictionary] {
            try yaml.write(toFile: configuration, atomically: true, encoding: .utf8)
            return try findings(try await lcp.run(["doctor", "--gateway-config", configuration]))
        }

        var found = try await look("listen: 127.0.0.1:9\nkeys: \(keys)\n")
        #expect(level("gateway", found) == "problem", "nobody listens there")
        #expect(level("gateway.listen", found) == "ok")
        #expect(level("gateway.keys", found) == "warning", "there are none yet")
        #expect(
            found["gateway.keys"]?["fix"] as? String == "lcp-gateway keys add NAME --keys \(keys)"
        )

        let made = try await Program(name: "lcp-gateway").run(
            "keys",
            "add",
            "alice",
            "--keys",
            keys
        )
        try #require(made.status == .exited(0), "\(made.errors)")
        found = try await look("listen: 0.0.0.0:9\nkeys: \(keys)\n")
        #expect(level("gateway.keys", found) == "ok")
        #expect(level("gateway.listen", found) == "warning", "keys in clear")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: keys)
        found = try await look("keys: \(keys)\n")
        #expect(level("gateway.keys", found) == "problem")
        #expect(found["gateway.keys"]?["fix"] as? String == "chmod 600 \(keys)")

        #expect(level("gateway.keys", try await look("listen: 127.0.0.1:9\n")) == "warning")
        #expect(level("gateway.keys", try await look("listen: 10.0.0.1:9\n")) == "problem")
        found = try await look("listen: nowhere\n")
        #expect(level("gateway", found) == "problem")
        #expect((found["gateway"]?["detail"] as? String)?.contains("gateway.yaml:1") == true)
    }

    @Test func `on a terminal each finding is a line with its remedy below`() async throws {
        try await ScriptedBus.with { _, lcp in
            let terminal = try PseudoTerminal(columns: 200)
            let status = try await terminal.run(
                Program(name: "lcp"),
                ["doctor", "--role", "provider", "--bus-dir", lcp.directory]
            ) { session in
                try await session.terminal.expect("problem   workers.provider")
                try await session.terminal.expect("lcp-provider --bus-dir")
                try await session.terminal.expect(" warnings\r\n")
            }
            #expect(status == .exited(17))
        }
    }
}
