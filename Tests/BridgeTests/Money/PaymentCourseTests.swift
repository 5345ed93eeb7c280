import BridgeProtocol
import LCPTesting
import LightningTypes
import LndRPC
import Testing

@testable import Bridge

/// What each of lnd's words means for one payment.
@Suite struct PaymentCourseTests {
    // MARK: The tables

    static let sendVerdicts: [LndError.Code: SendVerdict] = [
        .walletNotCreated: .notBegun, .walletLocked: .notBegun, .waitingToStart: .notBegun,
        .starting: .notBegun, .notReached: .notBegun,
        .macaroonMissing: .refused, .macaroonInvalid: .refused, .permissionDenied: .refused,
        .macaroonFile: .refused, .unimplemented: .refused,
        .invoiceExpired: .refused, .invoiceInvalid: .refused, .wrongNetwork: .refused,
        .selfPayment: .refused, .invalidRequest: .refused,
        .alreadyPaid: .exists, .paymentInFlight: .exists,
        .cancelled: .over, .closed: .over,
        .serverExiting: .unknown, .unavailable: .unknown, .deadlineExceeded: .unknown,
        .malformedAnswer: .unknown, .other: .unknown, .paymentUnknown: .unknown,
        .peerNotConnected: .unknown, .peerDisconnected: .unknown, .messageTooLarge: .unknown,
        .typeNotCustom: .unknown, .alreadyConnected: .unknown, .cannotConnectToSelf: .unknown,
        .hasActiveChannels: .unknown, .invoiceUnknown: .unknown,
        .invoiceAlreadySettled: .unknown, .invoiceAlreadyCanceled: .unknown,
        .invoiceStillOpen: .unknown, .invoiceExists: .unknown,
    ]

    @Test(arguments: LndError.Code.allCases)
    func `every error of a call to pay has one meaning`(_ code: LndError.Code) {
        #expect(SendVerdict(code) == Self.sendVerdicts[code])
        // Where an answer was not read to its end, nothing may be concluded.
        if LndError(code, "").outcomeIsUnknown {
            #expect([.unknown, .over].contains(SendVerdict(code)))
        }
    }

    @Test(arguments: LndError.Code.allCases)
    func `of all errors of a question only one says that there is no payment`(
        _ code: LndError.Code
    ) {
        let expected: TrackVerdict =
            switch code {
            case .paymentUnknown: .notFound
            case .cancelled, .closed: .over
            default: .unknown
            }
        #expect(TrackVerdict(code) == expected)
    }

    // MARK: One payment

    private static let terms = PaymentCourse.Terms(
        intendedAt: UnixTime(seconds: 1000),
        notAfter: UnixTime(seconds: 1300),
        hopelessAfter: UnixTime(seconds: 2200),
        attemptSeconds: 60,
        lingerSeconds: 60,
        backoff: RetryBackoff(first: .seconds(1), limit: .seconds(60))
    )

    /// A course and what it said last.
    private struct Script {
        var course: PaymentCourse
        var now: UInt64 = 1001
        var last = PaymentCourse.Reaction()

        init(attempted: Bool = false) {
            course = PaymentCourse(
                terms,
                attempted: attempted,
                now: UnixTime(seconds: now)
            )
        }

        mutating func on(_ event: PaymentCourse.Event, at time: UInt64? = nil) {
            now = time ?? now
            last = course.handle(event, now: UnixTime(seconds: now), jitter: 0.999)
        }

        mutating func on(_ events: [PaymentCourse.Event]) { for event in events { on(event) } }

        var isPause: Bool { if case .pause? = last.next { true } else { false } }
    }

    private static func ended(_ code: LndError.Code) -> PaymentCourse.Event {
        .callEnded(LndError(code, "SendPaymentV2: test"))
    }

    private static func told(
        _ status: Payment.Status,
        createdAt: UInt64 = 1001
    ) -> PaymentCourse.Event {
        .told(status, fee: MilliSatoshi(msat: 7), createdAt: UnixTime(seconds: createdAt))
    }

    private static let preimage = Preimage(.zero)
    private static let success = PaymentOutcome.Result.succeeded(
        preimage,
        fee: MilliSatoshi(msat: 7)
    )

    @Test func `a payment is recorded, then called for, then known`() {
        var script = Script()
        script.on(.begin)
        #expect(script.last.next == .record)
        script.on(.recorded)
        #expect(script.last.next == .send(timeoutSeconds: 60))
        script.on(Self.told(.inFlight))
        #expect(script.last == PaymentCourse.Reaction())
        script.on(Self.told(.succeeded(Self.preimage)))
        #expect(script.last == PaymentCourse.Reaction(report: Self.success))
        #expect(script.course.state == .ended)
    }

    @Test func `lnd's own timeout ends before the time of the last call does`() {
        var script = Script()
        script.on(.begin)
        script.on(.recorded, at: 1290)
        #expect(script.last.next == .send(timeoutSeconds: 10))
    }

