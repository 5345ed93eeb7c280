import BridgeProtocol
import LightningTypes
import LndRPC

/// One committed payment on its way to certainty (design 4, "Paying").
///
/// Pure: no clock, no I/O, no randomness. Three things are kept apart: what is *wanted* (the
/// ``order``), what may have *happened* (``doubts``), and what is being *done* (the ``state``).
/// While a call's outcome is unknown, only lnd's word ends the payment: a success, a failure that
/// no lingering call can undo, or NotFound said after the invoice can't be paid any more.
struct PaymentCourse: Equatable, Sendable {
    /// What the job wants, as told since this process began.
    enum Order: Equatable, Sendable {
        /// Nobody has said; a call made before is followed, none is made.
        case none
        /// Pay.
        case pay
        /// Make no further call, and tell this cause if none has led to anything.
        case stop(BusPaymentFailed.Cause, BusFailure?)
    }

    /// What is being done.
    enum State: Equatable, Sendable {
        /// Nothing; an order is awaited.
        case waiting
        /// The journal is told that a call is about to be made.
        case recording
        /// SendPaymentV2 is under way since then, after so many calls of unknown outcome.
        case sending(doubtsBefore: Int, since: UnixTime)
        /// TrackPaymentV2 is under way since then.
        case asking(since: UnixTime)
        /// Something failed; on it goes after a while.
        case pausing
        /// Nothing will change any more.
        case ended
    }

    /// What happened.
    enum Event: Equatable, Sendable {
        /// The job's effect `Pay` is committed and stands.
        case begin
        /// Make no further call.
        case stop(BusPaymentFailed.Cause, BusFailure?)
        /// lnd is ready, perhaps after it was away.
        case lndReady
        /// The journal has it that a call is about to be made.
        case recorded
        /// The journal could not take that now.
        case notRecorded
        /// The call under way told the payment's state.
        case told(Payment.Status, fee: MilliSatoshi, createdAt: UnixTime)
        /// The call under way ended; nil without an error.
        case callEnded(LndError?)
        /// The pause is over.
        case pauseOver
        /// The time after which a payment that still runs is worth a word.
        case takesItsTime
    }

    /// What to do next; it replaces what was being done.
    enum Next: Equatable, Sendable {
        /// Tell the journal that a call is about to be made.
        case record
        /// Call SendPaymentV2 with this timeout.
        case send(timeoutSeconds: UInt32)
        /// Call TrackPaymentV2.
        case ask
        /// Come back after a while.
        case pause(Duration)
    }

    /// What follows from an event.
    struct Reaction: Equatable, Sendable {
        /// What to do next; nil goes on with what is being done.
        var next: Next?
        /// What the job must hear.
        var report: PaymentOutcome.Result?
    }

    /// The times that bound a payment.
    struct Terms: Equatable, Sendable {
        /// When the intent was committed.
        var intendedAt: UnixTime
        /// No call may be made after this.
        var notAfter: UnixTime
        /// When NotFound means "never": the invoice's expiry plus a margin for clocks that differ
        /// and calls that linger; nil when the invoice can't be read any more.
        var hopelessAfter: UnixTime?
        /// How long lnd may begin new attempts.
        var attemptSeconds: UInt32
        /// How long a lost call may linger on its way to an lnd that answers others.
        var lingerSeconds: UInt64
        /// How long to pause after failures.
        var backoff: RetryBackoff
    }

    let terms: Terms
    private(set) var order = Order.none
    private(set) var state = State.waiting
    /// How many calls may have begun something, or still may.
    ///
    /// More than one after NotFound was answered by another call: the first may linger on its way
    /// and still be carried out, since lnd lets a failed hash be tried again.
    private(set) var doubts: Int
    /// Until when such a call may linger.
    private var lingersUntil = UnixTime(seconds: 0)
    /// Whether an earlier process may have made calls, and nobody knows how many.
    private let isInherited: Bool
    private var isRecorded: Bool
    /// Whether the present call has shown the payment.
    private var isSeen = false
    private var isReported = false
    private var failures = 0

