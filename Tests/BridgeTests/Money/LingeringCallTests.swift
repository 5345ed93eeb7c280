import BridgeProtocol
import LCPTesting
import LightningTypes
import LndRPC
import Testing

@testable import Bridge

/// One payment against a small model of lnd, with calls that get lost, linger and arrive late.
@Suite struct LingeringCallTests {
    /// lnd as far as one payment hash is concerned.
    private struct ModelLnd {
        enum Payment: Equatable { case none, inFlight, failed, succeeded }

        let expiresAt: UInt64
        /// lnd's clock less the bridge's.
        let skew: Int64
        var payment = Payment.none
        var createdAt: UInt64 = 0
        /// When calls were lost that may still be carried out.
        var lingering: [UInt64] = []
        var payments = 0

        func time(_ now: UInt64) -> UInt64 { UInt64(Int64(now) + skew) }

        /// SendPaymentV2 as lnd carries it out.
        mutating func send(at now: UInt64) -> LndError.Code? {
            guard time(now) <= expiresAt else { return .invoiceExpired }
            switch payment {
            case .succeeded: return .alreadyPaid
            case .inFlight: return .paymentInFlight
            case .none, .failed:
                payment = .inFlight
                createdAt = time(now)
                return nil
            }
        }

        /// What lingers is carried out at some time, and before lnd answers much later calls.
        mutating func catchUp(at now: UInt64, _ random: inout SeededGenerator) {
            let calls = lingering
            lingering = []
            for lost in calls {
                if now > lost + 59 || Int.random(in: 0..<4, using: &random) == 0 {
                    _ = send(at: now)
                } else {
                    lingering.append(lost)
                }
            }
        }

        mutating func resolve(_ random: inout SeededGenerator) {
            guard payment == .inFlight, Int.random(in: 0..<3, using: &random) == 0 else { return }
            payment = Bool.random(using: &random) ? .succeeded : .failed
            if payment == .succeeded { payments += 1 }
        }

        var status: LndRPC.Payment.Status {
            switch payment {
            case .none, .inFlight: .inFlight
            case .failed: .failed(.noRoute)
            case .succeeded: .succeeded(Preimage(.zero))
            }
        }
    }

    private struct Counts {
        var ends: [String: Int] = [:]
        var lost = 0
        var lateCalls = 0
        var restarts = 0
    }

    @Test func `whatever gets lost, nothing is paid after it was given up`() {
        var counts = Counts()
        for seed in UInt64(0)..<20_000 { run(seed, &counts) }
        for end in ["paid", "lnd", "too late", "withdrawn"] {
            #expect(counts.ends[end, default: 0] > 200, "\(counts)")
        }
        #expect(counts.lost > 2000 && counts.lateCalls > 500 && counts.restarts > 2000)
    }