    @Test func `what comes too late is never called for`() {
        var script = Script()
        script.on(.begin, at: 1300)
        #expect(script.last.report == .failed(.tooLate, nil))
        script = Script()
        script.on(.begin)
        script.on(.recorded, at: 1300)
        #expect(script.last == PaymentCourse.Reaction(report: .failed(.tooLate, nil)))
    }

    /// What follows from each end of the one call that was ever made.
    @Test(arguments: LndError.Code.allCases)
    func `only a certain no ends a payment that was called for once`(_ code: LndError.Code) {
        var script = Script()
        script.on([.begin, .recorded, Self.ended(code)])
        switch SendVerdict(code) {
        case .refused:
            guard case .failed(.lnd, let failure?)? = script.last.report else {
                Issue.record("\(code): \(script.last)")
                return
            }
            #expect(failure.code.hasPrefix("lnd-") && !failure.advice.isEmpty)
        case .notBegun:
            #expect(script.isPause && script.course.doubts == 0)
            script.on(.pauseOver)
            #expect(script.last.next == .send(timeoutSeconds: 60))
        case .exists, .unknown:
            #expect(script.isPause && script.course.doubts == 1)
            script.on(.pauseOver)
            #expect(script.last.next == .ask)
        case .over:
            #expect(script.last == PaymentCourse.Reaction() && script.course.doubts == 1)
        }
    }

    /// Once a call is in doubt, the refusal of another one proves nothing.
    @Test(arguments: LndError.Code.allCases)
    func `no error ends a payment that was called for before`(_ code: LndError.Code) {
        var script = Script(attempted: true)
        script.on(.begin)
        #expect(script.last.next == .ask)
        script.on(Self.ended(.paymentUnknown))
        #expect(script.last.next == .send(timeoutSeconds: 60))
        script.on(Self.ended(code))
        #expect(script.last.report == nil && script.course.doubts >= 1)
        #expect(script.course.state == .pausing)
    }

    @Test(arguments: LndError.Code.allCases)
    func `no error of a question ends a payment in time`(_ code: LndError.Code) {
        var script = Script(attempted: true)
        script.on([.lndReady, Self.ended(code)])
        #expect(script.last.report == nil && script.course.state == .pausing)
    }

    static let failures: [Payment.FailureReason] = [
        .timeout, .noRoute, .error, .incorrectPaymentDetails, .insufficientBalance, .canceled,
        .unrecognized(77),
    ]

    @Test(arguments: failures)
    func `a failure of lnd's is final and says what to do`(_ reason: Payment.FailureReason) {
        for events in [[PaymentCourse.Event.begin, .recorded], [.begin, .recorded, Self.lost]] {
            var script = Script()
            script.on(events)
            if script.course.state == .pausing { script.on(.pauseOver) }
            script.on(Self.told(.failed(reason)))
            #expect(script.last.report == .failed(.lnd, BusFailure(reason)))
        }
        #expect(!BusFailure(reason).advice.isEmpty)
    }

    private static let lost = ended(.unavailable)

    @Test func `states that may end either way end nothing`() {
        for status in [Payment.Status.initiated, .inFlight, .succeeded(nil)] {
            for time in [1001, 1300, 9999] as [UInt64] {
                var script = Script(attempted: true)
                script.on(.begin, at: time)
                script.on(Self.told(status))
                #expect(script.course.state != .ended)
                script.on(.callEnded(nil))
                #expect(script.course.state == .pausing, "\(status)")
            }
        }
    }

    @Test func `after a restart lnd is asked before anything else`() {
        var script = Script(attempted: true)
        script.on(.lndReady)
        #expect(script.last.next == .ask)
        // Nobody has said that the order stands, so nothing is called for.
        script.on(Self.ended(.paymentUnknown))
        #expect(script.isPause)
        script.on(.begin)
        #expect(script.last.next == .ask)
        script.on(Self.ended(.paymentUnknown))
        #expect(script.last.next == .send(timeoutSeconds: 60))
    }

    @Test func `NotFound means never only when the invoice is over, margin included`() {
        var script = Script(attempted: true)
        script.on([.begin, Self.ended(.paymentUnknown), Self.lost])
        for time in [1299, 1300, 1600, 2200] as [UInt64] {
            script.on(.pauseOver, at: time)
            #expect(script.last.next == .ask)
            script.on(Self.ended(.paymentUnknown))
            #expect(script.last.report == nil, "at \(time)")
            if time < 1300 { script.on(Self.lost) }
        }
        // Asked before the end, answered after it: not yet.
        script.on(.pauseOver, at: 2200)
        script.on(Self.ended(.paymentUnknown), at: 2300)
        #expect(script.isPause)
        script.on([.pauseOver, Self.ended(.paymentUnknown)])
        #expect(script.last == PaymentCourse.Reaction(report: .failed(.tooLate, nil)))
    }

