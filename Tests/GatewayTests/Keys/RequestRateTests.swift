import LCPTesting
import Testing

@testable import Gateway

/// How many requests a minute lets through.
@Suite struct RequestRateTests {
    @Test func `a minute's requests may come at once, and the next one waits for its share`() {
        let start = ContinuousClock.now
        var rate = RequestRate(at: start)
        for _ in 0..<6 { #expect(rate.take(of: 6, at: start) == nil) }
        let wait = rate.take(of: 6, at: start)
        #expect(wait == .seconds(10))
        #expect(rate.take(of: 6, at: start + .seconds(9)) != nil)
        #expect(rate.take(of: 6, at: start + .seconds(10)) == nil)
        // A quiet hour does not save up more than a minute's.
        let later = start + .seconds(3_600)
        let taken = (0..<20).count { _ in rate.take(of: 6, at: later) == nil }
        #expect(taken == 6)
    }

    @Test func `no window sees more than a minute's and what flowed back meanwhile`() {
        var refused = 0
        for seed in UInt64(0)..<50 {
            var random = SeededGenerator(seed: seed)
            let start = ContinuousClock.now
            var rate = RequestRate(at: start)
            var times: [Duration] = []
            var now = Duration.zero
            for _ in 0..<300 {
                now += .milliseconds(Int.random(in: 0...3_000, using: &random))
                if let wait = rate.take(of: 30, at: start + now) {
                    refused += 1
                    #expect(wait > .zero && wait <= .seconds(2))
                } else {
                    times.append(now)
                }
            }
            for (index, first) in times.enumerated() {
                for (offset, last) in times[index...].enumerated() {
                    let allowed = 30 + (last - first) / .seconds(2)
                    #expect(Double(offset + 1) <= allowed + 1e-6, "seed \(seed)")
                }
            }
        }
        #expect(refused > 100, "the limit was hardly reached")
    }
}
