import Bridge
import BridgeProtocol
import BusClient
import CrashPoints
import Foundation
import Glibc
import LCPWire
import LightningCrypto
import LightningTypes
import LocalNetwork
import MarketAudit
import Subprocess
import Testing
import WorkerKit

/// A buyer and a seller with all their processes, and what must be true of them after every crash.
actor CrashMarket {
    /// What computes, and what it answers.
    enum Backend {
        /// The backend that is there for tests.
        case deterministic
        /// A program that answers with its input.
        case program

        var arguments: [String] {
            switch self {
            case .deterministic: ["--delay", "20"]
            case .program: ["--backend", "exec", "--concurrency", "8", "--", "cat"]
            }
        }

        func answer(to prompt: [UInt8]) -> [UInt8] {
            switch self {
            case .deterministic: Array("\(Hex.encode(SHA256.hash(prompt).bytes))\n".utf8) + prompt
            case .program: prompt
            }
        }
    }

    let network: LocalNetwork
    private let backend: Backend
    private let buyer: BusClient
    private let sellerID: NodeID
    private let audit: MarketAudit
    private var orders = 0
    private var jobs = AuditedJobs()
    /// How many crash points were passed.
    var deaths = 0
    private var slowest = Duration.zero

    private init(
        _ network: LocalNetwork,
        _ backend: Backend,
        capacity: MilliSatoshi
    ) async throws {
        self.network = network
        self.backend = backend
        audit = try await MarketAudit(network, capacity: capacity)
        buyer = try await network.client(of: "alice")
        sellerID = try await network.node("bob").id
    }

    /// Runs a market beside a closure, and looks at all journals when it has ended.
    ///
    /// - Parameters:
    ///   - name: What is printed at the end.
    ///   - backend: What computes.
    ///   - newcomer: Whether a third node is there, `carol`, who sells too.
    ///   - body: Lets processes die.
    /// - Throws: What `body` throws.
    static func run(
        _ name: String,
        backend: Backend = .deterministic,
        newcomer: Bool = false,
        _ body: @escaping @Sendable (CrashMarket) async throws -> Void
    ) async throws {
        let directory = "/tmp/lcp-crash-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let capacity: UInt64 = 1_000_000
        var plan = try plan(in: directory, backend, capacity)
        if newcomer { plan.nodes.append(LocalNetworkPlan.Node("carol", providers: 1)) }
        let start = ContinuousClock.now
        let ended = try await LocalNetwork.run(plan, in: directory) { network in
            let market = try await CrashMarket(
                network,
                backend,
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
        let findings = try await ended.audit.journals(ended.jobs)
        #expect(findings == [], "\(name)")
    }

    private static func plan(
        in directory: String,
        _ backend: Backend,
        _ capacity: UInt64
    ) throws -> LocalNetworkPlan {
        let requester = "\(directory)/requester.yaml"
        // A lost request is asked again soon; a lost answer must not need that.
        try Data("quote_wait_seconds: 1\nquote_attempts: 16\n".utf8)
            .write(to: URL(filePath: requester))
        var plan = LocalNetworkPlan.market(capacitySat: capacity)
        plan.programs = LocalNetworkPlan.directory(of: CommandLine.arguments[0])
        // Other tests run beside this one.
        plan.patience = .seconds(60)
        plan.providerConfiguration = plan.providerConfiguration
            .replacing("quote_ttl_seconds: 300", with: "quote_ttl_seconds: 30")
        plan.arguments["lcp-requester"] = ["--config", requester]
        plan.arguments["lcp-compute"] = backend.arguments
        return plan
    }

    // MARK: - Crashes

    /// Lets a bridge die at a crash point while jobs are bought, starts it again and checks all.
    ///
    /// - Returns: Whether it came there so many times.
    func crash(_ side: CrashSide, at point: CrashPoint, _ count: Int) async throws -> Bool {
        await network.kill(side.bridge)
        let died = try await crash(side.bridge, at: point, count, CrashErrands(for: point))
        try await network.waitForBridge(of: side.rawValue)
        try await check("\(side) \(point) \(count)")
        return died
    }

    /// Lets a worker die at a crash point while jobs are bought, starts it again and checks all.
    ///
    /// - Returns: Whether it came there so many times.
    func crash(_ worker: ProcessName, at point: WorkerCrashPoint, _ count: Int) async throws -> Bool
    {
        await network.kill(worker)
        var errands = CrashErrands(for: .beforeOrder)
        if count == 1 { errands.sure = [.buy, .buy] }
        let died = try await crash(worker, at: point, count, errands)
        try await check("\(worker) \(point) \(count)")
        return died
    }

    private func crash(
        _ victim: ProcessName,
        at point: some CrashPoints,
        _ count: Int,
        _ errands: CrashErrands
    ) async throws -> Bool {
        try await network.start(
            victim,
            arguments: errands.arguments,
            environment: ["LCP_CRASH_POINT": "\(point.rawValue):\(count)"]
        )
        let process = try #require(await network.process(victim))
        if victim.role == .bridge { await readyOrDead(victim.node, process) }
        let work = Task {
            try await within(Self.patience) { try await self.run(errands.sure) }
        }
        let others = Task { try await self.run(errands.doubtful) }
        let watchdog = Task {
            _ = await (work.result, others.result)
            // All is done without a crash.
            process.signal(SIGTERM)
        }
        let ending = await process.wait()
        try await undisturb(errands)
        try await network.start(victim)
        others.cancel()
        try await work.value
        await watchdog.value
        let died = ending == .signalled(SIGKILL)
        #expect(died || ending == .exited(0), "\(victim) \(point) \(count): \(ending)")
        if died { deaths += 1 }
        return died
    }

    /// Waits until a bridge serves, so that nothing is sent while nobody listens, or has died.
    func readyOrDead(_ node: String, _ bridge: ChildProcess) async {
        let (news, first) = AsyncStream.makeStream(of: Void.self)
        let ready = Task {
            try? await network.waitForBridge(of: node)
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

    /// Lets go on what errands have stopped.
    private func undisturb(_ errands: CrashErrands) async throws {
        if errands.sure.contains(.regret) {
            await network.process(ProcessName("bob", .compute))?.signal(SIGCONT)
        }
        if errands.doubtful.contains(.withdraw) { try await wallet("server-active") }
    }

    /// Kills a worker when a job has come to a stage, starts it again and checks all.
    func kill(_ worker: ProcessName, at stage: BusJobStage) async throws {
        let work = Task {
            try await within(Self.patience) {
                try await self.run([.buy, .buy, .buy, .buy])
            }
        }
        let order = submission(.buy)
        let job = try await buyer.submit(order).key
        _ = try await buyer.wait(for: job) { $0.rawValue >= stage.rawValue }
        await network.kill(worker)
        deaths += 1
        try await network.start(worker)
        try await within(Self.patience) { try await self.finish(job, of: order) }
        try await work.value
        try await check("\(worker) at \(stage)")
    }

    // MARK: - Clients

    private func run(_ errands: [CrashErrand]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for errand in errands { group.addTask { try await self.run(errand) } }
            try await group.waitForAll()
        }
    }

    private func run(_ errand: CrashErrand) async throws {
        let order = submission(errand)
        if errand == .regret {
            // It takes the job and does not get on with it.
            await network.process(ProcessName("bob", .compute))?.signal(SIGSTOP)
        }
        let job = try await persistently { try await self.buyer.submit(order).key }
        switch errand {
        case .buy: try await finish(job, of: order)
        case .crowd:
            let ended = try await buyer.wait(for: job) { $0.isEnd }
            // Whoever was refused has not paid, or `check` finds out.
            if ended.view.stage != .failed { try await finish(job, of: order) }
        case .misfit:
            let ended = try await buyer.wait(for: job) { $0.isEnd }
            #expect(ended.view.stage == .failed)
        case .drop:
            _ = try await buyer.wait(for: job) { $0 == .quoted || $0.isEnd }
            _ = try await persistently { try await self.buyer.cancel(job) }
            let ended = try await buyer.wait(for: job) { $0.isEnd }
            #expect(ended.view.stage == .cancelled)
        case .withdraw:
            jobs.doubtful.insert(job)
            _ = try await buyer.wait(for: job) { $0 == .quoted || $0.isEnd }
            // lnd takes no payment now.
            try await wallet("locked")
            _ = try await persistently {
                try await self.buyer.accept(job, upTo: Self.enough)
            }
            _ = try await buyer.wait(for: job) { $0 == .paying || $0.isEnd }
            _ = try await persistently { try await self.buyer.cancel(job) }
            _ = try await buyer.wait(for: job) { $0.isEnd }
        case .regret:
            jobs.doubtful.insert(job)
            _ = try await buyer.wait(for: job) { $0 == .running || $0.isEnd }
            _ = try await persistently { try await self.buyer.cancel(job) }
            let ended = try await buyer.wait(for: job) { $0.isEnd }
            // Paid all the same, so there is an answer: an error, or the result if it was faster.
            #expect([.paidFailed, .done].contains(ended.view.stage))
        }
    }

    /// What is lost for ever shall not be waited for as long.
    private static let patience = Duration.seconds(180)

    private static let enough = MilliSatoshi.totalSupply

    private func submission(_ errand: CrashErrand) -> JobSubmission {
        orders += 1
        let ceiling: MilliSatoshi? =
            switch errand {
            case .buy, .crowd, .misfit, .regret: Self.enough
            case .drop, .withdraw: nil
            }
        let profile = errand == .misfit ? "other" : "demo"
        return JobSubmission(
            to: sellerID,
            taskKind: V01.llmChat,
            input: Redacted(Array("prompt \(orders)".utf8)),
            // A profile always encodes.
            params: (try? V01.LLMChatParams(profile: profile).encoded()) ?? [],
            ceiling: ceiling
        )
    }

    /// Waits for a job's answer, which must be its own.
    private func finish(_ job: BusJobKey, of order: JobSubmission) async throws {
        let start = ContinuousClock.now
        let ended = try await buyer.wait(for: job) { $0.isEnd }
        slowest = max(slowest, .now - start)
        let result = try await persistently { try await self.buyer.result(of: job) }
        #expect(ended.view.stage == .done, "\(result.job.view.failure)")
        let prompt = order.input.reveal("the answer is compared")
        let isRight = result.output?.reveal("it is compared") == backend.answer(to: prompt)
        #expect(isRight, "\(job.name) has another answer than its own")
        if isRight { jobs.answered.insert(job) }
    }

    // MARK: - The network

    private func wallet(_ state: String) async throws {
        try await control("wallet", "alice", state)
    }

    func control(_ arguments: String...) async throws {
        let outcome = try await Program(name: "lcp-simnet")
            .run(["ctl"] + arguments + ["--dir", "\(network.directory)/simnet"])
        try #require(outcome.status == .exited(0), "\(arguments): \(outcome.errors)")
    }

    // MARK: - Checks

    private func check(_ occasion: String) async throws {
        let findings = try await audit.books(jobs)
        #expect(findings == [], "\(occasion)")
    }

    private func rest() async throws {
        let findings = try await audit.rest(jobs)
        #expect(findings == [], "at the end")
        try await check("the end")
    }
}