    @Test func `withdrawn before the call is withdrawn at once`() {
        let stop = PaymentCourse.Event.stop(.withdrawn, nil)
        let withdrawn = PaymentCourse.Reaction(report: .failed(.withdrawn, nil))
        var script = Script()
        script.on(stop)
        #expect(script.last == withdrawn)
        // While the journal is told of the call, which is not made then.
        script = Script()
        script.on([.begin, stop])
        #expect(script.last == PaymentCourse.Reaction())
        script.on(.recorded)
        #expect(script.last == withdrawn)
        script = Script()
        script.on([.begin, stop, .notRecorded])
        #expect(script.last == withdrawn)
        // While lnd could not be reached.
        script = Script()
        script.on([.begin, .recorded, Self.ended(.notReached), stop])
        #expect(script.last == withdrawn)
    }

    @Test func `withdrawn after the call is followed to its end and not called for again`() {
        var script = Script()
        script.on([.begin, .recorded, .stop(.withdrawn, nil)])
        #expect(script.last == PaymentCourse.Reaction())
        script.on([Self.lost, .pauseOver])
        #expect(script.last.next == .ask)
        script.on(Self.ended(.paymentUnknown))
        #expect(script.isPause)
        script.on(.begin)
        #expect(script.last == PaymentCourse.Reaction())
        var paid = script
        paid.on([.pauseOver, Self.told(.succeeded(Self.preimage))])
        #expect(paid.last.report == Self.success)
        script.on(.pauseOver, at: 2201)
        script.on(Self.ended(.paymentUnknown))
        #expect(script.last.report == .failed(.withdrawn, nil))
    }

    @Test func `a payment is told to be in flight once, and only when it takes its time`() {
        var script = Script()
        script.on(.takesItsTime)
        #expect(script.last.report == nil)
        script.on([.begin, .recorded, Self.told(.inFlight), .takesItsTime])
        #expect(script.last.report == .inFlight)
        script.on([.takesItsTime])
        #expect(script.last.report == nil)
        script.on([Self.lost, .pauseOver, Self.told(.inFlight)])
        #expect(script.last.report == nil)
        var tracked = Script(attempted: true)
        tracked.on([.lndReady, Self.told(.inFlight)])
        #expect(tracked.last.report == .inFlight)
    }

    @Test func `a failure that a lingering call may undo is not the end`() {
        var script = Script(attempted: true)
        // Two calls: the one before the restart, and this one, which fails.
        script.on([.begin, Self.ended(.paymentUnknown), Self.told(.failed(.noRoute))])
        #expect(script.last.report == nil && script.isPause)
        script.on([.pauseOver, Self.told(.failed(.noRoute))])
        #expect(script.last.report == nil && script.isPause)
        var late = script
        late.on([.pauseOver, Self.told(.succeeded(Self.preimage))])
        #expect(late.last.report == Self.success)
        // Whatever lingered has been carried out by now.
        script.on(.pauseOver, at: 1062)
        script.on(Self.told(.failed(.noRoute)))
        #expect(script.last.report == .failed(.lnd, BusFailure(.noRoute)))
    }

    @Test func `a failure found after a restart is final once nothing can linger`() {
        var script = Script(attempted: true)
        script.on([.lndReady, Self.told(.failed(.noRoute))])
        #expect(script.last.report == nil && script.isPause)
        script.on(.pauseOver, at: 1062)
        script.on(Self.told(.failed(.noRoute)))
        #expect(script.last.report == .failed(.lnd, BusFailure(.noRoute)))
    }

    @Test func `the failure of an earlier order for the same hash is not this one's`() {
        var script = Script(attempted: true)
        script.on([.begin, Self.told(.failed(.noRoute), createdAt: 999)])
        #expect(script.last.next == .send(timeoutSeconds: 60))
    }

    @Test func `a full disk delays a payment until it is too late, and no longer`() {
        var script = Script()
        script.on([.begin, .notRecorded])
        #expect(script.isPause)
        script.on(.pauseOver)
        #expect(script.last.next == .record)
        script.on(.notRecorded, at: 1299)
        #expect(script.last.next == .pause(.seconds(1)))
        script.on(.pauseOver, at: 1300)
        #expect(script.last.report == .failed(.tooLate, nil))
    }

    // MARK: Pauses and pace

    @Test func `pauses double up to the limit and never vanish`() {
        let backoff = RetryBackoff(first: .seconds(1), limit: .seconds(60))
        #expect(backoff.pause(after: 1, jitter: 0) == .milliseconds(500))
        #expect(backoff.pause(after: 3, jitter: 0) == .seconds(2))
        #expect(backoff.pause(after: 7, jitter: 0) == .seconds(30))
        #expect(backoff.pause(after: .max, jitter: 0) == .seconds(30))
        #expect(backoff.pause(after: 0, jitter: 0) == .milliseconds(500))
    }

    @Test func `calls are spread evenly, however many are wanted`() {
        var pacer = CallPacer(perSecond: 100)
        let start = ContinuousClock.now
        let waits = (0..<500).map { _ in pacer.place(at: start) }
        #expect(waits == (0..<500).map { .milliseconds(10) * $0 })
        // A quiet time saves nothing up.
        let later = start.advanced(by: .seconds(60))
        #expect(pacer.place(at: later) == .zero && pacer.place(at: later) == .milliseconds(10))
    }
}
