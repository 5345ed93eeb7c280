import BridgeProtocol
import BusClient
import Foundation
import LocalNetwork
import SwiftProtobuf
import Testing

/// How long the contents of jobs stay, as the operator of a bridge says.
@Suite(.timeLimit(.minutes(10))) struct RetentionTests {
    @Test func `a finished job's contents are gone when their time is over, and it is still known`()
        async throws
    {
        try await Market.run { _ in
            var plan = LocalNetworkPlan(
                nodes: [LocalNetworkPlan.Node("alice"), LocalNetworkPlan.Node("bob")],
                channels: ["alice:bob:1000000"],
                providerConfiguration: ""
            )
            plan.arguments["lcp-bridge"] = ["--content-retention-seconds", "0"]
            return plan
        } _: { market in
            let result = Data("a result that nobody else has".utf8)
            let alice = try await market.network.client(of: "alice")
            // A worker of its own, since ours keep a job for ten minutes at least.
            try await HostileWorker.play(.requester, at: "alice", in: market) { worker in
                let key = try await market.submit("once", ceiling: nil)
                let finish = BusEffect.with {
                    $0.id = 1
                    $0.finish = BusFinish()
                }
                let item = try await worker.item(of: key)
                try await worker.answer(item, [finish], stage: .done) {
                    $0.output = result
                }
                try await eventually("the job is finished") {
                    try await alice.job(key).finishedUnix > 0
                }
                try await eventually("the result is gone") {
                    try await alice.result(of: key).output == nil
                }
                #expect(try await alice.job(key).outputBytes == UInt64(result.count))
                try await eventually("no file of the journal has the result") {
                    try !market.journalFiles(of: "alice").contains { $0.range(of: result) != nil }
                }
            }
        }
    }

    @Test func `times that contradict each other are refused`() async throws {
        let outcome = try await Market.run(
            "lcp-bridge",
            [
                "--journal", "/nowhere", "--lnd-macaroon", "/nowhere", "--job-retention-seconds",
                "4000",
            ]
        )
        #expect(outcome.exit == 64)
        #expect(outcome.errors.contains("--job-retention-seconds must be 86400 to 315360000"))
    }
}

extension Market {
    /// What the files of a node's journal hold.
    fileprivate func journalFiles(of node: String) throws -> [Data] {
        let folder = "\(directory)/\(node)"
        return try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasPrefix("journal.sqlite") }
            .map { try Data(contentsOf: URL(filePath: "\(folder)/\($0)")) }
    }
}