    /// Takes up a committed payment.
    ///
    /// - Parameters:
    ///   - terms: Its times.
    ///   - attempted: Whether a call may have been made before; true for all found at a start.
    ///   - now: The bridge's clock.
    init(_ terms: Terms, attempted: Bool, now: UnixTime) {
        self.terms = terms
        isInherited = attempted
        lingersUntil = now.advanced(bySeconds: attempted ? terms.lingerSeconds : 0)
        doubts = attempted ? 1 : 0
        isRecorded = attempted
    }

    /// Takes note of what happened.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - now: The bridge's clock.
    ///   - jitter: A random number from 0 up to 1.
    /// - Returns: What follows.
    mutating func handle(_ event: Event, now: UnixTime, jitter: Double) -> Reaction {
        switch event {
        case .begin:
            // A job that was told to stop has no order to pay any more.
            guard order == .none else { return Reaction() }
            order = .pay
            return isIdle ? goOn(now) : Reaction()
        case .stop(let cause, let failure):
            if case .stop = order { return Reaction() }
            order = .stop(cause, failure)
            // A call under way is followed to its end.
            guard isIdle, doubts == 0 else { return Reaction() }
            return goOn(now)
        case .lndReady:
            failures = 0
            return isIdle ? goOn(now) : Reaction()
        case .pauseOver:
            return state == .pausing ? goOn(now) : Reaction()
        case .takesItsTime:
            return Reaction(report: doubts > 0 ? reportInFlight() : nil)
        case .recorded:
            guard state == .recording else { return Reaction() }
            isRecorded = true
            return goOn(now)
        case .notRecorded:
            return state == .recording ? pause(now, jitter) : Reaction()
        case .told(let status, let fee, let createdAt):
            return told(status, fee, createdAt, now, jitter)
        case .callEnded(let error):
            return callEnded(error, now, jitter)
        }
    }

    // MARK: - Moves

    private var isIdle: Bool { state == .waiting || state == .pausing }

    /// Decides what to do when nothing is being done.
    private mutating func goOn(_ now: UnixTime) -> Reaction {
        if doubts > 0 {
            // After a restart, and after any lost call: ask before anything else.
            state = .asking(since: now)
            return Reaction(next: .ask)
        }
        switch order {
        case .none:
            state = .waiting
            return Reaction()
        case .stop(let cause, let failure):
            return end(.failed(cause, failure))
        case .pay:
            guard now < terms.notAfter else { return end(.failed(.tooLate, nil)) }
            guard isRecorded else {
                state = .recording
                return Reaction(next: .record)
            }
            return send(now)
        }
    }

    /// Calls; `now` is before `notAfter`, and lnd's own timeout fits between.
    private mutating func send(_ now: UnixTime) -> Reaction {
        state = .sending(doubtsBefore: doubts, since: now)
        doubts += 1
        isSeen = false
        let left = terms.notAfter.seconds - now.seconds
        let seconds = UInt32(min(left, UInt64(terms.attemptSeconds)))
        return Reaction(next: .send(timeoutSeconds: max(seconds, 1)))
    }

    private mutating func told(
        _ status: Payment.Status,
        _ fee: MilliSatoshi,
        _ createdAt: UnixTime,
        _ now: UnixTime,
        _ jitter: Double
    ) -> Reaction {
        switch state {
        case .sending, .asking: break
        case .waiting, .recording, .pausing, .ended: return Reaction()
        }
        switch status {
        case .initiated, .inFlight:
            failures = 0
            isSeen = true
            // What is learned by asking has taken its time already.
            guard case .asking = state else { return Reaction() }
            return Reaction(report: reportInFlight())
        case .succeeded(let preimage?):
            return end(.succeeded(preimage, fee: fee))
        case .succeeded(nil):
            // Money has gone and the proof is missing: not to be concluded in either way.
            return pause(now, jitter)
        case .failed(let reason):
            return failed(BusFailure(reason), createdAt, now, jitter)
        }
    }

