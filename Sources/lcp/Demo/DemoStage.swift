import BridgeProtocol
import BusClient
import LightningTypes
import LocalNetwork

/// One demonstration on a network that is ready: what is bought, and what is killed meanwhile.
struct DemoStage: Sendable {
    var jobs: Int
    var concurrency: Int
    var kills: Bool
    var prompt: String
    var account: DemoAccount

    /// Buys everything, and reads every node's balance and ledger before and after.
    func play(on network: LocalNetwork) async throws -> DemoReport {
        let nodes = await network.nodes
        var before: [MilliSatoshi] = []
        for node in nodes { before.append(try await node.balance().local) }
        let market = DemoMarket(
            try await network.client(of: "alice"),
            seller: try await network.node("bob").id,
            prompt: prompt
        )
        let start = ContinuousClock.now
        var answer: Answer?
        if jobs == 1 {
            answer = try await buyOne(market, on: network)
        } else {
            try await buyAll(market, on: network)
        }
        let duration = ContinuousClock.now - start
        var accounts: [DemoReport.Account] = []
        for (node, balance) in zip(nodes, before) {
            accounts.append(try await settled(node, before: balance, on: network))
        }
        return DemoReport(
            counts: market.counts,
            duration: duration,
            accounts: accounts,
            processes: await network.processes.map { ($0.name, $0.process.pid) },
            answer: answer
        )
    }

    /// Buys one job step by step, so that each can be seen.
    private func buyOne(_ market: DemoMarket, on network: LocalNetwork) async throws -> Answer {
        account.head("alice asks bob: \(Table.printable(prompt))")
        let client = try await network.client(of: "alice")
        let start = ContinuousClock.now
        let order = try market.submission(0, ceiling: nil)
        let job = try await client.submit(order)
        account.tell(job)
        let result = try await client.watch([job.key]) { states in
            var (told, elapsed) = (job.view.stage, [job.view.stage: Duration.zero])
            var version = job.version
            while let state = try await states.next() {
                let stage = state.view.stage
                version = state.version
                if stage != told {
                    elapsed[stage] = .now - start
                    account.tell(state)
                    told = stage
                }
                if stage == .quoted {
                    let price = MilliSatoshi(msat: state.view.priceMsat)
                    _ = try await client.accept(job.key, upTo: price)
                }
                guard stage.isEnd else { continue }
                market.count(state, took: .now - start)
                break
            }
            return Answer(
                result: try await client.result(of: job.key, atLeast: version),
                elapsed: elapsed
            )
        }
        account.tell(result)
        return result
    }

    /// Buys all jobs, and kills processes on the way.
    private func buyAll(_ market: DemoMarket, on network: LocalNetwork) async throws {
        account.head("alice buys \(jobs) jobs from bob, \(concurrency) at a time")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await market.buy(jobs, concurrency: concurrency) }
            group.addTask {
                // Spread over the run: one victim after each sixth of the jobs.
                var victims = kills ? Self.victims : []
                let step = max(1, jobs / (victims.count + 1))
                var next = step
                for await ended in market.progress {
                    account.tell(ended: ended, of: jobs)
                    guard ended >= next, !victims.isEmpty else { continue }
                    next += step
                    try await killAndStart(victims.removeFirst(), market, network)
                }
            }
            try await group.waitForAll()
        }
    }

    private static let victims = [
        ProcessName("bob", .compute), ProcessName("bob", .bridge), ProcessName("bob", .provider),
        ProcessName("alice", .bridge), ProcessName("alice", .requester),
    ]

    private func killAndStart(
        _ name: ProcessName,
        _ market: DemoMarket,
        _ network: LocalNetwork
    ) async throws {
        let pid = await network.process(name)?.pid
        await network.kill(name)
        market.countKill()
        account.tell(killed: name, pid: pid ?? 0)
        try await network.start(name)
    }

    /// Reads a node's account once nothing moves any more and the ledger has caught up.
    private func settled(
        _ node: LocalNode,
        before: MilliSatoshi,
        on network: LocalNetwork
    ) async throws -> DemoReport.Account {
        let client = try await network.client(of: node.name)
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let balance = try await node.balance()
            let account = DemoReport.Account(
                name: node.name,
                id: node.id,
                before: before,
                after: balance.local,
                ledger: try await client.ledger(limit: 1)
            )
            // A settlement may be some milliseconds ahead of the ledger; an account that stays wrong
            // is reported as wrong.
            if !balance.isMoving && account.isBalanced || ContinuousClock.now > deadline {
                return account
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
