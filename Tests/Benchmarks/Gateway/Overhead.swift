import BenchmarkReport
import BridgeProtocol
import BusClient
import Foundation
import LCPWire
import LightningTypes
import LocalNetwork

/// How much longer a job takes over HTTP than bare, 32 at a time.
///
/// Each of 32 buyers buys by turns: a bare job over the bus, as `lcp bench` does, and one over a
/// connection that stays open, so that both meet the same machine. A thread blocks on the connection:
/// what is measured is the gateway and not an HTTP client. Instant jobs keep every core busy, and their
/// figure is mostly the CPU that one more process takes; jobs of a second, a short one of a language
/// model, show what is added to each.
struct Overhead {
    /// What one kind of job took.
    private struct Times {
        var milliseconds: [Double] = []

        func percentile(_ share: Double) -> Double {
            let sorted = milliseconds.sorted()
            return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
        }
    }

    static let instant = Overhead(name: "instant", delay: 0, jobs: 125)
    static let ofSecond = Overhead(name: "1 s", delay: 1_000, jobs: 24)

    private static let concurrency = 32

    let name: String
    /// How many milliseconds a computation takes.
    let delay: Int
    /// How many jobs of either kind each buyer buys.
    let jobs: Int

    func run() async throws {
        let (bare, gateway) = try await GatewayMarket.run(delay: delay) { network, chat in
            let bus = try await network.client(of: "alice")
            let seller = try await network.node("bob").id
            return try await withThrowingTaskGroup(of: (Times, Times).self) { group in
                for place in 0..<Self.concurrency {
                    group.addTask { try await buy(at: place, from: seller, over: bus, chat) }
                }
                return try await group.reduce(into: (Times(), Times())) {
                    $0.0.milliseconds += $1.0.milliseconds
                    $0.1.milliseconds += $1.1.milliseconds
                }
            }
        }
        report(bare, gateway)
    }

    /// Buys one after the other, bare and over the gateway.
    private func buy(
        at place: Int,
        from seller: NodeID,
        over bus: BusClient,
        _ chat: ChatClient
    ) async throws -> (Times, Times) {
        let connection = try chat.connect()
        // Spread over a job's time, or all would come at once for ever; half of them begin bare.
        try await Task.sleep(for: .milliseconds(delay * place / Self.concurrency))
        var (bare, gateway) = (Times(), Times())
        for number in 0..<2 * (jobs + warmUp) {
            let isBare = (number + place).isMultiple(of: 2)
            let prompt = "Say hello in one word. (\(place) \(number))"
            let time: Double
            if isBare {
                let start = ContinuousClock.now
                try await Self.buy(prompt, from: seller, over: bus)
                time = (.now - start) / .milliseconds(1)
            } else {
                time = try await connection.time(ofBuying: prompt)
            }
            guard number >= 2 * warmUp else { continue }
            if isBare { bare.milliseconds.append(time) } else { gateway.milliseconds.append(time) }
        }
        return (bare, gateway)
    }

    private var warmUp: Int { jobs / 5 }

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
