import BridgeProtocol
import BusClient
import FoundationEssentials
import LCPWire
import LightningTypes
import LocalNetwork
import Synchronization

/// Buys the jobs of a demonstration, many at a time, and counts how they end.
final class DemoMarket: Sendable {
    /// How the jobs ended so far.
    struct Counts: Sendable {
        var ok = 0
        var failed = 0
        var unanswered = 0
        var kills = 0
        /// How long each job took, from its submission to its end.
        var latencies: [Duration] = []
        /// Why jobs failed, as short labels with their number.
        var reasons: [String: Int] = [:]

        var ended: Int { ok + failed + unanswered }
    }

    private let buyer: BusClient
    private let seller: NodeID
    private let prompt: String
    private let state = Mutex(Counts())
    private let ends: AsyncStream<Int>
    private let end: AsyncStream<Int>.Continuation

    init(_ buyer: BusClient, seller: NodeID, prompt: String) {
        self.buyer = buyer
        self.seller = seller
        self.prompt = prompt
        (ends, end) = AsyncStream.makeStream()
    }

    var counts: Counts { state.withLock { $0 } }

    /// How many jobs have ended, each time one does; for one reader.
    var progress: AsyncStream<Int> { ends }

    /// A job's submission; the number makes prompts differ.
    func submission(_ number: Int, ceiling: MilliSatoshi?) throws -> JobSubmission {
        JobSubmission(
            to: seller,
            taskKind: V01.llmChat,
            input: Redacted(Array((number == 0 ? prompt : "\(prompt) (\(number))").utf8)),
            params: try V01.LLMChatParams(profile: "demo").encoded(),
            ceiling: ceiling
        )
    }

    /// Buys so many jobs, so many at a time; a job that fails is counted and ends nothing.
    func buy(_ jobs: Int, concurrency: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<jobs {
                if number >= concurrency { try await group.next() }
                group.addTask { try await self.buyOne(number) }
            }
            try await group.waitForAll()
        }
        end.finish()
    }

    /// Takes an end that somebody else has followed.
    func count(_ job: BusJob, took duration: Duration) {
        let ended = state.withLock { counts in
            switch job.view.stage {
            case .done: counts.ok += 1
            case .unanswered: counts.unanswered += 1
            default:
                counts.failed += 1
                counts.reasons[job.view.failure.code, default: 0] += 1
            }
            counts.latencies.append(duration)
            return counts.ended
        }
        end.yield(ended)
    }

    /// Takes note of a kill.
    func countKill() { state.withLock { $0.kills += 1 } }

    private func buyOne(_ number: Int) async throws {
        let start = ContinuousClock.now
        do {
            // Enough for any price of the demonstration; the money is not real.
            let order = try submission(number, ceiling: MilliSatoshi(msat: 1_000_000))
            let submitted = try await buyer.submit(order)
            let ended = try await buyer.watch([submitted.key]) { states in
                try await states.first { $0.view.stage.isEnd }
            }
            count(ended ?? submitted, took: .now - start)
        } catch let error as BusClientError {
            var job = BusJob()
            job.view.stage = .failed
            job.view.failure.code = error.label
            count(job, took: .now - start)
        }
    }
}

extension DemoMarket.Counts {
    /// The latency that a share of the jobs did not exceed; nil without jobs.
    func latency(_ share: Double) -> Duration? {
        guard !latencies.isEmpty else { return nil }
        let sorted = latencies.sorted()
        let rank = Int((share * Double(sorted.count)).rounded(.up)) - 1
        return sorted[min(max(rank, 0), sorted.count - 1)]
    }
}
