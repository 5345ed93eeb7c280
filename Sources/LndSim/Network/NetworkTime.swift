package import LightningTypes

/// A moment of the simulated network: nanoseconds since 1970, as lnd's `creation_time_ns`.
package struct NetworkTime: Hashable, Sendable, Comparable {
    /// Nanoseconds since 1970; good until the year 2554.
    package let nanoseconds: UInt64

    /// Takes nanoseconds since 1970.
    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Takes whole seconds since 1970; times past the range stop at its end.
    package init(_ time: UnixTime) {
        let (product, overflow) = time.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        nanoseconds = overflow ? .max : product
    }

    /// The whole second that contains this moment.
    package var unix: UnixTime { UnixTime(seconds: nanoseconds / 1_000_000_000) }

    /// Earlier moments come first.
    package static func < (left: NetworkTime, right: NetworkTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The moment so many milliseconds later; stops at the end of the range.
    package func advanced(byMilliseconds delta: UInt64) -> NetworkTime {
        let (product, tooLong) = delta.multipliedReportingOverflow(by: 1_000_000)
        let (sum, tooLate) = nanoseconds.addingReportingOverflow(product)
        return NetworkTime(nanoseconds: tooLong || tooLate ? .max : sum)
    }

    /// The moment so many seconds later; stops at the end of the range.
    package func advanced(bySeconds delta: UInt64) -> NetworkTime {
        let (product, overflow) = delta.multipliedReportingOverflow(by: 1000)
        return advanced(byMilliseconds: overflow ? .max : product)
    }
}
