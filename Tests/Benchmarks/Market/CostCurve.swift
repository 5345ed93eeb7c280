import BenchmarkReport
import BridgeProtocol
import BusClient
import Foundation
import LCPWire
import LightningTypes
import LocalNetwork

/// What a job costs lnd and the bridges while ever more quotes are open.
enum CostCurve {
    private struct Cost {
        /// Calls of both lnds for each job.
        var calls: Double
        /// CPU of both bridges for each job.
        var bridgeMilliseconds: Double
    }

    private static let jobs = 200
    private static let steps = [10, 1_000, 10_000]

    static func run() async throws {
        print("cost of a job beside open quotes")
        var plan = LocalNetworkPlan.market()
        plan.providerConfiguration = plan.providerConfiguration.replacing(
            "quote_ttl_seconds: 300",
            with: "quote_ttl_seconds: 3600"
        )
        plan.arguments["lcp-bridge"]? += ["--max-jobs", "1000000"]
        let costs = try await MarketBenchmark.with(plan) { network in
            var costs: [Cost] = []
            var open = 0
            for count in steps {
                try await quote(open..<count, on: network)
                open = count
                let cost = try await cost(on: network)
                print(
                    String(
                        format: "  %6d open: %.2f lnd calls, %.2f ms of both bridges' CPU a job",
                        count,
                        cost.calls,
                        cost.bridgeMilliseconds
                    )
                )
                costs.append(cost)
            }
            return costs
        }
        guard let first = costs.first, let last = costs.last else { return }
        RatioLine.print("lnd calls a job beside 10 open quotes", first.calls, better: .lower)
        RatioLine.print(
            "lnd calls a job, 10000 open quotes / 10",
            last.calls / first.calls,
            better: .lower
        )
        RatioLine.print(
            "bridges' CPU a job, 10000 open quotes / 10",
            last.bridgeMilliseconds / first.bridgeMilliseconds,
            better: .lower
        )
    }

    /// Asks for quotes and leaves them open.
    private static func quote(_ numbers: Range<Int>, on network: LocalNetwork) async throws {
        let buyer = try await network.client(of: "alice")
        let seller = try await network.node("bob").id
        let params = try V01.LLMChatParams(profile: "demo").encoded()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in numbers {
                if number - numbers.lowerBound >= 64 { try await group.next() }
                group.addTask {
                    let order = JobSubmission(
                        to: seller,
                        taskKind: V01.llmChat,
                        input: Redacted(Array("quote \(number)".utf8)),
                        params: params
                    )
                    let job = try await buyer.submit(order).key
                    _ = try await buyer.watch([job]) { states in
                        try await states.first { $0.view.stage == .quoted }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private static func cost(on network: LocalNetwork) async throws -> Cost {
        let before = try await calls(on: network)
        let figures = try await BenchFigures.measure(on: network, jobs: jobs, concurrency: 8)
        let calls = try await calls(on: network) - before
        return Cost(
            // Those that warmed up cost calls, too, and are no part of the CPU.
            calls: Double(calls) / Double(jobs + 8),
            bridgeMilliseconds: figures.processes.filter { $0.program == "lcp-bridge" }
                .reduce(0) { $0 + $1.cpuMsPerJob }
        )
    }

    private static func calls(on network: LocalNetwork) async throws -> Int {
        var sum = 0
        for node in await network.nodes {
            sum += try await network.lndCalls(of: node.name).values.reduce(0, +)
        }
        return sum
    }
}