    /// lnd gave a payment of this hash up; final unless another call may be on its way.
    private mutating func failed(
        _ failure: BusFailure,
        _ createdAt: UnixTime,
        _ now: UnixTime,
        _ jitter: Double
    ) -> Reaction {
        let isOnlyCall: Bool
        let since: UnixTime
        switch state {
        case .sending(let doubtsBefore, let start):
            (isOnlyCall, since) = (doubtsBefore == 0, start)
        case .asking(let start):
            // An earlier order for the same hash: ours has not reached lnd.
            guard createdAt >= terms.intendedAt else { return notFound(start, now, jitter) }
            (isOnlyCall, since) = (doubts <= 1 && !isInherited, start)
        case .waiting, .recording, .pausing, .ended:
            return Reaction()
        }
        guard isOnlyCall || since > lingersUntil else { return pause(now, jitter) }
        return end(.failed(.lnd, failure))
    }

    private mutating func callEnded(
        _ error: LndError?,
        _ now: UnixTime,
        _ jitter: Double
    ) -> Reaction {
        switch state {
        case .sending(let doubtsBefore, _):
            // A stream that ends in good order before the payment does says nothing.
            switch error.map({ SendVerdict($0.code) }) ?? .unknown {
            case .refused:
                if !isSeen { doubts = doubtsBefore }
                guard doubts == 0, let error else { return pause(now, jitter) }
                return end(.failed(.lnd, BusFailure(error)))
            case .notBegun:
                if !isSeen { doubts = doubtsBefore }
                return pause(now, jitter)
            case .exists:
                // Without a call of ours before, somebody else pays the same invoice.
                doubts = max(doubtsBefore, 1)
                return pause(now, jitter)
            case .unknown:
                if !isSeen { lingersUntil = now.advanced(bySeconds: terms.lingerSeconds) }
                return pause(now, jitter)
            case .over:
                state = .pausing
                return Reaction()
            }
        case .asking(let since):
            switch error.map({ TrackVerdict($0.code) }) ?? .unknown {
            case .notFound: return notFound(since, now, jitter)
            case .unknown: return pause(now, jitter)
            case .over:
                state = .pausing
                return Reaction()
            }
        case .waiting, .recording, .pausing, .ended:
            return Reaction()
        }
    }

    /// lnd has no such payment, as of when it was asked; a call made before may still reach it.
    private mutating func notFound(
        _ since: UnixTime,
        _ now: UnixTime,
        _ jitter: Double
    ) -> Reaction {
        if isHopeless(since) {
            guard case .stop(let cause, let failure) = order else {
                return end(.failed(.tooLate, nil))
            }
            return end(.failed(cause, failure))
        }
        // lnd pays a hash once, so that trying the same one again is the one safe thing to do. Every
        // way back to here leads through a pause.
        if order == .pay, now < terms.notAfter { return send(now) }
        return pause(now, jitter)
    }

    /// Whether no call can begin anything any more, so that what lnd said then is final.
    private func isHopeless(_ since: UnixTime) -> Bool {
        terms.hopelessAfter.map { since > $0 } ?? false
    }

    private mutating func pause(_ now: UnixTime, _ jitter: Double) -> Reaction {
        if doubts == 0, case .stop = order { return goOn(now) }
        failures += 1
        state = .pausing
        var pause = terms.backoff.pause(after: failures, jitter: jitter)
        // Whoever waits for `notAfter` shall hear of it in time.
        if doubts == 0, order == .pay, now < terms.notAfter {
            pause = min(pause, .seconds(terms.notAfter.seconds - now.seconds))
        }
        return Reaction(next: .pause(pause))
    }

    private mutating func reportInFlight() -> PaymentOutcome.Result? {
        guard state != .ended, !isReported else { return nil }
        isReported = true
        return .inFlight
    }

    private mutating func end(_ result: PaymentOutcome.Result) -> Reaction {
        state = .ended
        return Reaction(report: result)
    }
}
