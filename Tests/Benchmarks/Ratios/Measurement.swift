/// Times pieces of work against each other in one run, in turn, so that a machine whose speed
/// drifts slows all of them alike.
struct Measurement {
    /// One piece of work.
    struct Work {
        var name: String
        /// Does the work once and gives something that depends on it.
        var body: () throws -> Int
    }

    /// How often the pieces take turns; the figures are medians over the turns.
    static let turns = 15

    /// The median seconds of one call of each piece, in the order given.
    static func medians(of works: [Work]) throws -> [Double] {
        let clock = ContinuousClock()
        var samples = works.map { _ in [Double]() }
        var counts: [Int] = []
        for work in works {
            // Enough calls for about 20 ms, so that the clock's own cost vanishes.
            var count = 1
            while try elapsed(work, count, clock) < 0.01 { count *= 2 }
            counts.append(count * 2)
        }
        for _ in 0..<turns {
            for (index, work) in works.enumerated() {
                let seconds = try elapsed(work, counts[index], clock)
                samples[index].append(seconds / Double(counts[index]))
            }
        }
        return samples.map { $0.sorted()[$0.count / 2] }
    }

    private static func elapsed(
        _ work: Work,
        _ count: Int,
        _ clock: ContinuousClock
    ) throws -> Double {
        var sum = 0
        let duration = try clock.measure {
            for _ in 0..<count { sum &+= try work.body() }
        }
        keep(sum)
        return duration / .seconds(1)
    }

    /// Keeps the optimizer from dropping work whose result nobody reads.
    @inline(never)
    private static func keep(_ value: Int) { _ = value }
}

/// A ratio between two measured things, with the goal it is held against.
struct Ratio {
    var name: String
    /// Microseconds of one call of our work.
    var ours: Double
    /// Microseconds of one call of what it is compared with.
    var reference: Double
    /// The ratio must not be above this.
    var goal: Double

    var value: Double { ours / reference }
    var isMet: Bool { value <= goal }
}
