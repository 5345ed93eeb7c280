import BridgeProtocol
import BusClient
import FoundationEssentials
import LCPWire
import LightningCrypto
import LightningTypes
import LocalNetwork
import MarketAudit

/// Buys jobs, many at a time, and takes note of how each ended.
actor ChaosMarket {
    /// How the jobs ended.
    struct Account: Sendable {
        var audited = AuditedJobs()
        /// How many jobs ended unpaid, by the reason the client was told.
        var unpaid: [String: Int] = [:]
        var slowest = (job: "", took: Duration.zero)
        var duration = Duration.zero
        /// What must not be: a paid job without its answer, a wrong answer, a job without an end.
        var findings: [String] = []
    }

    private let buyer: BusClient
    private let seller: NodeID
    private let patience: Duration
    private(set) var account = Account()
    private var ended = 0

    init(_ network: LocalNetwork, patience: Duration) async throws {
        buyer = try await network.client(of: "alice")
        seller = try await network.node("bob").id
        self.patience = patience
    }

    /// How far it has come.
    var progress: String { "\(ended) jobs, slowest \(account.slowest.took.seconds) s," }

    /// Buys so many jobs, so many at a time; returns when each has ended or is given up.
    func buy(_ jobs: Int, concurrency: Int) async {
        let start = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<jobs {
                if number >= concurrency { await group.next() }
                group.addTask { await self.buyOne(number) }
            }
            await group.waitForAll()
        }
        account.duration = .now - start
    }

    private func buyOne(_ number: Int) async {
        do {
            try await within(patience) { try await self.follow(number) }
        } catch {
            account.findings.append("job \(number): \(error)")
        }
        ended += 1
    }

    private func follow(_ number: Int) async throws {
        let start = ContinuousClock.now
        let prompt = Array("prompt \(number)".utf8)
        let order = JobSubmission(
            to: seller,
            taskKind: V01.llmChat,
            input: Redacted(prompt),
            params: try V01.LLMChatParams(profile: "demo").encoded(),
            // Enough for any price here; the money is not real.
            ceiling: MilliSatoshi(msat: 1_000_000)
        )
        let job = try await persistently { try await buyer.submit(order).key }
        let state = try await buyer.wait(for: job) { $0.isEnd }
        let took = ContinuousClock.now - start
        if took > account.slowest.took { account.slowest = (job.name, took) }
        switch state.view.stage {
        case .failed, .cancelled:
            account.unpaid[state.view.failure.code, default: 0] += 1
        case .done:
            let result = try await persistently { try await buyer.result(of: job) }
            // What the backend `deterministic` says to this prompt and to no other.
            let answer = Array("\(Hex.encode(SHA256.hash(prompt).bytes))\n".utf8) + prompt
            if result.output?.reveal("it is compared") == answer {
                account.audited.answered.insert(job)
            } else {
                account.findings.append("\(job.name) has another answer than its own")
            }
        default:
            account.findings.append(
                "\(job.name) ended \(state.view.stage): \(state.view.failure.code)"
            )
        }
    }
}

extension Duration {
    /// In seconds, rounded to tenths.
    var seconds: Double { (self / .milliseconds(100)).rounded() / 10 }
}
