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
        /// Nothing is known of it: the first of these is bought, or the cheapest at the price that was
        /// compared.
        ///
        /// A purchase that its client named waits for an acceptance. Its repetitions are compared by
        /// the bridge, which takes the price limit for a part of the content; the operator may change
        /// that in between.
        case buy([JobSubmission], isNamed: Bool)
        /// An earlier process has made the job.
        case follow(BusJob)
    }

    /// What is to be bought, and up to which price.
    private struct Choice {
        var submission: JobSubmission
        var ceiling: MilliSatoshi
    }

    /// A job that is in the bridge.
    private struct Bargain {
        var job: BusJob
        /// The most that it may cost, routing fees apart.
        var ceiling: MilliSatoshi
        /// Whether the bridge pays that without another word.
        var isAgreed: Bool
    }

    let client: BusClient
    let keys: KeyRing
    let fees: FeeRules
    let limits: PurchaseLimits
    let logger: Logger

    /// Goes from the start to the end, or as far as this process gets.
    ///
    /// - Returns: The ending; nil when this process stops following the job.
    func run(_ purchase: Purchase, _ start: Start, for account: KeyID) async -> PurchaseEnding? {
        let ending: PurchaseEnding?
        do {
            let bargain: Bargain
            switch start {
            case .buy(let submissions, let isNamed):
                let choice = try await choose(among: submissions)
                let isAgreed =
                    isNamed ? false : await agree(to: choice.ceiling, of: purchase, for: account)
                purchase.note(isAgreed: isAgreed)
                let job = try await submit(choice, for: purchase, isAgreed: isAgreed)
                bargain = Bargain(job: job, ceiling: choice.ceiling, isAgreed: isAgreed)
            case .follow(let known):
                // What an earlier process has agreed to, the bridge has to say.
                purchase.note(isAgreed: true)
                bargain = Bargain(job: known, ceiling: limits.ceiling, isAgreed: true)
            }
            ending = try await follow(bargain, of: purchase, for: account)
        } catch let refusal as Refusal {
            ending = PurchaseEnding(refusal: refusal, isUnpaid: true)
        } catch let error as BusClientError {
            // Nothing but the end leads out of `follow` once a price was agreed to, unless this process
            // ends.
            ending = purchase.leftAlone(because: Refusal(beforePayment: error))
        } catch {
            return nil
        }
        if let job = ending?.job, let cost = Reservation.cost(of: job) {
            await keys.settle(purchase.key, spent: cost)
        }
        return ending
    }

    // MARK: - Agreeing beforehand

    /// Keeps the most that a job may cost, so that its quote can be paid without another round.
    ///
    /// - Returns: Whether that is kept. Else the price is waited for, which is mostly far below.
    private func agree(
        to ceiling: MilliSatoshi,
        of purchase: Purchase,
        for account: KeyID
    ) async -> Bool {
        guard let rule = try? await fees.now() else { return false }
        return await keys.reserveAhead(rule.most(ceiling), by: account, for: purchase.key)
    }

    /// Submits; from here on the bridge may pay what was agreed to.
    private func submit(
        _ choice: Choice,
        for purchase: Purchase,
        isAgreed: Bool
    ) async throws -> BusJob {
        var submission = choice.submission
        guard isAgreed else { return try await client.submit(submission) }
        submission.ceiling = choice.ceiling
        do {
            return try await client.submit(submission)
        } catch let error as BusClientError {
            // An answer may have been lost, and then the job goes on.
            if let job = try await job(of: submission.key) { return job }
            purchase.note(isAgreed: false)
            if error.failure != nil { await keys.settle(submission.key, spent: .zero) }
            throw error
        }
    }

    /// Asks for a submission's job until the bridge answers.
    private func job(of key: SubmissionKey) async throws -> BusJob? {
        while true {
            do {
                return try await client.job(submittedAs: key)
            } catch let error as BusClientError {
                guard error.failure == nil, error.code != .closed else { throw error }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    // MARK: - The job

    private func follow(
        _ bargain: Bargain,
        of purchase: Purchase,
        for account: KeyID
    ) async throws -> PurchaseEnding {
        let (job, ceiling) = (bargain.job, bargain.ceiling)
        var refusal: Refusal?
        _ = purchase.note(job)
        if let ending = Self.ending(job, refusal) { return ending }
        while true {
            do {
                return try await client.watch([job.key]) { states in
                    while let job = try await states.next() {
                        let isWithdrawn = !purchase.note(job)
                        if let ending = Self.ending(job, refusal) { return ending }
                        switch job.view.stage {
                        // Whoever was told of the withdrawal gives it up, without an end to that.
                        case .quoted where refusal == nil && !isWithdrawn:
                            refusal = try await decide(job, of: purchase, for: account, ceiling)
                        case .paying, .running: await notePayment(job, of: purchase)
                        default: break
                        }
                    }
                    throw CancellationError()
                }
            } catch let error as BusClientError {
                // A watch that the bridge has no room for ends; what may be paid is followed all the
                // same.
                guard bargain.isAgreed || purchase.isPaying, error.code != .closed else {
                    throw error
                }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func notePayment(_ job: BusJob, of purchase: Purchase) async {
        guard !purchase.isPaying else { return }
        purchase.notePayment(job)
        guard let rule = try? await fees.now() else { return }
        await keys.lower(purchase.key, to: rule.most(MilliSatoshi(msat: job.view.priceMsat)))
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
        for account: KeyID,
        _ ceiling: MilliSatoshi
    ) async throws -> Refusal? {
        let price = MilliSatoshi(msat: job.view.priceMsat)
        guard price <= limits.ceiling else {
            return try await giveUp(job, because: .priceAbove(limits.ceiling, price))
        }
        guard price <= ceiling else {
            return try await giveUp(job, because: .priceRaised(from: ceiling, to: price))
        }
        let most = try await fees.now().most(price)
        do {
            try await keys.reserve(most, by: account, for: purchase.key)
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
    /// jobs of their own that nobody ever accepts. What was compared is the most that is paid then:
    /// else a peer would quote low to be chosen.
    private func choose(among submissions: [JobSubmission]) async throws -> Choice {
        guard submissions.count > 1 else {
            guard let only = submissions.first else { throw Refusal.defect }
            return Choice(submission: only, ceiling: limits.ceiling)
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
        return Choice(
            submission: submissions[cheapest.0],
            ceiling: min(cheapest.1, limits.ceiling)
        )
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
