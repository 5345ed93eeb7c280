import LCPTesting
import LightningTypes
import Testing

@testable import Bridge

@Suite struct RateTests {
    private let start = ContinuousClock.now

    @Test func `a burst passes at once and then the rate`() {
        var limiter = RateLimiter<Int>(Rate(perSecond: 2, burst: 3), limit: 10)
        func passes(at milliseconds: Int) -> Int {
            (0..<5).count { _ in limiter.pass(1, at: start + .milliseconds(milliseconds)) }
        }
        #expect(passes(at: 0) == 3)
        #expect(passes(at: 499) == 0)
        #expect(passes(at: 500) == 1)
        #expect(passes(at: 1500) == 2)
        #expect(passes(at: 100_000) == 3)
    }

    @Test func `a limiter agrees with a bucket of tokens`() {
        var refusals = 0
        for seed in UInt64(0)..<50 {
            var random = SeededGenerator(seed: seed)
            let rate = Rate(
                perSecond: Double(Int.random(in: 1...8, using: &random)),
                burst: .random(in: 1...6, using: &random)
            )
            var limiter = RateLimiter<Int>(rate, limit: 3)
            var (tokens, last, now) = (Double(rate.burst), 0, 0)
            for _ in 0..<200 {
                now += Int.random(in: 0...400, using: &random)
                tokens += Double(now - last) / 1000 * rate.perSecond
                tokens = min(tokens, Double(rate.burst))
                last = now
                // A microsecond of a token is neither here nor there.
                let expected = tokens > 0.999_99
                if expected { tokens -= 1 }
                let passed = limiter.pass(1, at: start + .milliseconds(now))
                #expect(passed == expected, "seed \(seed) at \(now)")
                if !passed { refusals += 1 }
            }
        }
        #expect(refusals > 100, "hardly anything was refused, so the test proved nothing")
    }

    @Test func `memory is bounded and those at rest are forgotten without loss`() {
        var limiter = RateLimiter<Int>(Rate(perSecond: 1, burst: 2), limit: 3)
        func passes(_ key: Int, after elapsed: Duration = .zero) -> Bool {
            limiter.pass(key, at: start + elapsed)
        }
        for key in 0..<3 {
            #expect(passes(key))
            #expect(passes(key))
        }
        #expect(!passes(3), "the table is full of peers not at rest")
        #expect(!passes(4, after: .milliseconds(1900)))
        #expect(limiter.count == 3)
        #expect(passes(4, after: .milliseconds(2100)))
        #expect(limiter.count == 1)
    }

    @Test func `quotes are counted over the last 60 seconds`() {
        var meter = RequestMeter(limit: 2)
        func requests(of peer: Int, at time: UInt64) -> UInt32 {
            meter.requests(of: SessionSample.peer(peer), at: UnixTime(seconds: time))
        }
        for time in [100, 100, 130, 159] as [UInt64] {
            meter.count(SessionSample.peer(1), at: UnixTime(seconds: time))
        }
        #expect(requests(of: 1, at: 159) == 4)
        #expect(requests(of: 1, at: 160) == 2)
        #expect(requests(of: 1, at: 190) == 1)
        #expect(requests(of: 1, at: 219) == 0)
        #expect(requests(of: 2, at: 159) == 0)

        meter.count(SessionSample.peer(2), at: UnixTime(seconds: 160))
        meter.count(SessionSample.peer(3), at: UnixTime(seconds: 160))
        #expect(requests(of: 3, at: 160) == 0, "a third peer finds no room")
        meter.count(SessionSample.peer(3), at: UnixTime(seconds: 300))
        #expect(requests(of: 3, at: 300) == 1, "until the others are quiet")
    }
}
