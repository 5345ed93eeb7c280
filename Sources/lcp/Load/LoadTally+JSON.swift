import LCPInspector

/// What the reports of a demonstration and of a benchmark have in common.
extension JSONText {
    /// Latencies that shares of the jobs did not exceed, in milliseconds; null without jobs.
    static func percentiles(_ latencies: LatencyHistogram) -> JSONText {
        func value(_ share: Double) -> JSONText {
            latencies.percentile(share).map { .decimal(thousandths: $0) } ?? .null
        }
        return ["p50": value(0.5), "p90": value(0.9), "p99": value(0.99), "max": value(1)]
    }

    /// Why jobs failed, with their numbers, in the order of the labels.
    static func reasons(_ tally: LoadTally) -> JSONText {
        .object(
            tally.reasons.sorted { $0.key < $1.key }
                .map { .init(name: $0.key, value: .number(UInt64($0.value))) }
        )
    }

    /// So many in a time, each second.
    static func rate(_ count: Int, in duration: Duration) -> JSONText {
        let (product, overflow) = UInt64(count).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .null : .decimal(thousandths: product / max(1, duration.microseconds))
    }
}
