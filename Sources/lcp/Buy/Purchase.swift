import ArgumentParser
import BridgeProtocol
import BusClient
import LightningTypes
import Synchronization

/// One job from its submission to its end, as a person or a script follows it.
///
/// Holds the newest state that was seen, so that an interruption can say how to go on.
final class Purchase: Sendable {
    private struct State {
        var job: BusJob?
        var accepted = false
        var refusal: CommandError?
        var elapsed: [BusJobStage: Duration] = [:]
    }

    private let state = Mutex(State())
    private let start = ContinuousClock.now
    private let progress: Progress

    init(progress: Progress) { self.progress = progress }

    /// The newest state; nil before the job is known to exist.
    var job: BusJob? { state.withLock { $0.job } }

    /// When this process saw each stage first, since its start.
    var elapsed: [BusJobStage: Duration] { state.withLock { $0.elapsed } }

    // MARK: - Steps

    /// Submits and waits for the quote, or for the end when there will be none.
    ///
    /// The job's id is printed as soon as the job is durable, long before any money moves.
    func quote(_ submission: JobSubmission, from client: BusClient) async throws -> BusJob {
        let job = try await client.submit(submission)
        progress.say(job: job)
        note(job)
        return try await follow(job.key, client) { $0.view.stage != .quoting }
    }

    /// Buys a quoted job and waits for its end.
    func buy(_ job: BusJob, upTo ceiling: MilliSatoshi, from client: BusClient) async throws
        -> BusJob
    {
        state.withLock { $0.accepted = true }
        note(try await client.accept(job.key, upTo: ceiling))
        return try await follow(job.key, client) { $0.view.stage.isEnd }
    }

    /// Shows the price and asks whether to pay it.
    func confirm(_ job: BusJob) async throws -> Bool {
        try await progress.pausing {
            try await Question.confirm("Pay \(Words.sats(job.view.priceMsat)), plus routing fees?")
        }
    }

    /// Does not buy a quoted job, because of its price: drops it and remembers why.
    func refuse(_ job: BusJob, _ why: String, from client: BusClient) async throws -> BusJob {
        let error = CommandError(
            code: "refused-by-price",
            detail: "the price is \(Words.sats(job.view.priceMsat)); \(why)",
            status: ExitStatus.refusedByPrice
        )
        state.withLock { $0.refusal = error }
        let dropped = try await client.cancel(job.key)
        note(dropped)
        return dropped
    }

    /// Waits until a job is as the caller wants it.
    func follow(
        _ key: BusJobKey,
        _ client: BusClient,
        until isReached: @Sendable (BusJob) -> Bool
    ) async throws -> BusJob {
        try await client.watch([key]) { states in
            while let job = try await states.next() {
                self.note(job)
                if isReached(job) { return job }
            }
            throw CancellationError()
        }
    }

    private func note(_ job: BusJob) {
        let isNew = state.withLock { state in
            guard state.job.map({ $0.version <= job.version }) ?? true else { return false }
            state.job = job
            if state.elapsed[job.view.stage] == nil {
                state.elapsed[job.view.stage] = ContinuousClock.now - start
            }
            return true
        }
        if isNew { progress.show(job) }
    }

    // MARK: - The end

    /// What the end of a job means for the exit code; nil for success.
    func failure(of job: BusJob) -> CommandError? {
        if let refusal = state.withLock({ $0.refusal }) { return refusal }
        let id = Hex.encode(job.key.jobID)
        let why = job.view.failure
        let reason =
            [why.detail.isEmpty ? why.code : why.detail, why.advice].filter { !$0.isEmpty }
            .joined(separator: "; ")
        switch job.view.stage {
        case .done: return nil
        case .unanswered:
            return CommandError(
                code: "unanswered",
                detail: """
                    paid, and no answer by the deadline; a later one is kept: lcp result \(id)
                    """,
                status: ExitStatus.unanswered
            )
        case .paidFailed:
            return CommandError(
                code: why.code.isEmpty ? "paid-failed" : why.code,
                detail: "paid, and the provider answered with an error: \(reason)",
                status: ExitStatus.paidFailed
            )
        case .cancelled:
            return CommandError(
                code: "cancelled",
                detail: "the job was cancelled; nothing was paid",
                status: ExitStatus.cancelled
            )
        case .failed where why.code == "already-paying":
            // It may have been paid before, so nothing is said of that.
            return CommandError(code: why.code, detail: reason, status: ExitStatus.paymentFailed)
        case .failed:
            let wasPaying = state.withLock { $0.elapsed[.paying] != nil }
            return wasPaying || why.code.hasPrefix("payment")
                ? CommandError(
                    code: why.code.isEmpty ? "payment-failed" : why.code,
                    detail: "the payment failed, nothing was paid: \(reason)",
                    status: ExitStatus.paymentFailed
                )
                : CommandError(
                    code: why.code.isEmpty ? "refused" : why.code,
                    detail: "no valid quote, nothing was paid: \(reason)",
                    status: ExitStatus.refusedByProvider
                )
        case .quoting, .quoted, .paying, .running, .unspecified, .UNRECOGNIZED:
            return CommandError(
                code: "not-ended",
                detail: "the job is \(job.view.stage.label)\(resumption(of: job))",
                status: ExitStatus.timedOut
            )
        }
    }

    /// How to go on with a job that this process stops following.
    func resumption(of job: BusJob) -> String {
        let id = Hex.encode(job.key.jobID)
        if job.view.stage.isEnd { return "; see it with: lcp result \(id)" }
        if !state.withLock({ $0.accepted }), [.quoting, .quoted].contains(job.view.stage) {
            return """
                ; nothing is paid. Buy it with: lcp accept \(id), or drop it with: lcp cancel \(id)
                """
        }
        return "; the job goes on. Fetch the answer with: lcp result \(id)"
    }
}
