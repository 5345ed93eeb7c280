import BridgeProtocol
import BusClient
import LightningTypes
import Synchronization

/// Gets many jobs done, so many at a time, and counts how they end.
final class LoadRun: Sendable {
    private struct State {
        var tally = LoadTally()
        var underWay: [Int: BusJobKey] = [:]
        var isStopped = false
        var isLimitReached = false
    }

    /// What became of one job.
    private struct Outcome {
        var end: LoadEnd
        var timeline = JobTimeline()
        /// The job as it stood last; nil when it is not known whether there is one.
        var job: BusJob?
        /// Whether nothing was paid and nothing will be.
        var isFree = false
    }

    /// What the jobs are.
    let plan: LoadPlan

    private let client: BusClient
    private let limit: SpendingLimit
    private let state = Mutex(State())
    private let ends: AsyncStream<Int>
    private let end: AsyncStream<Int>.Continuation

    /// Makes a load; several may share a spending limit.
    init(_ plan: LoadPlan, at client: BusClient, within limit: SpendingLimit) {
        self.plan = plan
        self.client = client
        self.limit = limit
        // Holds a number for each job at most.
        (ends, end) = AsyncStream.makeStream()
    }

    /// How the jobs ended so far.
    var tally: LoadTally { state.withLock { $0.tally } }

    /// Whether ``stop()`` was called.
    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Whether jobs were not begun because they might have exceeded the spending limit.
    var isLimitReached: Bool { state.withLock { $0.isLimitReached } }

    /// How many jobs have ended, when one does; for one reader.
    var progress: AsyncStream<Int> { ends }

    /// Does so many jobs; a job that fails is counted and ends nothing.
    ///
    /// Returns early when it is stopped or the spending limit leaves no room for another job.
    func run(_ jobs: Int, concurrency: Int) async throws {
        defer { end.finish() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            var running = 0
            for number in 0..<jobs {
                if running >= concurrency {
                    try await group.next()
                    running -= 1
                }
                while !isStopped, !limit.reserve(plan.ceiling ?? .zero) {
                    // Most jobs cost less than they might: each end makes room.
                    guard running > 0 else {
                        state.withLock { $0.isLimitReached = true }
                        return
                    }
                    try await group.next()
                    running -= 1
                }
                if isStopped { break }
                running += 1
                state.withLock { $0.tally.begin() }
                group.addTask { try await self.runOne(number) }
            }
            try await group.waitForAll()
        }
    }

    /// Begins no more jobs; ``run(_:concurrency:)`` returns when those under way have ended.
    func stop() { state.withLock { $0.isStopped = true } }

    /// Takes a job in that somebody else has followed to its end.
    func count(_ job: BusJob, _ timeline: JobTimeline) {
        state.withLock { $0.tally.begin() }
        count(Outcome(end: plan.end(of: job), timeline: timeline, job: job))
    }

    // MARK: - One job

    private func runOne(_ number: Int) async throws {
        let order = try plan.submission(number, ceiling: plan.ceiling)
        let outcome =
            if let timeout = plan.timeout {
                try await within(timeout) { try await self.follow(order, number) }
            } else {
                try await follow(order, number)
            }
        let job = state.withLock { $0.underWay.removeValue(forKey: number) }
        // Its time is over. When nobody takes the order, the quote's own end does it.
        if outcome == nil, let job { _ = try? await client.cancel(job) }
        count(outcome ?? Outcome(end: .left))
    }

    private func follow(_ order: JobSubmission, _ number: Int) async throws -> Outcome {
        let start = ContinuousClock.now
        do {
            let submitted = try await client.submit(order)
            state.withLock { $0.underWay[number] = submitted.key }
            let (job, timeline) = try await client.watch([submitted.key]) { states in
                var timeline = JobTimeline(start: start)
                while let job = try await states.next() {
                    timeline.note(job.view.stage)
                    if plan.isReached(by: job) { return (job, timeline) }
                }
                throw CancellationError()
            }
            return try await conclude(job, timeline)
        } catch let error as BusClientError {
            // Refused before it was durable, it is no job at all.
            let isFree = error.code == .refused && state.withLock { $0.underWay[number] == nil }
            return Outcome(end: .failed(error.label), isFree: isFree)
        }
    }

    /// Fetches what was bought, and drops what was only quoted.
    private func conclude(_ job: BusJob, _ timeline: JobTimeline) async throws -> Outcome {
        var outcome = Outcome(end: plan.end(of: job), timeline: timeline, job: job)
        switch job.view.stage {
        case .quoted: outcome.job = try await client.cancel(job.key)
        case .done:
            let result = try await client.result(of: job.key, atLeast: job.version)
            outcome.timeline.noteDelivery()
            if result.output == nil { outcome.end = .failed("not-kept") }
        case .quoting, .paying, .running, .failed, .cancelled, .unanswered, .paidFailed,
            .unspecified, .UNRECOGNIZED:
            break
        }
        return outcome
    }

    private func count(_ outcome: Outcome) {
        let view = outcome.job?.view
        let (price, fee) =
            switch view?.stage {
            case .done, .unanswered, .paidFailed:
                (MilliSatoshi(msat: view?.priceMsat ?? 0), MilliSatoshi(msat: view?.feeMsat ?? 0))
            default: (MilliSatoshi.zero, MilliSatoshi.zero)
            }
        // A job that is left may still be paid: what was set aside for it stays aside.
        if outcome.isFree || outcome.job != nil {
            limit.settle(plan.ceiling ?? .zero, spent: price.adding(fee) ?? price)
        }
        let ended = state.withLock { state in
            state.tally.count(outcome.end, outcome.timeline)
            state.tally.count(price: price, fee: fee)
            return state.tally.ended
        }
        end.yield(ended)
    }
}
