package import BridgeProtocol
package import BusClient
package import LightningTypes
import Synchronization

/// What happened to a purchase, for a client that waits for it.
package enum PurchaseNews: Sendable {
    /// The price is known and agreed to; from here on the money may be gone.
    case paying(BusJob)
    /// It is over, or the gateway stops following it.
    case ended(PurchaseEnding)
    /// Nothing new, some seconds later.
    case stillThere
}

/// How a purchase ended.
package struct PurchaseEnding: Sendable {
    /// The job, when there is one.
    package var job: BusJob?
    /// Why there is no answer; nil when there is one.
    package var refusal: Refusal?
    /// Whether it is certain that nothing was paid and nothing will be.
    package var isUnpaid: Bool

    /// Whether the job itself is over, not only what this gateway does about it.
    package var isEnd: Bool {
        switch job?.view.stage {
        case .done, .failed, .cancelled, .unanswered, .paidFailed: true
        case .quoting, .quoted, .paying, .running, .unspecified, .UNRECOGNIZED, nil: false
        }
    }

    /// Takes all of it.
    package init(job: BusJob? = nil, refusal: Refusal? = nil, isUnpaid: Bool) {
        self.job = job
        self.refusal = refusal
        self.isUnpaid = isUnpaid
    }
}

/// One job that is bought for HTTP requests: the first, and those that repeat it.
///
/// It belongs to no request. Before it is paid it lasts as long as somebody waits for it; from then on
/// it goes on to its end, and the answer waits for whoever repeats the request.
package final class Purchase: Sendable {
    private enum Phase {
        case asking
        /// Everybody left, and the job is to be given up; the bridge may have paid before it hears that.
        case withdrawn
        case paying(BusJob)
        case ended(PurchaseEnding)
    }

    private struct State {
        var phase = Phase.asking
        /// Whether the bridge may pay without another word, once it has the submission.
        var isAgreed = false
        var job: BusJob?
        /// Whether it was told that the job is to be given up.
        var isGivenUp = false
        var clients: [UInt64: AsyncStream<PurchaseNews>.Continuation] = [:]
        var lastClient: UInt64 = 0
        var deliveredAt: ContinuousClock.Instant?
        var endedAt: ContinuousClock.Instant?

        func isForgotten(at now: ContinuousClock.Instant) -> Bool {
            guard let endedAt, clients.isEmpty else { return false }
            return now - max(endedAt, deliveredAt ?? endedAt) >= Purchase.memory
        }

        /// The job to give up; nil before there is one, and after it was told.
        mutating func giveUp() -> BusJobKey? {
            guard case .withdrawn = phase, let job, !isGivenUp else { return nil }
            isGivenUp = true
            return job.key
        }
    }

    /// Names it to the bridge.
    package let key: SubmissionKey
    /// The body of the request that it was bought for.
    package let body: Bytes32
    private let state = Mutex(State())
    private let withdraw: @Sendable (BusJobKey) -> Void

    /// Begins one.
    ///
    /// - Parameters:
    ///   - key: Names it to the bridge.
    ///   - body: The body of the request that it is bought for.
    ///   - withdraw: Called once when the last client has gone before a payment could begin, as soon
    ///     as there is a job; must not wait.
    package init(
        key: SubmissionKey,
        body: Bytes32,
        withdraw: @escaping @Sendable (BusJobKey) -> Void
    ) {
        self.key = key
        self.body = body
        self.withdraw = withdraw
    }

    // MARK: - Clients

    /// Lets a client wait for it.
    ///
    /// - Returns: Nil when it was withdrawn: nobody can wait for its answer, unless it turns out to be
    ///   paid.
    package func join() -> PurchaseTicket? { enter(evenWithdrawn: false) }

    /// Waits until it is known what became of a withdrawn purchase: given up, or paid all the same.
    ///
    /// - Returns: False when the bridge does not say it in time.
    package func isResolved() async -> Bool {
        guard isWithdrawn, let place = enter(evenWithdrawn: true) else { return true }
        defer { place.leave() }
        var patience = 3
        for await news in place.news {
            guard case .stillThere = news else { break }
            patience -= 1
            if patience == 0 { break }
        }
        return !isWithdrawn
    }

    private var isWithdrawn: Bool {
        state.withLock { state in
            if case .withdrawn = state.phase { true } else { false }
        }
    }

    private func enter(evenWithdrawn: Bool) -> PurchaseTicket? {
        let (news, continuation) = AsyncStream<PurchaseNews>.makeStream(
            bufferingPolicy: .bufferingNewest(4)
        )
        let id: UInt64? = state.withLock { state in
            switch state.phase {
            case .withdrawn where !evenWithdrawn: return nil
            case .asking, .withdrawn: break
            case .paying(let job): continuation.yield(.paying(job))
            case .ended(let ending): continuation.yield(.ended(ending))
            }
            state.lastClient += 1
            state.clients[state.lastClient] = continuation
            return state.lastClient
        }
        return id.map { PurchaseTicket(purchase: self, id: $0, news: news) }
    }

    fileprivate func leave(_ id: UInt64, isDelivered: Bool) {
        let (client, job) = state.withLock { state in
            let client = state.clients.removeValue(forKey: id)
            if client != nil, isDelivered { state.deliveredAt = .now }
            guard client != nil, state.clients.isEmpty, case .asking = state.phase else {
                return (client, BusJobKey?.none)
            }
            state.phase = .withdrawn
            return (client, state.giveUp())
        }
        client?.finish()
        if let job { withdraw(job) }
    }

    /// Tells every client that time has passed.
    package func tick() { tell(.stillThere) }

    private func tell(_ news: PurchaseNews) {
        for client in state.withLock({ Array($0.clients.values) }) { client.yield(news) }
    }

    /// How likely a repetition without a name is meant for it.
    package enum Claim: Sendable {
        /// Nobody waits for it and nobody has its answer.
        case wanted
        /// Somebody waits for it, or the answer was on its way to somebody, which says nothing of its
        /// arrival.
        case shared
        /// It is over for too long, or was never paid.
        case none
    }

    /// How likely a repetition without a name is meant for it.
    package func claim(at now: ContinuousClock.Instant) -> Claim {
        state.withLock { state in
            switch state.phase {
            case .withdrawn: return .none
            case .asking, .paying: return state.clients.isEmpty ? .wanted : .shared
            case .ended(let ending):
                guard !ending.isUnpaid, !state.isForgotten(at: now) else { return .none }
                return state.clients.isEmpty && state.deliveredAt == nil ? .wanted : .shared
            }
        }
    }

    /// Whether it is over for so long that no repetition without a name is meant for it.
    package func isForgotten(at now: ContinuousClock.Instant) -> Bool {
        state.withLock { $0.isForgotten(at: now) }
    }

    /// How long after its end, and after each delivery, an answer is meant for a repetition without a
    /// name.
    ///
    /// One that was delivered, too: the client may have given up just then, and waits some minutes
    /// before it asks again.
    package static let memory = Duration.seconds(900)

    /// How many wait for it.
    package var clients: Int { state.withLock { $0.clients.count } }

    // MARK: - Steps

    /// Notes where the job stands.
    ///
    /// - Returns: False when the purchase was withdrawn meanwhile, and the job is being given up.
    package func note(_ job: BusJob) -> Bool {
        let (isWanted, lost) = state.withLock { state in
            state.job = job
            guard case .withdrawn = state.phase else { return (true, BusJobKey?.none) }
            return (false, state.giveUp())
        }
        if let lost { withdraw(lost) }
        return isWanted
    }

    /// Notes whether the bridge may pay without another word: before it is submitted.
    package func note(isAgreed: Bool) { state.withLock { $0.isAgreed = isAgreed } }

    /// Passes the point from which the money may be gone, before the quote is accepted.
    ///
    /// - Returns: False when the purchase was withdrawn before.
    package func beginPaying(_ job: BusJob) -> Bool { enterPayment(job, evenWithdrawn: false) }

    /// Notes that the bridge pays, since the price was agreed to beforehand.
    ///
    /// A withdrawal came too late then: whoever repeats the request gets what is paid.
    package func notePayment(_ job: BusJob) { _ = enterPayment(job, evenWithdrawn: true) }

    private func enterPayment(_ job: BusJob, evenWithdrawn: Bool) -> Bool {
        let isFirst: Bool? = state.withLock { state in
            state.job = job
            switch state.phase {
            case .withdrawn where !evenWithdrawn: return nil
            case .asking, .withdrawn:
                state.phase = .paying(job)
                return true
            case .paying, .ended: return false
            }
        }
        if isFirst == true { tell(.paying(job)) }
        return isFirst != nil
    }

    /// Ends it; the first ending counts.
    package func end(_ ending: PurchaseEnding) {
        let isFirst = state.withLock { state in
            if case .ended = state.phase { return false }
            state.phase = .ended(ending)
            state.endedAt = .now
            return true
        }
        if isFirst { tell(.ended(ending)) }
    }

    /// Tells the clients of one that goes on that this gateway does not follow it any more.
    package func interrupt() {
        if let ending = leftAlone(because: .stopping) { tell(.ended(ending)) }
    }

    /// What a client hears that can't wait for the end; nil when there is one.
    ///
    /// - Parameter unpaid: Why it can't, for as long as it is certain that no payment has left.
    /// - Returns: An ending that is none of the job's.
    package func leftAlone(because unpaid: Refusal) -> PurchaseEnding? {
        state.withLock { state in
            let refusal: Refusal
            switch (state.phase, state.job?.view.stage) {
            case (.ended, _): return nil
            case (.paying, _), (_, .paying), (_, .running): refusal = .takesLong
            case (.asking, _), (.withdrawn, _): refusal = state.isAgreed ? .undecided : unpaid
            }
            return PurchaseEnding(job: state.job, refusal: refusal, isUnpaid: false)
        }
    }

    /// How it ended; nil while it goes on.
    package var ending: PurchaseEnding? {
        state.withLock { state in
            guard case .ended(let ending) = state.phase else { return nil }
            return ending
        }
    }

    /// Whether the quote is accepted and the end is not known.
    package var isPaying: Bool {
        state.withLock { state in
            if case .paying = state.phase { true } else { false }
        }
    }

    /// The job as it was last seen; nil before there is one.
    package var job: BusJob? { state.withLock { $0.job } }

    /// The peer that has the job.
    package var peer: NodeID? { state.withLock { $0.job.flatMap { NodeID($0.key.peer) } } }
}

/// A client's place at a purchase.
package final class PurchaseTicket: Sendable {
    /// The purchase.
    package let purchase: Purchase
    private let id: UInt64
    /// What happens; ends when the place is given up.
    package let news: AsyncStream<PurchaseNews>

    fileprivate init(purchase: Purchase, id: UInt64, news: AsyncStream<PurchaseNews>) {
        self.purchase = purchase
        self.id = id
        self.news = news
    }

    /// Gives the place up; harmless a second time.
    ///
    /// - Parameter isDelivered: Whether the client has got the answer.
    package func leave(isDelivered: Bool = false) { purchase.leave(id, isDelivered: isDelivered) }
}
