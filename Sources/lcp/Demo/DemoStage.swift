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
    /// Over HTTP instead of the bus; nil without.
    var gateway: DemoGateway?

    /// Buys everything, and reads every node's balance and ledger before and after.
    func play(on network: LocalNetwork) async throws -> DemoReport {
        let nodes = await network.nodes
        var before: [MilliSatoshi] = []
        for node in nodes { before.append(try await node.balance().local) }
        let load = LoadRun(
            LoadPlan(
                peer: try await network.node("bob").id,
                profile: "demo",
                prompt: prompt,
                // Enough for any price of the demonstration; the money is not real.
                goal: .answer(upTo: MilliSatoshi(msat: 1_000_000))
            ),
            at: try await network.client(of: "alice"),
            within: SpendingLimit(nil)
        )
        let start = ContinuousClock.now
        var answer: Answer?
        var response: DemoResponse?
        var killed = 0
        if let gateway {
            for _ in 0..<jobs { response = try await buyOne(load, over: gateway, on: network) }
        } else if jobs == 1 {
            answer = try await buyOne(load, on: network)
        } else {
            killed = try await buyAll(load, on: network)
        }
        let duration = ContinuousClock.now - start
        var accounts: [DemoReport.Account] = []
        for (node, balance) in zip(nodes, before) {
            accounts.append(try await settled(node, before: balance, on: network))
        }
        return DemoReport(
            counts: load.tally,
            kills: killed,
            duration: duration,
            accounts: accounts,
            processes: await network.processes.map { ($0.name, $0.process.pid) },
            answer: answer,
            response: response
        )
    }

    /// Lets others buy over HTTP, and tells of each job, until it is cancelled.
    func serve(_ gateway: DemoGateway, on network: LocalNetwork) async throws {
        account.tell(waiting: gateway)
        try await network.client(of: "alice").watch([]) { states in
            var told: [BusJobKey: BusJobStage] = [:]
            while let job = try await states.next() {
                guard told[job.key] != job.view.stage else { continue }
                told[job.key] = job.view.stage
                account.tell(job)
            }
        }
    }

    /// Buys one job with a request over HTTP, and counts it by what the bridge says.
    private func buyOne(
        _ load: LoadRun,
        over gateway: DemoGateway,
        on network: LocalNetwork
    ) async throws -> DemoResponse {
        account.tell(asking: gateway)
        let start = ContinuousClock.now
        let response = try await gateway.ask()
        account.tell(response)
        guard let key = response.job else { return response }
        let job = try await network.client(of: "alice").job(key)
        var timeline = JobTimeline(start: start)
        timeline.note(job.view.stage)
        load.count(job, timeline)
        return response
    }

    /// Buys one job step by step, so that each can be seen.
    private func buyOne(_ load: LoadRun, on network: LocalNetwork) async throws -> Answer {
        account.head("alice asks bob: \(Table.printable(prompt))")
        let client = try await network.client(of: "alice")
        let start = ContinuousClock.now
        let order = try load.plan.submission(0, ceiling: nil)
        let job = try await client.submit(order)
        account.tell(job)
        let result = try await client.watch([job.key]) { states in
            var (told, elapsed) = (job.view.stage, [job.view.stage: Duration.zero])
            var timeline = JobTimeline(start: start)
            var version = job.version
            while let state = try await states.next() {
                let stage = state.view.stage
                version = state.version
                timeline.note(stage)
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
                load.count(state, timeline)
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
    ///
    /// - Returns: How many were killed.
    private func buyAll(_ load: LoadRun, on network: LocalNetwork) async throws -> Int {
        account.head("alice buys \(jobs) jobs from bob, \(concurrency) at a time")
        return try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask {
                try await load.run(jobs, concurrency: concurrency)
                return 0
            }
            group.addTask {
                // Spread over the run: one victim after each sixth of the jobs.
                var victims = kills ? Self.victims : []
                let step = max(1, jobs / (victims.count + 1))
                var next = step
                for await ended in load.progress {
                    account.tell(ended: ended, of: jobs)
                    guard ended >= next, !victims.isEmpty else { continue }
                    next += step
                    try await killAndStart(victims.removeFirst(), network)
                }
                return kills ? Self.victims.count - victims.count : 0
            }
            return try await group.reduce(0, +)
        }
    }

    private static let victims = [
        ProcessName("bob", .compute), ProcessName("bob", .bridge), ProcessName("bob", .provider),
        ProcessName("alice", .bridge), ProcessName("alice", .requester),
    ]

    private func killAndStart(
        _ name: ProcessName,
        _ network: LocalNetwork
    ) async throws {
        let pid = await network.process(name)?.pid
        await network.kill(name)
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