    private func run(_ seed: UInt64, _ counts: inout Counts) {
        var random = SeededGenerator(seed: seed)
        let (start, notAfter, expiresAt) = (UInt64(10_000), UInt64(10_550), UInt64(10_600))
        let terms = PaymentCourse.Terms(
            intendedAt: UnixTime(seconds: start),
            notAfter: UnixTime(seconds: notAfter),
            hopelessAfter: UnixTime(seconds: expiresAt + 600),
            attemptSeconds: 60,
            lingerSeconds: 60,
            backoff: RetryBackoff(first: .seconds(1), limit: .seconds(60))
        )
        var lnd = ModelLnd(expiresAt: expiresAt, skew: Int64.random(in: -300...300, using: &random))
        var now = start
        var course = PaymentCourse(terms, attempted: false, now: UnixTime(seconds: now))
        // From an lnd that answers to one that can hardly be reached.
        let badLuck = [2, 5, 9, 10].randomElement(using: &random) ?? 10
        var (isRecorded, isStopped, report) = (false, false, nil as PaymentOutcome.Result?)

        func on(_ event: PaymentCourse.Event) {
            let reaction = course.handle(event, now: UnixTime(seconds: now), jitter: 0.5)
            report = reaction.report ?? report
            switch reaction.next {
            case .record?: isRecorded = true
            case .send(let seconds)?:
                #expect(isRecorded, "seed \(seed): called before it was recorded")
                #expect(!isStopped, "seed \(seed): called after it was withdrawn")
                #expect(now + UInt64(seconds) <= notAfter, "seed \(seed): called too late")
            case .ask?, .pause?, nil: break
            }
        }

        on(.begin)
        for _ in 0..<400 where course.state != .ended {
            now += UInt64.random(in: 0...20, using: &random)
            let before = lnd.lingering.count
            lnd.catchUp(at: now, &random)
            counts.lateCalls += before - lnd.lingering.count
            lnd.resolve(&random)
            switch Int.random(in: 0..<60, using: &random) {
            case 0:
                isStopped = true
                on(.stop(.withdrawn, nil))
                continue
            case 1 where isRecorded:
                // The process ends; a call under way may or may not arrive.
                counts.restarts += 1
                if case .sending = course.state, Bool.random(using: &random) {
                    lnd.lingering.append(now)
                }
                course = PaymentCourse(terms, attempted: true, now: UnixTime(seconds: now))
                on(isStopped ? .stop(.withdrawn, nil) : .begin)
                on(.lndReady)
                continue
            default: break
            }
            switch course.state {
            case .waiting, .ended: break
            case .recording: on(.recorded)
            case .pausing: on(.pauseOver)
            case .sending: answerSend()
            case .asking: answerAsk()
            }
        }

        /// One of the ways in which a call ends.
        func answerSend() {
            func end(_ code: LndError.Code) { on(.callEnded(LndError(code, "test"))) }
            let isUnlucky = Int.random(in: 0..<10, using: &random) < badLuck
            switch isUnlucky ? Int.random(in: 0..<4, using: &random) : 4 {
            case 0:
                counts.lost += 1
                // Whether it arrives at all, nobody knows.
                if badLuck < 10 { lnd.lingering.append(now) }
                end(.unavailable)
            case 1: end(.deadlineExceeded)
            case 2, 3: end(Bool.random(using: &random) ? .notReached : .walletLocked)
            default:
                if let refusal = lnd.send(at: now) { return end(refusal) }
                on(.told(lnd.status, fee: .zero, createdAt: UnixTime(seconds: lnd.createdAt)))
                while lnd.payment == .inFlight {
                    if Int.random(in: 0..<4, using: &random) == 0 { return end(.unavailable) }
                    lnd.resolve(&random)
                }
                on(.told(lnd.status, fee: .zero, createdAt: UnixTime(seconds: lnd.createdAt)))
            }
        }

        func answerAsk() {
            guard Int.random(in: 0..<4, using: &random) > 0 else {
                return on(.callEnded(LndError(.unavailable, "test")))
            }
            guard lnd.payment != .none else {
                return on(.callEnded(LndError(.paymentUnknown, "test")))
            }
            on(.told(lnd.status, fee: .zero, createdAt: UnixTime(seconds: lnd.createdAt)))
            if lnd.payment == .inFlight { on(.callEnded(nil)) }
        }

        switch report {
        case .succeeded:
            counts.ends["paid", default: 0] += 1
            #expect(lnd.payment == .succeeded, "seed \(seed)")
        case .failed(let cause, _):
            let name = [.lnd: "lnd", .tooLate: "too late"][cause] ?? "withdrawn"
            counts.ends[name, default: 0] += 1
            #expect(lnd.payment == .none || lnd.payment == .failed, "seed \(seed)")
            // What still lingers comes now, and must not pay.
            while let _ = lnd.lingering.popLast() { _ = lnd.send(at: now) }
            #expect(lnd.payment != .inFlight, "seed \(seed): a late call pays")
        case .inFlight, .notIntended, nil:
            counts.ends["open", default: 0] += 1
        }
        #expect(lnd.payments <= 1, "seed \(seed): paid twice")
    }
}
