import BenchmarkReport
import BridgeProtocol
import BusClient
import Foundation
import LCPWire
import LightningTypes
import LocalNetwork

/// How much longer a job takes over HTTP than bare, 32 at a time.
///
/// Both are bought by this process from the same market, in turns: bare ones over the bus, as `lcp bench`
/// buys them, and others over connections that stay open. Instant jobs keep every core busy, so their
/// figure is mostly the CPU that one more process takes; jobs of a second, a short one of a language
/// model, show what is added to each.
///
/// In the quarter of an hour that a gateway is started in it asks the bridge whether an earlier process
/// has bought the same, a millisecond more. Begun just before the next, this measures how it goes on.
struct Overhead {
    /// What one kind of job took.
    private struct Times {
        var milliseconds: [Double] = []

        func percentile(_ share: Double) -> Double {
            let sorted = milliseconds.sorted()
            return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
        }
    }

    static let instant = Overhead(name: "instant", delay: 0, turns: 5, jobsPerTurn: 800)
    static let ofSecond = Overhead(name: "1 s", delay: 1_000, turns: 4, jobsPerTurn: 192)

    private static let concurrency = 32

    let name: String
    /// How many milliseconds a computation takes.
    let delay: Int
    let turns: Int
    let jobsPerTurn: Int

    func run() async throws {
        let (bare, gateway) = try await GatewayMarket.run(delay: delay) { network, chat in
            let buyer = try await network.client(of: "alice")
            let seller = try await network.node("bob").id
            let buyBare: @Sendable (String) async throws -> Void = { prompt in
                try await Self.buy(prompt, from: seller, over: buyer)
            }
            var (bare, gateway) = (Times(), Times())
            for turn in 0...turns {
                let first = try await times(turn, "bare", buyBare)
                let second = try await times(turn, "gateway", chat.buy)
                // The first turn warms up.
                guard turn > 0 else { continue }
                bare.milliseconds += first
                gateway.milliseconds += second
            }
            return (bare, gateway)
        }
        report(bare, gateway)
    }

    private func report(_ bare: Times, _ gateway: Times) {
        print("\(name) jobs, \(Self.concurrency) at a time, bare and over the gateway")
        for (percentile, share, goal) in [("p50", 0.5, 2.0), ("p99", 0.99, 10.0)] {
            let (before, after) = (bare.percentile(share), gateway.percentile(share))
            let over = after - before
            print(
                String(
                    format: "  %@ %8.2f ms, %8.2f ms: %.2f ms more, goal %.0f ms: %@",
                    percentile,
                    before,
                    after,
                    over,
                    goal,
                    over < goal ? "met" : "MISSED"
                )
            )
            if delay == 0 {
                RatioLine.print(
                    "\(percentile) of an instant job over the gateway / bare",
                    after / before,
                    better: .lower
                )
            } else {
                RatioLine.print(
                    "\(percentile) that the gateway adds to a job of \(name) / \(Int(goal)) ms",
                    over / goal,
                    better: .lower
                )
            }
        }
    }

    /// What each job of a turn took, in milliseconds.
    private func times(
        _ turn: Int,
        _ kind: String,
        _ buy: @escaping @Sendable (String) async throws -> Void
    ) async throws -> [Double] {
        let (jobs, delay) = (jobsPerTurn, delay)
        return try await withThrowingTaskGroup(of: [Double].self) { group in
            for place in 0..<Self.concurrency {
                group.addTask {
                    // Spread over a job's time, or all would come at once for ever.
                    try await Task.sleep(for: .milliseconds(delay * place / Self.concurrency))
                    var times: [Double] = []
                    for number in stride(from: place, to: jobs, by: Self.concurrency) {
                        let start = ContinuousClock.now
                        try await buy("Say hello in one word. (\(kind) \(turn) \(number))")
                        times.append((.now - start) / .milliseconds(1))
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    /// Buys a job over the bus and fetches what it bought.
    private static func buy(_ prompt: String, from seller: NodeID, over bus: BusClient) async throws
    {
        let order = JobSubmission(
            to: seller,
            taskKind: V01.llmChat,
            input: Redacted(Array(prompt.utf8)),
            params: try V01.LLMChatParams(profile: "demo").encoded(),
            ceiling: MilliSatoshi(msat: 1_000_000)
        )
        let job = try await bus.submit(order)
        let done = try await bus.watch([job.key]) { states in
            try await states.first { $0.view.endedUnix > 0 }
        }
        guard let done, done.view.stage == .done else { throw NotDone() }
        _ = try await bus.result(of: done.key, atLeast: done.version)
    }

    /// A job failed.
    struct NotDone: Error {}
}
