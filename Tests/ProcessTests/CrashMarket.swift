import Bridge
import BridgeProtocol
import BusClient
import Foundation
import Glibc
import Journal
import LCPWire
import LightningTypes
import LocalNetwork
import Testing

/// A buyer and a seller with all their processes, and what must be true of them after every crash.
actor CrashMarket {
    /// What a client wants.
    private enum Errand {
        /// A job.
        case buy
        /// A quote alone.
        case drop
        /// A job that costs more than the channel holds.
        case overspend
        /// A job, and then not.
        case withdraw
    }

    private let network: LocalNetwork
    private let buyer: BusClient
    private let seller: BusClient
    private let sellerID: NodeID
    private let capacity: MilliSatoshi
    private var orders = 0
    /// Jobs that may rightly stay unresolved for longer than this test lasts.
    private var doubtful: Set<BusJobKey> = []
    private var done: Set<BusJobKey> = []
    /// How many crash points were passed.
    private(set) var deaths = 0
    private var slowest = Duration.zero

    private init(_ network: LocalNetwork, capacity: MilliSatoshi) async throws {
        self.network = network
        self.capacity = capacity
        buyer = try await network.client(of: "alice")
        seller = try await network.client(of: "bob")
        sellerID = try await network.node("bob").id
    }

    /// Runs a market beside a closure, and looks at both journals when all has ended.
    static func run(
        _ name: String,
        _ body: @escaping @Sendable (CrashMarket) async throws -> Void
    ) async throws {
        let directory = "/tmp/lcp-crash-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let requester = "\(directory)/requester.yaml"
        // A lost request is asked again soon; a lost answer must not need that.
        try Data("quote_wait_seconds: 1\nquote_attempts: 16\n".utf8)
            .write(to: URL(filePath: requester))
        let capacity: UInt64 = 1_000_000
        var plan = LocalNetworkPlan.market(capacitySat: capacity)
        plan.programs = LocalNetworkPlan.directory(of: CommandLine.arguments[0])
        plan.providerConfiguration = Self.offers
        plan.arguments["lcp-requester"] = ["--config", requester]
        plan.arguments["lcp-compute"] = ["--delay", "20"]
        plan.arguments["lcp-bridge", default: []] += ["--per-payment-limit-sat", "100000000"]
        for budget in ["--daily-budget-sat", "--monthly-budget-sat"] {
            // The last of an option counts.
            plan.arguments["lcp-bridge"]? += [budget, "100000000000"]
        }
        let start = ContinuousClock.now
        let ended = try await LocalNetwork.run(plan, in: directory) { network in
            let market = try await CrashMarket(
                network,
                capacity: try #require(MilliSatoshi(sat: capacity))
            )
            try await body(market)
            try await market.rest()
            let (deaths, orders, slowest) = await (market.deaths, market.orders, market.slowest)
            print(
                "\(name): \(orders) jobs, \(deaths) crashes, slowest job \(slowest),",
                "\(ContinuousClock.now - start) in all"
            )
            return market
        }
        try await ended.checkJournals()
    }

    private static let offers = """
        enabled: true
        quote_ttl_seconds: 30
        llm:
          max_output_tokens: 256
          chat_profiles:
            demo:
              price:
                input_msat_per_mtok: 1750000
                output_msat_per_mtok: 14000000
            dear:
              price:
                input_msat_per_mtok: 1750000
                output_msat_per_mtok: 20000000000000
        peers:
          max_open_jobs: 100000
          requests_per_minute: 1000000

        """

    // MARK: - Crashes

    /// Lets a bridge die at a crash point while jobs are bought, starts it again and checks all.
    ///
    /// - Returns: Whether it came there so many times.
    func crash(_ side: CrashSide, at point: CrashPoint, _ count: Int) async throws -> Bool {
        let (sure, doubtful) = Self.errands(for: point)
        await network.kill(side.bridge)
        try await network.start(
            side.bridge,
            environment: ["LCP_CRASH_POINT": "\(point.rawValue):\(count)"]
        )
        let bridge = try #require(await network.process(side.bridge))
        await readyOrDead(side, bridge)
        let work = Task { try await self.run(sure) }
        let others = Task { try await self.run(doubtful) }
        let watchdog = Task {
            _ = await (work.result, others.result)
            // All is done without a crash.
            bridge.signal(SIGTERM)
        }
        let ending = await bridge.wait()
        await network.process(ProcessName("", .simnet))?.signal(SIGCONT)
        try await network.start(side.bridge)
        others.cancel()
        try await work.value
        await watchdog.value
        try await network.waitForBridge(of: side.rawValue)
        try await checkBooks("\(side) \(point)")
        let died = ending == .signalled(SIGKILL)
        if died { deaths += 1 }
        return died
    }

    /// Waits until a bridge serves, so that nothing is sent while nobody listens, or has died.
    private func readyOrDead(_ side: CrashSide, _ bridge: ChildProcess) async {
        let (news, first) = AsyncStream.makeStream(of: Void.self)
        let ready = Task {
            try? await network.waitForBridge(of: side.rawValue)
            first.yield()
        }
        let dead = Task {
            _ = await bridge.wait()
            first.yield()
        }
        for await _ in news { break }
        ready.cancel()
        dead.cancel()
    }

    /// Kills a worker when a job has come to a stage, starts it again and checks all.
    func kill(_ worker: ProcessName, at stage: BusJobStage) async throws {
        let work = Task { try await self.run([.buy, .buy, .buy, .buy]) }
        let order = try submission(.buy)
        let job = try await buyer.submit(order).key
        try await reached(job) { $0.rawValue >= stage.rawValue }
        await network.kill(worker)
        deaths += 1
        try await network.start(worker)
        try await finish(job)
        try await work.value
        try await checkBooks("\(worker) at \(stage)")
    }

    /// What clients do, so that the bridge comes to a point; second, what may be in doubt for long.
    private static func errands(for point: CrashPoint) -> (sure: [Errand], doubtful: [Errand]) {
        switch point {
        case .beforeWithdrawPayment: ([], [.withdraw])
        case .afterWithdrawPayment: ([.buy, .buy], [.overspend])
        case .beforeCommit, .afterCommit, .beforeRecord, .afterRecord, .beforeOrder, .afterOrder,
            .beforeCompute, .afterCompute, .beforeSend, .afterSend, .beforeCreateInvoice,
            .afterCreateInvoice, .beforeCancelInvoice, .afterCancelInvoice, .beforePay, .afterPay,
            .beforeAnswer, .afterAnswer:
            ([.buy, .buy, .buy, .drop], [])
        }
    }

    // MARK: - Clients

    private func run(_ errands: [Errand]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for errand in errands { group.addTask { try await self.run(errand) } }
            try await group.waitForAll()
        }
    }

    private func run(_ errand: Errand) async throws {
        let order = try submission(errand)
        let job = try await persistently { try await self.buyer.submit(order).key }
        switch errand {
        case .buy: try await finish(job)
        case .drop:
            try await reached(job) { $0 == .quoted || $0.isEnd }
            _ = try await persistently { try await self.buyer.cancel(job) }
            let stage = try await reached(job) { $0.isEnd }
            #expect(stage == .cancelled)
        case .overspend:
            doubtful.insert(job)
            let stage = try await reached(job) { $0.isEnd }
            #expect(stage == .failed)
        case .withdraw:
            doubtful.insert(job)
            try await reached(job) { $0 == .quoted || $0.isEnd }
            // The payment takes as long as nobody lets it go on.
            await network.process(ProcessName("", .simnet))?.signal(SIGSTOP)
            _ = try await buyer.accept(job, upTo: MilliSatoshi(msat: 1_000_000))
            try await reached(job) { $0 == .paying }
            _ = try await persistently { try await self.buyer.cancel(job) }
            try await reached(job) { $0.isEnd }
        }
    }

    private func submission(_ errand: Errand) throws -> JobSubmission {
        orders += 1
        let ceiling: MilliSatoshi? =
            switch errand {
            case .buy: MilliSatoshi(msat: 1_000_000)
            case .overspend: MilliSatoshi(sat: 100_000_000)
            case .drop, .withdraw: nil
            }
        let profile = errand == .overspend ? "dear" : "demo"
        return JobSubmission(
            to: sellerID,
            taskKind: V01.llmChat,
            input: Redacted(Array("prompt \(orders)".utf8)),
            params: try V01.LLMChatParams(profile: profile).encoded(),
            ceiling: ceiling
        )
    }

    /// Waits for a job's answer, which must be one.
    private func finish(_ job: BusJobKey) async throws {
        let start = ContinuousClock.now
        let stage = try await reached(job) { $0.isEnd }
        slowest = max(slowest, .now - start)
        let result = try await persistently { try await self.buyer.result(of: job) }
        #expect(stage == .done, "\(result.job.view.failure)")
        #expect(result.output != nil)
        done.insert(job)
    }

    @discardableResult
    private func reached(
        _ job: BusJobKey,
        _ isThere: @Sendable (BusJobStage) -> Bool
    ) async throws -> BusJobStage {
        let state = try await persistently {
            try await self.buyer.watch([job]) { states in
                try await states.first { isThere($0.view.stage) }
            }
        }
        return try #require(state).view.stage
    }

    /// Asks again as long as no bridge is there; the bridge does nothing twice.
    private func persistently<Result>(_ ask: () async throws -> Result) async throws -> Result {
        while true {
            do {
                return try await ask()
            } catch let error as BusClientError where error.code == .noBridge {
                continue
            }
        }
    }

    // MARK: - Checks

    /// Both ledgers say what lnd says, and each payment bought one answer.
    private func checkBooks(_ occasion: String) async throws {
        let (alice, bob) = (try await network.node("alice"), try await network.node("bob"))
        var isRight = false
        // The ledger follows lnd by some milliseconds.
        for _ in 0..<200 where !isRight {
            let spent = try await entries(buyer)
            let earned = try await entries(seller)
            let paid = spent.reduce(0) { $0 + $1.spentMsat + $1.feeMsat }
            let got = earned.reduce(0) { $0 + $1.earnedMsat }
            let (mine, yours) = (try await alice.balance(), try await bob.balance())
            isRight =
                !mine.isMoving && !yours.isMoving && mine.local.msat + paid == capacity.msat
                && yours.local.msat == got && paid == got
                && Set(spent.map(\.paymentHash)) == Set(earned.map(\.paymentHash))
        }
        #expect(isRight, "\(occasion): the ledgers are not what the nodes hold")
        let spent = try await entries(buyer).map(\.job)
        #expect(Set(spent).count == spent.count, "\(occasion): a job was paid twice")
        #expect(done.isSubset(of: spent), "\(occasion): a job was answered and not paid")
        #expect(
            Set(spent).subtracting(done).isSubset(of: doubtful),
            "\(occasion): a job was paid and not answered"
        )
    }

    private func entries(_ client: BusClient) async throws -> [BusLedgerEntry] {
        var page = try await client.ledger(limit: 1_000)
        var entries = page.entries
        while !page.next.isEmpty {
            page = try await client.ledger(limit: 1_000, page: page.next)
            entries += page.entries
        }
        return entries
    }

    /// Waits until no job of either side has anything more to wait for than its retention.
    private func rest() async throws {
        var open = BusListJobs()
        open.stages = [.quoting, .quoted, .paying, .running]
        for client in [buyer, seller] {
            let own = client.directory == buyer.directory ? doubtful : []
            let jobs = try await client.jobs(open).jobs.map(\.key)
            // Quotes that nobody accepted run out.
            for job in jobs where !own.contains(job) {
                _ = try await client.watch([job]) { states in
                    try await states.first { $0.view.stage.isEnd }
                }
            }
            #expect(try await client.status().parkedJobs == 0)
        }
        try await checkBooks("the end")
    }

    /// Nothing is owed, and nothing is left to be done.
    private func checkJournals() async throws {
        for node in await network.nodes {
            let journal = try Journal(path: node.journal)
            let doubts = Set(doubtful.compactMap { Bytes32($0.jobID) })
            for payment in try await journal.unresolvedPayments() {
                #expect(doubts.contains(payment.job.id), "\(payment.job) is unresolved")
            }
            #expect(try await journal.openInvoices().isEmpty)
            for job in try await journal.openJobs() where !doubts.contains(job.summary.key.id) {
                #expect(job.outstanding.isEmpty, "\(job.summary.key) has effects outstanding")
                #expect(job.events == 0, "\(job.summary.key) has unanswered events")
            }
            try await journal.close()
        }
    }
}

extension BusJobStage {
    /// Whether nothing more happens by itself.
    fileprivate var isEnd: Bool {
        switch self {
        case .done, .failed, .cancelled, .unanswered, .paidFailed: true
        case .unspecified, .quoting, .quoted, .paying, .running, .UNRECOGNIZED: false
        }
    }
}
