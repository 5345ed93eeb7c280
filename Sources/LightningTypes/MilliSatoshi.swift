/// An amount of bitcoin in thousandths of a satoshi, the unit of Lightning.
package struct MilliSatoshi: Hashable, Sendable, Comparable {
    /// The amount in msat; the whole range of `UInt64` is allowed on the wire.
    package let msat: UInt64

    /// Takes an amount in msat.
    package init(msat: UInt64) { self.msat = msat }

    /// Takes an amount in whole satoshis; nil when it does not fit 64 bits as msat.
    package init?(sat: UInt64) {
        let (product, overflow) = sat.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return nil }
        self.init(msat: product)
    }

    /// Nothing.
    package static let zero = MilliSatoshi(msat: 0)

    /// All bitcoin there will ever be: 21 million, as msat.
    ///
    /// No invoice may ask for more.
    package static let totalSupply = MilliSatoshi(msat: 21_000_000 * 100_000_000 * 1000)

    /// Smaller amounts come first.
    package static func < (left: MilliSatoshi, right: MilliSatoshi) -> Bool {
        left.msat < right.msat
    }

    /// The sum; nil when it does not fit 64 bits.
    package func adding(_ other: MilliSatoshi) -> MilliSatoshi? {
        let (sum, overflow) = msat.addingReportingOverflow(other.msat)
        return overflow ? nil : MilliSatoshi(msat: sum)
    }

    /// The difference; nil when it would be negative.
    package func subtracting(_ other: MilliSatoshi) -> MilliSatoshi? {
        other <= self ? MilliSatoshi(msat: msat - other.msat) : nil
    }
}

extension MilliSatoshi: CustomStringConvertible {
    /// The amount with its unit, for people: `57355 msat`.
    package var description: String { "\(msat) msat" }
}
