import BridgeProtocol
import Foundation
import Glibc
import ScriptedBridge
import Subprocess
import Testing

/// `lcp` as a process, against a bridge that plays a script.
@Suite(.timeLimit(.minutes(10))) struct ClientCommandTests {
    private let peer = "02" + String(repeating: "07", count: 32)

    /// Runs a closure beside a scripted bridge, whose bus directory it gets.
    private func withBridge(
        _ body: @escaping @Sendable (ScriptedBridge, BusCommand) async throws -> Void
    ) async throws {
        let path = "/tmp/lcp-commands-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bridge = try await ScriptedBridge(in: path)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await bridge.run()
                return false
            }
            group.addTask {
                try await body(bridge, BusCommand(directory: path))
                return true
            }
            while try await group.next() == false {}
            group.cancelAll()
            await bridge.stop()
        }
    }

    @Test func `ask quotes, pays within the limit and prints the answer alone`() async throws {
        let peer = peer
        try await withBridge { bridge, lcp in
            let outcome = try await lcp.run(
                ["ask", "--peer", peer, "--profile", "echo", "--max-price", "57.355", "hello"]
            )
            #expect(outcome.status == .exited(0), "\(outcome.errors)")
            #expect(outcome.output == "hello")
            // The id is there before money moves, so that nothing is lost with the terminal.
            let lines = outcome.errors.split(separator: "\n")
            #expect(lines.first == "job \(String(repeating: "01", count: 32))")
            #expect(await bridge.orders("submit") == 1)
            #expect(await bridge.orders("accept") == 1)
        }
    }

    @Test func `ask --json prints one object with everything about the job`() async throws {
        let peer = peer
        try await withBridge { _, lcp in
            let outcome = try await lcp.run(
                ["ask", "--json", "--peer", peer, "--profile", "echo", "--max-price", "60"],
                input: "from a pipe\n"
            )
            #expect(outcome.status == .exited(0), "\(outcome.errors)")
            let answer = try #require(try outcome.lines().first)
            #expect(answer["peer_id"] as? String == peer)
            #expect(answer["job_id"] as? String == String(repeating: "01", count: 32))
            #expect(answer["stage"] as? String == "done")
            #expect(answer["price_msat"] as? Int == 57_355)
            #expect(answer["fee_msat"] as? Int == 21)
            #expect(answer["terms_hash"] as? String == String(repeating: "7e", count: 32))
            #expect(answer["payment_hash"] as? String == String(repeating: "9a", count: 32))
            #expect(answer["preimage"] as? String == String(repeating: "5e", count: 32))
            #expect(answer["content_type"] as? String == "text/plain; charset=utf-8")
            #expect(answer["result"] as? String == "from a pipe")
            let times = try #require(answer["times"] as? NSDictionary)
            #expect(times["paid_unix"] as? Int == 1_800_000_002)
            #expect((times["elapsed_ms"] as? NSDictionary)?["done"] is Double)
        }
    }

    @Test(arguments: [
        ("refused", 11, "refused-by-peer"), ("unpayable", 12, "payment-failed"),
        ("unanswered", 13, "unanswered"), ("broken", 14, "peer-error"),
    ])
    func `each way a job can end has its exit code`(
        profile: String,
        status: Int32,
        code: String
    ) async throws {
        let peer = peer
        try await withBridge { _, lcp in
            let outcome = try await lcp.run(
                ["ask", "--json", "--peer", peer, "--profile", profile, "--max-price", "60", "x"]
            )
            #expect(outcome.status == .exited(status))
            #expect(outcome.errors.contains(#""code":"\#(code)""#), "\(outcome.errors)")
            #expect(try outcome.lines().first?["result"] is NSNull)
        }
    }

    @Test(arguments: [[], ["--max-price", "57.354"]])
    func `in a pipe a price that is not agreed to is refused and the job dropped`(
        limit: [String]
    ) async throws {
        let peer = peer
        try await withBridge { bridge, lcp in
            let outcome = try await lcp.run(
                ["ask", "--peer", peer, "--profile", "echo", "x"] + limit
            )
            #expect(outcome.status == .exited(10))
            #expect(outcome.errors.contains("the price is 57.355 sat"), "\(outcome.errors)")
            #expect(await bridge.count("accept") == 0)
            #expect(await bridge.market.jobs.map(\.view.stage) == [.cancelled])
        }
    }

    @Test func `a quote is accepted later, and its result fetched from anywhere`() async throws {
        let peer = peer
        try await withBridge { _, lcp in
            let quote = try await lcp.run(
                ["quote", "--json", "--peer", peer, "--profile", "echo", "later"]
            )
            #expect(quote.status == .exited(0), "\(quote.errors)")
            let job = try #require(try quote.lines().first?["job_id"] as? String)
            let dear = try await lcp.run(["accept", "--max-price", "50", job])
            #expect(dear.status == .exited(10))
            let bought = try await lcp.run(["accept", job])
            #expect(bought.output == "later", "\(bought.errors)")
            let again = try await lcp.run(["result", job])
            #expect(again.output == "later")
            #expect(again.status == .exited(0))
        }
    }

    @Test func `an interrupted ask leaves the job and says how to go on`() async throws {
        let peer = peer
        try await withBridge { bridge, lcp in
            let arguments = [
                "ask", "--peer", peer, "--profile", "endless", "--max-price", "60", "x",
            ]
            let result = try await Subprocess.run(
                Program(name: "lcp").executable,
                arguments: Arguments(arguments + ["--bus-dir", lcp.directory]),
                input: .none,
                output: .string(limit: 1 << 20),
                error: .sequence
            ) { process in
                var lines: [String] = []
                for try await line in process.standardError.strings() {
                    lines.append(line)
                    if line.contains("running") { try process.send(signal: .interrupt) }
                }
                return lines.joined()
            }
            #expect(result.terminationStatus == .exited(130))
            let job = String(repeating: "01", count: 32)
            #expect(result.closureResult.contains("lcp result \(job)"), "\(result.closureResult)")
            #expect(await bridge.market.jobs.map(\.view.stage) == [.running])
        }
    }

    @Test func `a job that takes too long is left to go on`() async throws {
        let peer = peer
        try await withBridge { _, lcp in
            let outcome = try await lcp.run(
                [
                    "ask", "--peer", peer, "--profile", "endless", "--max-price", "60", "--timeout",
                    "15", "x",
                ]
            )
            #expect(outcome.status == .exited(75))
            #expect(outcome.errors.contains("lcp result"), "\(outcome.errors)")
            let now = try await lcp.run(["result", "--no-wait", String(repeating: "01", count: 32)])
            #expect(now.status == .exited(75))
        }
    }

    @Test func `lists are JSON in a pipe`() async throws {
        let peer = peer
        try await withBridge { _, lcp in
            let quoted = ["quote", "--peer", peer, "--profile"]
            _ = try await lcp.run(quoted + ["echo", "x"])
            _ = try await lcp.run(quoted + ["refused", "x"])

            let peers = try await lcp.run(["peers"]).object()
            let first = (peers["peers"] as? [NSDictionary])?.first
            #expect(first?["peer_id"] as? String == peer)
            #expect(first?["connected"] as? Bool == true)

            let jobs = try await lcp.run(["jobs", "--stage", "failed"]).object()
            let stages = (jobs["jobs"] as? [NSDictionary])?.map { $0["stage"] as? String }
            #expect(stages == ["failed"])
            let page = try await lcp.run(["jobs", "--limit", "1"]).object()
            let next = try #require(page["next"] as? String)
            let rest = try await lcp.run(["jobs", "--page", next]).object()
            #expect((rest["jobs"] as? [Any])?.count == 1)
            #expect(rest["next"] is NSNull)
            let all = try await lcp.run(["jobs", "--limit", "1", "--all"]).object()
            #expect((all["jobs"] as? [Any])?.count == 2)

            #expect(try await lcp.run(["status"]).object()["lnd_state"] as? String == "ready")
            #expect(try await lcp.run(["ledger"]).object()["spent_msat"] as? Int == 0)
            let workers = try await lcp.run(["workers"]).object()["workers"] as? [NSDictionary]
            #expect(workers?.first?["role"] as? String == "requester")
            let address = "\(peer)@127.0.0.1:9735"
            let connected = try await lcp.run(["peers", "connect", address]).object()
            #expect(connected["connected"] as? Bool == true)
            let away = try await lcp.run(["peers", "disconnect", peer]).object()
            #expect(away["connected"] as? Bool == false)
            let job = String(repeating: "01", count: 32)
            #expect(try await lcp.run(["cancel", job]).object()["stage"] as? String == "cancelled")
            #expect(try await lcp.run(["retry", job]).object()["parked"] as? Bool == false)
        }
    }

    @Test func `watch prints a line for each change until the named jobs have ended`() async throws
    {
        let peer = peer
        try await withBridge { bridge, lcp in
            _ = try await lcp.run(["quote", "--peer", peer, "--profile", "endless", "x"])
            let job = String(repeating: "01", count: 32)
            // A client watches anew when it has not heard the bridge for a while.
            let earlier = await bridge.count("watchJobs")
            async let watched = lcp.run(["watch", job])
            while await bridge.count("watchJobs") == earlier {
                try await Task.sleep(for: .milliseconds(10))
            }
            try await bridge.change(Data(repeating: 1, count: 32)) { $0.view.stage = .done }
            let outcome = try await watched
            #expect(outcome.status == .exited(0))
            #expect(try outcome.lines().map { $0["stage"] as? String } == ["quoted", "done"])
        }
    }

    @Test func `an unknown job is the bridge's refusal`() async throws {
        try await withBridge { _, lcp in
            let outcome = try await lcp.run(["result", String(repeating: "ee", count: 32)])
            #expect(outcome.status == .exited(16))
            #expect(outcome.errors.contains("there is no such job"), "\(outcome.errors)")
        }
    }

    @Test func `an answer that is no text goes through a pipe unchanged`() async throws {
        let peer = peer
        try await withBridge { _, lcp in
            let arguments = [
                "ask", "--json", "--peer", peer, "--profile", "binary", "--max-price", "60", "x",
            ]
            let answer = try #require(try await lcp.run(arguments).lines().first)
            #expect(answer["result"] is NSNull)
            #expect(answer["result_hex"] as? String == "ff001b")
        }
    }

    @Test func `without a bridge every command exits 69 with advice`() async throws {
        let lcp = BusCommand(directory: "/tmp/lcp-nobody-\(UUID().uuidString.prefix(8))")
        for command in [["status"], ["peers"], ["result", String(repeating: "01", count: 32)]] {
            let outcome = try await lcp.run(command)
            #expect(outcome.status == .exited(69))
            #expect(outcome.errors.contains("--bus-dir"), "\(outcome.errors)")
        }
    }

    @Test func `a bus that this user may not open exits 77 with advice`() async throws {
        let directory = "/tmp/lcp-closed-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: geteuid() == 0 ? 0o700 : 0]
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var command = [Program(name: "lcp").path, "status", "--bus-dir", directory]
        // To root nothing is closed: somebody else asks then.
        if geteuid() == 0 {
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] + command
        }
        let outcome = try await Program.run(.name("env"), command)
        #expect(outcome.status == .exited(77), "\(outcome.errors)")
        #expect(outcome.errors.contains("group that owns"), "\(outcome.errors)")
    }

    @Test(arguments: [
        ["ask"], ["ask", "--peer", "02", "--profile", "p", "x"], ["accept", "nonsense"],
        ["jobs", "--limit", "0"], ["jobs", "--stage", "asleep"], ["peers", "connect", "nobody"],
        ["peers", "disconnect", "nobody"],
        ["ledger", "--page", "x"], ["demo", "--jobs", "0"],
    ])
    func `a wrong command line exits 64`(arguments: [String]) async throws {
        let outcome = try await Program(name: "lcp").run(arguments)
        #expect(outcome.status == .exited(64))
    }
}

/// `lcp` with a bus directory.
struct BusCommand {
    let directory: String

    func run(_ arguments: [String], input: String = "") async throws -> Program.Outcome {
        try await Program(name: "lcp").run(arguments + ["--bus-dir", directory], input: input)
    }
}

extension Program.Outcome {
    /// The only line of standard output as a JSON object.
    func object() throws -> NSDictionary {
        try #require(status == .exited(0), "\(errors)")
        return try #require(try lines().first)
    }
}
