import Foundation
import Subprocess
import Testing

/// A market whose processes die all the time, and its books; `Tests/run --chaos` for longer.
@Suite(.timeLimit(.minutes(15))) struct ChaosTests {
    @Test func `two thousand jobs come through while workers and bridges are killed all the time`()
        async throws
    {
        let outcome = try await Program(name: "chaos").run("--jobs", "2000", "--json")
        let report = try #require(try outcome.lines().last, "\(outcome.errors)")
        print("chaos: \(outcome.output)", terminator: "")
        #expect(report["findings"] as? [String] == [])
        #expect(outcome.status == .exited(0))
        let unpaid = try #require(report["unpaid"] as? [String: Int]).values.reduce(0, +)
        #expect(try #require(report["ok"] as? Int) + unpaid == 2_000)
        let kills = try #require(report["kills"] as? [String: Int])
        for kind in ["provider", "requester", "compute", "bridge"] {
            #expect(try #require(kills[kind]) > 1, "no \(kind) was killed, so this proves nothing")
        }
    }
}
