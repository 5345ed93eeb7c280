import BridgeProtocol
import LCPTesting
import LightningTypes
import Testing

@testable import lcp

/// Percentiles of a benchmark, against those of the sorted durations themselves.
@Suite struct LatencyHistogramTests {
    @Test(arguments: [UInt64(1), 2, 3])
    func `a percentile is never below the true one and at most a 64th above`(
        seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        var histogram = LatencyHistogram()
        var values: [UInt64] = []
        for _ in 0..<5_000 {
            // Spread over all sizes, from microseconds to hours.
            let value = UInt64.random(in: 0...1 << UInt64.random(in: 0...34, using: &random))
            values.append(value)
            histogram.record(.microseconds(value))
        }
        values.sort()
        #expect(histogram.count == 5_000)
        #expect(histogram.sum == values.reduce(0, +))
        #expect(histogram.max == values.last)
        for share in [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1] {
            let exact = values[Int((share * 5_000).rounded(.up)) - 1]
            let told = try #require(histogram.percentile(share))
            #expect(told >= exact && told <= exact + exact / 64, "\(share): \(told), not \(exact)")
        }
        #expect(histogram.percentile(1) == values.last)
    }

    @Test func `small durations are told exactly, and none has no percentiles`() {
        var histogram = LatencyHistogram()
        #expect(histogram.percentile(0.5) == nil)
        for value in 0..<128 { histogram.record(.microseconds(value)) }
        #expect(histogram.percentile(0.5) == 63)
        #expect(histogram.percentile(1) == 127)
    }
}

/// The parts of a job's way.
@Suite struct JobTimelineTests {
    private let start = ContinuousClock.now

    @Test func `parts add up to the whole, also when one passed unseen`() {
        var seen = JobTimeline(start: start)
        seen.note(.quoting, at: start + .milliseconds(1))
        seen.note(.quoted, at: start + .milliseconds(10))
        seen.note(.paying, at: start + .milliseconds(12))
        seen.note(.running, at: start + .milliseconds(30))
        seen.note(.done, at: start + .milliseconds(100))
        seen.noteDelivery(at: start + .milliseconds(101))
        #expect(seen.parts.map(\.part) == [.quote, .pay, .execute, .deliver])
        #expect(
            seen.parts.map(\.took) == [10, 20, 70, 1].map { Duration.milliseconds($0) }
        )
        #expect(seen.total == .milliseconds(101))

        var skipped = JobTimeline(start: start)
        skipped.note(.done, at: start + .milliseconds(50))
        skipped.noteDelivery(at: start + .milliseconds(60))
        #expect(skipped.parts.map(\.took) == [50, 0, 0, 10].map { Duration.milliseconds($0) })
    }
}

/// What a load may spend.
@Suite struct SpendingLimitTests {
    @Test func `what is set aside and what is spent never exceed the limit`() {
        let limit = SpendingLimit(.init(msat: 100))
        #expect(limit.reserve(.init(msat: 60)))
        #expect(!limit.reserve(.init(msat: 60)))
        limit.settle(.init(msat: 60), spent: .init(msat: 30))
        #expect(limit.reserve(.init(msat: 60)))
        #expect(!limit.reserve(.init(msat: 11)))
        #expect(limit.reserve(.init(msat: 10)))
        #expect(limit.spent.msat == 30)
        #expect(limit.reserved.msat == 70)
        #expect(!limit.reserve(.init(msat: .max)))
    }
}
