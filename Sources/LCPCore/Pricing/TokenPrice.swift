package import LightningTypes

/// The price of an `llm.chat` profile by tokens, quoted before anything is computed.
///
/// Input tokens are estimated by the rule `approx.v1`; output tokens are the provider's cap, which
/// is reserved whole. Nothing is refunded.
package struct TokenPrice: Equatable, Sendable {
    /// msat for a million input tokens.
    package var inputMsatPerMillion: UInt64
    /// msat for a million output tokens.
    package var outputMsatPerMillion: UInt64

    /// Takes the two rates, in msat for a million tokens.
    package init(inputMsatPerMillion: UInt64, outputMsatPerMillion: UInt64) {
        self.inputMsatPerMillion = inputMsatPerMillion
        self.outputMsatPerMillion = outputMsatPerMillion
    }

    /// The estimate `approx.v1`: one token for four bytes of input, rounded up.
    package static func inputTokens(inputBytes: UInt64) -> UInt64 {
        inputBytes / 4 + (inputBytes % 4 == 0 ? 0 : 1)
    }

    /// The price of one job, rounded up to a whole msat.
    ///
    /// - Parameters:
    ///   - inputBytes: The length of the input in bytes, not characters.
    ///   - maxOutputTokens: The cap on the answer.
    /// - Returns: The price; nil when it does not fit 64 bits.
    package func price(inputBytes: UInt64, maxOutputTokens: UInt64) -> MilliSatoshi? {
        let million: UInt128 = 1_000_000
        // Each product fits: 64 bits times 64 bits. Only their sum can overflow.
        let input = UInt128(Self.inputTokens(inputBytes: inputBytes)) * UInt128(inputMsatPerMillion)
        let output = UInt128(maxOutputTokens) * UInt128(outputMsatPerMillion)
        let (sum, overflow) = input.addingReportingOverflow(output)
        guard !overflow else { return nil }
        let msat = sum / million + (sum % million == 0 ? 0 : 1)
        return UInt64(exactly: msat).map(MilliSatoshi.init(msat:))
    }
}
