import ArgumentParser
import LCPWire
import LightningTypes

/// An amount on the command line, in satoshis with at most three decimals: `57` or `57.355`.
struct SatoshiArgument: ExpressibleByArgument {
    let amount: MilliSatoshi

    init?(argument: String) {
        let parts = argument.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first.flatMap({ Self.digits($0) }),
            let sats = MilliSatoshi(sat: whole)
        else { return nil }
        guard parts.count == 2 else {
            amount = sats
            return
        }
        let decimals = parts[1]
        guard (1...3).contains(decimals.count),
            let rest = Self.digits(decimals + String(repeating: "0", count: 3 - decimals.count)),
            let sum = sats.adding(MilliSatoshi(msat: rest))
        else { return nil }
        amount = sum
    }

    // `UInt64.init` takes a sign, which an amount has not.
    private static func digits(_ text: some StringProtocol) -> UInt64? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt64(text) : nil
    }
}

/// A span of time on the command line: seconds, or a number with `s`, `m`, `h` or `d`.
struct TimeSpanArgument: ExpressibleByArgument {
    let seconds: UInt64

    var duration: Duration { .seconds(Int64(clamping: seconds)) }

    init(seconds: UInt64) { self.seconds = seconds }

    init?(argument: String) {
        let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let unit = argument.last.flatMap { units[$0] }
        guard let count = UInt64(unit == nil ? argument[...] : argument.dropLast()) else {
            return nil
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit ?? 1)
        guard !overflow, product <= 10 * 365 * 86_400 else { return nil }
        seconds = product
    }

    var defaultValueDescription: String { "\(seconds)s" }
}

/// A node's public key, 66 hex digits.
extension NodeID: ExpressibleByArgument {
    /// Reads 66 hex digits of either case.
    package init?(argument: String) { self.init(hex: argument) }
}

/// A job's id, 64 hex digits.
extension JobID: ExpressibleByArgument {
    /// Reads 64 hex digits of either case.
    package init?(argument: String) { self.init(hex: argument) }
}

/// A sampling temperature: `0.7`.
struct TemperatureArgument: ExpressibleByArgument {
    /// In thousandths.
    let milli: UInt32

    init?(argument: String) {
        // The same form as an amount: digits, and at most three decimals.
        guard let value = SatoshiArgument(argument: argument)?.amount.msat,
            let milli = UInt32(exactly: value)
        else { return nil }
        self.milli = milli
    }
}
