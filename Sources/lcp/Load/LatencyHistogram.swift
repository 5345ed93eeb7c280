/// Counts durations in buckets that grow with what they hold, as HdrHistogram does.
///
/// A percentile is at most 1/64 above the true one; count, sum and largest value are exact. Takes
/// 32 KiB at most, however many durations are recorded.
struct LatencyHistogram: Sendable {
    /// Buckets for each power of two.
    private static let resolution: UInt64 = 64

    private var buckets: [UInt64] = []
    /// How many durations were recorded.
    private(set) var count: UInt64 = 0
    /// All of them together, in microseconds.
    private(set) var sum: UInt64 = 0
    /// The longest, in microseconds.
    private(set) var max: UInt64 = 0

    /// Takes a duration in; what is left of a microsecond is dropped.
    mutating func record(_ duration: Duration) {
        let value = duration.microseconds
        let bucket = Self.bucket(of: value)
        if bucket >= buckets.count {
            buckets += repeatElement(0, count: bucket + 1 - buckets.count)
        }
        buckets[bucket] += 1
        count += 1
        sum += value
        max = Swift.max(max, value)
    }

    /// What a share of the durations did not exceed, in microseconds; nil without durations.
    func percentile(_ share: Double) -> UInt64? {
        guard count > 0 else { return nil }
        let rank = UInt64((share * Double(count)).rounded(.up))
        var seen: UInt64 = 0
        for (bucket, number) in buckets.enumerated() {
            seen += number
            if seen >= Swift.max(rank, 1) { return min(Self.upperEdge(of: bucket), max) }
        }
        return max
    }

    // Small values have a bucket each; from there on the leading bits below the highest one tell
    // the buckets of a power of two apart.
    private static func bucket(of value: UInt64) -> Int {
        guard value >= resolution else { return Int(value) }
        let shift =
            UInt64.bitWidth - 1 - value.leadingZeroBitCount
            - resolution.trailingZeroBitCount
        return (shift + 1) << resolution.trailingZeroBitCount
            + Int(value >> UInt64(shift) - resolution)
    }

    /// The largest value of a bucket.
    private static func upperEdge(of bucket: Int) -> UInt64 {
        let index = UInt64(bucket)
        guard index >= resolution else { return index }
        let shift = index / resolution - 1
        let first = (resolution + index % resolution) << shift
        return first + (1 << shift) - 1
    }
}
