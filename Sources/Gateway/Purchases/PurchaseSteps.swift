import BridgeProtocol
import BusClient
import LightningTypes
import Logging

/// Buys one job over the bus and follows it to its end.
///
/// Every step may be repeated, by this process or another: submissions by their key, acceptances by
/// their job. So whatever ends in the middle, a repetition goes on with the same job.
struct PurchaseSteps: Sendable {
    /// Where a purchase begins.
    enum Start: Sendable {
        /// Nothing is known of it: the first of these is bought, or the cheapest.
        case buy([JobSubmission])
        /// An earlier process has made the job.
        case follow(BusJob)
    }

    let client: BusClient
    let keys: KeyRing
    let limits: PurchaseLimits
    let logger: Logger

    /// Goes from the start to the end, or as far as this process gets.
    ///
    /// - Returns: The ending; nil when this process stops following the job.
    func run(_ purchase: Purchase, _ start: Start, for account: KeyID) async -> PurchaseEnding? {
        let ending: PurchaseEnding?
        do {
            let job: BusJob
            switch start {
            case .buy(let submissions):
                job = try await client.submit(try await choose(among: submissions))
            case .follow(let known): job = known
            }
            ending = try await follow(job, of: purchase, for: account)
        } catch let refusal as Refusal {
            ending = PurchaseEnding(refusal: refusal, isUnpaid: true)
        } catch let error as BusClientError {
            // Nothing was accepted by this process: after an acceptance nothing but the end leads out
            // of `follow`. What an earlier one did, the bridge has to say.
            ending = PurchaseEnding(
                job: purchase.job,
                refusal: Refusal(beforePayment: error),
                isUnpaid: false
            )
        } catch {
            return nil
        }
        if let job = ending?.job, let cost = Reservation.cost(of: job) {
            await keys.settle(purchase.key, spent: cost)
        }
        return ending
    }

    // MARK: - The job

    private func follow(
        _ job: BusJob,
        of purchase: Purchase,
        for account: KeyID
    ) async throws -> PurchaseEnding {
        var refusal: Refusal?
        if !purchase.note(job) { refusal = try await giveUp(job, because: .stopping) }
        if let ending = Self.ending(job, refusal) { return ending }
        while true {
            do {
                return try await client.watch([job.key]) { states in
                    while let job = try await states.next() {
                        _ = purchase.note(job)
                        if let ending = Self.ending(job, refusal) { return ending }
                        switch job.view.stage {
                        case .quoted where refusal == nil:
                            refusal = try await decide(job, of: purchase, for: account)
                        case .paying, .running: _ = purchase.beginPaying(job)
                        default: break
                        }
                    }
                    throw CancellationError()
                }
            } catch let error as BusClientError {
                // A watch that the bridge has no room for ends; what is paid is followed all the same.
                guard purchase.isPaying, error.code != .closed else { throw error }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// The ending that a job's stage is; nil while it goes on.
    private static func ending(_ job: BusJob, _ refusal: Refusal?) -> PurchaseEnding? {
        switch job.view.stage {
        case .done: PurchaseEnding(job: job, isUnpaid: false)
        case .failed, .cancelled:
            PurchaseEnding(job: job, refusal: refusal ?? Refusal(endOf: job), isUnpaid: true)
        case .unanswered, .paidFailed:
            PurchaseEnding(job: job, refusal: Refusal(endOf: job), isUnpaid: false)
        case .quoting, .quoted, .paying, .running, .unspecified, .UNRECOGNIZED: nil
        }
    }

    /// Buys at the price of the quote, or gives the job up.
    ///
    /// - Returns: Why it was given up.
    private func decide(
        _ job: BusJob,
        of purchase: Purchase,
        for account: KeyID
    ) async throws -> Refusal? {
        let price = MilliSatoshi(msat: job.view.priceMsat)
        guard price <= limits.ceiling else {
            return try await giveUp(job, because: .priceAbove(limits.ceiling, price))
        }
        do {
            try await keys.reserve(limits.most(price), by: account, for: purchase.key)
        } catch let refusal as BudgetRefusal {
            return try await giveUp(job, because: .budget("\(refusal)"))
        } catch let error as KeyRingError {
            logger.error("nothing can be reserved", metadata: ["error": "\(error)"])
            let refusal = Refusal.unavailable("budgets can't be kept now", "budgets_unavailable")
            return try await giveUp(job, because: refusal)
        }
        guard purchase.beginPaying(job) else { return try await giveUp(job, because: .stopping) }
        try await accept(job, upTo: price)
        return nil
    }

    /// Accepts until the bridge has heard it: from here on nobody can say that nothing is paid.
    private func accept(_ job: BusJob, upTo price: MilliSatoshi) async throws {
        while true {
            do {
                _ = try await client.accept(job.key, upTo: price)
                return
            } catch let error as BusClientError where error.failure == nil {
                // The bridge is away; the job waits in its journal.
                try await Task.sleep(for: .seconds(1))
            } catch let error as BusClientError {
                // Too late, or given up: the job's own end says what became of it.
                guard error.failure?.retryable == true else { return }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func giveUp(_ job: BusJob, because refusal: Refusal) async throws -> Refusal {
        _ = try await client.cancel(job.key)
        return refusal
    }

    // MARK: - Comparing

    /// Asks every peer for a quote and drops them all; the cheapest one's job is then made anew.
    ///
    /// One purchase has one submission, whatever dies in between: quotes that are only compared are
    /// jobs of their own that nobody ever accepts.
    private func choose(among submissions: [JobSubmission]) async throws -> JobSubmission {
        guard submissions.count > 1 else {
            guard let only = submissions.first else { throw Refusal.defect }
            return only
        }
        let prices = await withTaskGroup(of: (Int, MilliSatoshi)?.self) { group in
            for (index, submission) in submissions.enumerated() {
                group.addTask { await price(of: submission).map { (index, $0) } }
            }
            var prices: [(Int, MilliSatoshi)] = []
            for await price in group { if let price { prices.append(price) } }
            return prices
        }
        // Equal prices go to the preferred peer.
        guard let cheapest = prices.min(by: { ($0.1, $0.0) < ($1.1, $1.0) }) else {
            throw Refusal.unavailable("no provider has quoted in time", "provider_unavailable")
        }
        return submissions[cheapest.0]
    }

    private func price(of submission: JobSubmission) async -> MilliSatoshi? {
        let question = JobSubmission(
            to: submission.peer,
            taskKind: submission.taskKind,
            input: submission.input,
            params: submission.params
        )
        guard let job = try? await client.submit(question) else { return nil }
        let quoted = try? await within(limits.comparison) {
            try await client.watch([job.key]) { states in
                try await states.first { $0.view.stage != .quoting }
            }
        }
        _ = try? await client.cancel(job.key)
        guard let quoted = quoted ?? nil, quoted.view.stage == .quoted else { return nil }
        return MilliSatoshi(msat: quoted.view.priceMsat)
    }
}
