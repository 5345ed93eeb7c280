import BridgeProtocol
import BusClient
import Foundation
import LightningTypes
import LocalNetwork
import SwiftProtobuf
import Testing

/// A job that no worker could go on with, and what its operator can do.
@Suite(.timeLimit(.minutes(30))) struct ParkedTests {
    @Test func `a parked job is listed, tried again, and ends as if nothing had been`() async throws
    {
        try await Market.run { _ in
            var plan = LocalNetworkPlan.market()
            plan.nodes[0].requesters = 0
            return plan
        } _: { market in
            let before = try await market.balances()
            try await market.network.waitForOffers(of: "bob", at: "alice")
            let alice = try await market.network.client(of: "alice")
            let key = try await market.submit("parked and bought")
            let job = Hex.encode(key.jobID)
            #expect(try await parked(market).isEmpty)
            try await HostileWorker.play(.requester, at: "alice", in: market) { worker in
                // What a requester may not ask for, as often as it takes.
                let foul = BusEffect.with {
                    $0.id = 1
                    $0.startCompute = .init()
                }
                for _ in 0..<3 { try await worker.answer(try await worker.item(of: key), [foul]) }
                try await eventually("the job is parked") { try await alice.job(key).parked }
            }
            #expect(try await parked(market) == [job])
            let doctor = try await market.lcp("alice", ["doctor", "--json"]).object()
            let findings = try #require(doctor["findings"] as? [NSDictionary])
            let finding = findings.first { $0["check"] as? String == "bridge.jobs" }
            #expect(finding?["level"] as? String == "warning")

            // A worker that can is no help before somebody says so.
            try await market.network.start(ProcessName("alice", .requester))
            try await eventually("the worker is a member") {
                try await !alice.workers().isEmpty
            }
            #expect(try await parked(market) == [job])
            let retried = try await market.lcp("alice", ["retry", "--json", job])
            #expect(retried.exit == 0, "\(retried.errors)")
            #expect(try retried.object()["parked"] as? Bool == false)
            #expect(try await market.end(of: key).view.stage == .done)
            #expect(try await parked(market).isEmpty)
            try await market.expectBalancedBooks(before: before)

            // A job that is not parked is left as it is.
            let again = try await market.lcp("alice", ["retry", "--json", job])
            #expect(try again.object()["stage"] as? String == "done")
        }
    }

    /// What `lcp jobs --parked` lists at alice.
    private func parked(_ market: Market) async throws -> [String] {
        let list = try await market.lcp("alice", ["jobs", "--parked", "--json"]).object()
        let jobs = try #require(list["jobs"] as? [NSDictionary])
        for job in jobs { #expect(job["parked"] as? Bool == true) }
        return jobs.compactMap { $0["job_id"] as? String }
    }
}
