/// A point in time as Lightning and LCP write it: whole seconds since 1970-01-01 00:00 UTC.
package struct UnixTime: Hashable, Sendable, Comparable {
    /// Seconds since 1970; the whole range of `UInt64` is allowed on the wire.
    package let seconds: UInt64

    /// Takes seconds since 1970.
    package init(seconds: UInt64) { self.seconds = seconds }

    /// Earlier times come first.
    package static func < (left: UnixTime, right: UnixTime) -> Bool {
        left.seconds < right.seconds
    }

    /// The time so many seconds later; stops at the end of the range instead of wrapping.
    package func advanced(bySeconds delta: UInt64) -> UnixTime {
        let (sum, overflow) = seconds.addingReportingOverflow(delta)
        return UnixTime(seconds: overflow ? .max : sum)
    }
}

extension UnixTime: CustomStringConvertible {
    /// The bare number of seconds.
    package var description: String { "\(seconds)" }
}
