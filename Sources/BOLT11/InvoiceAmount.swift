package import LightningTypes

/// The amount in an invoice's human-readable part: digits and perhaps one of `m u n p`.
///
/// Exact or invalid; nothing is ever rounded (BOLT #11, "Human-Readable Part").
package enum InvoiceAmount {
    /// Reads an amount such as `2500u`.
    ///
    /// Neither the shortest form nor the absence of leading zeros is required of a reader.
    ///
    /// - Parameter text: The human-readable part after the network's prefix, not empty.
    /// - Returns: The amount, at most all bitcoin there will ever be.
    /// - Throws: ``BOLT11Error`` with `invalid_multiplier`, `sub_millisatoshi` or
    ///   `amount_too_large`.
    package static func decode(_ text: some StringProtocol) throws(BOLT11Error) -> MilliSatoshi {
        let (digits, unit) = try split(text)
        guard unit == .pico else { return try decode(digits, msatPerUnit: unit.msat) }
        // A pico-bitcoin is a tenth of a millisatoshi: the last digit has to be 0.
        guard digits.last == "0" else {
            throw BOLT11Error(
                // BOLT #11 [amount-whole-msat]
                .subMillisatoshi,
                "the amount is no whole number of msat",
                lnd: digits.count == 1
                    ? "minimum amount is 10p" : "amount \(digits) pBTC not expressible in msat"
            )
        }
        return digits == "0" ? .zero : try decode(String(digits.dropLast()), msatPerUnit: 1)
    }

    /// Writes an amount in the fewest characters, as lnd does.
    ///
    /// - Parameter amount: At most all bitcoin there will ever be.
    /// - Returns: The text, without leading zeros.
    /// - Throws: ``BOLT11Error`` with `amount_too_large`.
    package static func encode(_ amount: MilliSatoshi) throws(BOLT11Error) -> String {
        guard amount <= .totalSupply else {
            throw BOLT11Error(.amountTooLarge, "\(amount) exceeds all bitcoin there will ever be")
        }
        // A larger unit saves three digits for at most one letter, so the largest that fits wins.
        // BOLT #11 [amount-written-shortest]
        for unit in Unit.allCases where unit != .pico && amount.msat % unit.msat == 0 {
            return "\(amount.msat / unit.msat)\(unit.rawValue)"
        }
        // Ten pico-bitcoin are a millisatoshi; as text, because the product may exceed 64 bits.
        return "\(amount.msat)0p"
    }

    /// The units by falling size; the raw value is the letter, empty for a whole bitcoin.
    private enum Unit: String, CaseIterable {
        case bitcoin = ""
        case milli = "m"
        case micro = "u"
        case nano = "n"
        case pico = "p"

        var msat: UInt64 {
            switch self {
            case .bitcoin: 100_000_000_000
            case .milli: 100_000_000
            case .micro: 100_000
            case .nano: 100
            case .pico: 0  // less than one
            }
        }
    }

    private static func split(
        _ text: some StringProtocol
    ) throws(BOLT11Error) -> (digits: String, unit: Unit) {
        var digits = String(text)
        var unit = Unit.bitcoin
        if let last = digits.last, !isDigit(last) {
            // BOLT #11 [amount-multiplier]
            guard let known = Unit(rawValue: String(last)) else {
                throw BOLT11Error(
                    .invalidMultiplier,
                    "the amount ends in a character that is no multiplier",
                    lnd: "unknown multiplier \(last)"
                )
            }
            unit = known
            digits.removeLast()
        }
        guard !digits.isEmpty else {
            throw BOLT11Error(
                .invalidMultiplier,
                "the amount has no digits",
                lnd: "number must be non-empty"
            )
        }
        guard digits.allSatisfy(isDigit) else {
            throw BOLT11Error(
                .invalidMultiplier,
                "the amount has a character that is neither digit nor multiplier",
                lnd: "strconv.ParseUint: parsing \"\(digits)\": invalid syntax"
            )
        }
        return (digits, unit)
    }

    private static func decode(
        _ digits: String,
        msatPerUnit: UInt64
    ) throws(BOLT11Error) -> MilliSatoshi {
        guard let units = UInt64(digits) else {
            throw BOLT11Error(
                .amountTooLarge,
                "the amount does not fit 64 bits",
                lnd: "strconv.ParseUint: parsing \"\(digits)\": value out of range"
            )
        }
        let (msat, overflow) = units.multipliedReportingOverflow(by: msatPerUnit)
        let amount = MilliSatoshi(msat: msat)
        guard !overflow, amount <= .totalSupply else {
            throw BOLT11Error(.amountTooLarge, "the amount exceeds all bitcoin there will ever be")
        }
        return amount
    }

    private static func isDigit(_ character: Character) -> Bool {
        // Not `isNumber`: only the ten ASCII digits count.
        character >= "0" && character <= "9" && character.isASCII
    }
}
