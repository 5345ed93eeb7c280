import BridgeProtocol
import BusClient
import Foundation
import Glibc
import LightningTypes
import LocalNetwork
import SwiftProtobuf
import Testing
import ZeroMQ

/// A real bridge beside a simulated lnd, asked by clients; nobody works for it.
@Suite(.timeLimit(.minutes(10))) struct BridgeDoorTests {
    private static let alice = ProcessName("alice", .bridge)

    private func withBridge(
        _ body: @escaping @Sendable (LocalNetwork, BusClient) async throws -> Void
    ) async throws {
        let directory = "/tmp/lcp-door-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var plan = LocalNetworkPlan(
            nodes: [LocalNetworkPlan.Node("alice"), LocalNetworkPlan.Node("bob")],
            channels: ["alice:bob:1000000"],
            providerConfiguration: "",
            programs: LocalNetworkPlan.directory(of: CommandLine.arguments[0])
        )
        // For what hangs: a process that dies is noticed at once.
        plan.patience = .seconds(300)
        try await LocalNetwork.run(plan, in: directory) { network in
            try await body(network, try await network.client(of: "alice"))
        }
    }

    private func submission(
        _ network: LocalNetwork,
        _ input: String,
        key: SubmissionKey = .random()
    ) async throws -> JobSubmission {
        JobSubmission(
            to: try await network.node("bob").id,
            taskKind: "llm.chat",
            input: Redacted(Array(input.utf8)),
            params: [1, 1, 0x61],
            key: key
        )
    }

    @Test func `a key alone finds its job, after SIGKILL too, and another key nothing`()
        async throws
    {
        try await withBridge { network, client in
            let first = try await submission(network, "once")
            let job = try await client.submit(first)
            #expect(try await client.job(submittedAs: first.key)?.key == job.key)
            #expect(try await client.job(submittedAs: .random()) == nil)
            await network.kill(Self.alice)
            try await network.start(Self.alice)
            #expect(try await client.job(submittedAs: first.key)?.key == job.key)
        }
    }

    @Test func `an acknowledged submission outlives SIGKILL, and its key still means it`()
        async throws
    {
        try await withBridge { network, client in
            let first = try await submission(network, "once")
            let job = try await client.submit(first)
            await network.kill(Self.alice)
            try await network.start(Self.alice)

            #expect(try await client.submit(first).key == job.key)
            let listed = try await client.jobs(BusListJobs())
            #expect(listed.jobs.map(\.key) == [job.key])
            #expect(listed.jobs.first?.view.stage == .quoting)

            let other = try await submission(network, "another prompt", key: first.key)
            let refusal = await #expect(throws: BusClientError.self) {
                try await client.submit(other)
            }
            #expect(refusal?.failure?.code == "key-reused")
        }
    }

    // LCP v0.1 §2 [first-job-id-unpredictable]
    @Test func `two bridges give the same submission job ids that have nothing in common`()
        async throws
    {
        try await withBridge { network, client in
            let submission = JobSubmission(
                to: try #require(NodeID([2] + [UInt8](repeating: 9, count: 32))),
                taskKind: "llm.chat",
                input: Redacted(Array("the same".utf8)),
                params: [1, 1, 0x61],
                key: .random()
            )
            let ids = [
                try await client.submit(submission).key.jobID,
                try await network.client(of: "bob").submit(submission).key.jobID,
            ]
            #expect(ids.map(\.count) == [32, 32])
            // That two drawn words are equal has a chance of 2^-62.
            for start in stride(from: 0, to: 32, by: 8) {
                #expect(ids[0].dropFirst(start).prefix(8) != ids[1].dropFirst(start).prefix(8))
            }
        }
    }

    @Test func `jobs are listed in pages, newest first, without their prompts`() async throws {
        try await withBridge { network, client in
            var keys: [BusJobKey] = []
            for number in 0..<3 {
                keys.append(try await client.submit(submission(network, "job \(number)")).key)
            }
            var filter = BusListJobs()
            filter.limit = 2
            let first = try await client.jobs(filter)
            filter.page = first.next
            let second = try await client.jobs(filter)
            #expect(first.jobs.map(\.key) == [keys[2], keys[1]])
            #expect(second.jobs.map(\.key) == [keys[0]])
            #expect(second.next.isEmpty)
            #expect(first.jobs.map(\.inputBytes) == [5, 5])
        }
    }

    @Test func `a job nobody knows is refused at both doors`() async throws {
        try await withBridge { _, client in
            var key = BusJobKey()
            key.role = .requester
            key.jobID = Data(repeating: 7, count: 32)
            let queried = await #expect(throws: BusClientError.self) { try await client.job(key) }
            #expect(queried?.failure?.code == "unknown-job")
            let cancelled = await #expect(throws: BusClientError.self) {
                try await client.cancel(key)
            }
            #expect(cancelled?.failure?.code == "unknown-job")
        }
    }

    @Test func `a malformed request is answered and counted`() async throws {
        try await withBridge { network, client in
            let context = try Context()
            for endpoint in [BusEndpoint.control, .query] {
                let path = "\(try await network.node("alice").busDirectory)/\(endpoint.path)"
                let socket = try await context.dealer(.ipc(path: path))
                try await socket.send(ZeroMQ.Message(Frame([0xff, 0xff, 0xff])))
                let answer = try #require(try await socket.receive().first)
                // Both answers have the same shape: an id, and a failure in field 2.
                let response = try BusQueryResponse(serializedBytes: answer.head.bytes)
                #expect(response.failure.code == "malformed")
            }
            #expect(try await client.status().counters["request.malformed"] == 2)
            await context.shutDown()
        }
    }

    @Test func `a second bridge on the same journal says who has it and exits with 75`()
        async throws
    {
        try await withBridge { network, _ in
            let node = try await network.node("alice")
            let log = "\(network.directory)/second.log"
            let second = try await ChildProcess(
                "\(network.plan.programs)/lcp-bridge",
                [
                    "--lnd-address", node.lndAddress, "--lnd-tls-cert", node.certificate,
                    "--lnd-macaroon", node.macaroon, "--journal", node.journal,
                    "--bus-dir", "\(network.directory)/other",
                ],
                log: log
            )
            #expect(await second.wait() == .exited(75))
            let text = try String(contentsOfFile: log, encoding: .utf8)
            #expect(text.contains("lockedByAnotherProcess"))
        }
    }

    @Test func `an lnd on another network than was meant ends the bridge with 78`() async throws {
        try await withBridge { network, _ in
            let node = try await network.node("bob")
            await network.kill(ProcessName("bob", .bridge))
            let wrong = try await ChildProcess(
                "\(network.plan.programs)/lcp-bridge",
                [
                    "--lnd-address", node.lndAddress, "--lnd-tls-cert", node.certificate,
                    "--lnd-macaroon", node.macaroon, "--journal", "\(network.directory)/new",
                    "--bus-dir", "\(network.directory)/other", "--network", "mainnet",
                ],
                log: "\(network.directory)/wrong.log"
            )
            let ending = await wrong.wait()
            let log = try String(
                contentsOfFile: "\(network.directory)/wrong.log",
                encoding: .utf8
            )
            #expect(ending == .exited(78), "\(log)")
        }
    }

    @Test func `a worker that the bridge refuses says why and exits with 77`() async throws {
        try await withBridge { network, _ in
            // More than one worker may announce.
            var offers = "llm:\n  max_output_tokens: 1\n  chat_profiles:\n"
            for number in 0..<300 {
                offers += "    p\(number):\n      price: "
                offers += "{input_msat_per_mtok: 1, output_msat_per_mtok: 1}\n"
            }
            let configuration = "\(network.directory)/many.yaml"
            try Data(offers.utf8).write(to: URL(filePath: configuration))
            let log = "\(network.directory)/refused.log"
            let worker = try await ChildProcess(
                "\(network.plan.programs)/lcp-provider",
                [
                    "--bus-dir", try await network.node("alice").busDirectory, "--config",
                    configuration,
                ],
                log: log
            )
            #expect(await worker.wait() == .exited(77))
            let text = try String(contentsOfFile: log, encoding: .utf8)
            #expect(text.contains("hello-too-large"), "\(text)")
        }
    }

    @Test func `SIGTERM ends a bridge with 0`() async throws {
        try await withBridge { network, client in
            _ = try await client.submit(submission(network, "still open"))
            let bridge = try #require(await network.process(Self.alice))
            bridge.signal(SIGTERM)
            #expect(await bridge.wait() == .exited(0))
        }
    }
}
