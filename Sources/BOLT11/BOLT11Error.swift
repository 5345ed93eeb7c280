/// Why an invoice was refused, or could not be written.
///
/// Names the field and the reason; never quotes the invoice.
package struct BOLT11Error: Error, Hashable, Sendable {
    /// The rule that was broken, in the words of the test vectors.
    package enum Kind: String, CaseIterable, Sendable {
        // The text.
        case tooLong = "too_long"
        case badCharacter = "bad_character"
        case mixedCase = "mixed_case"
        case missingSeparator = "missing_separator"
        case badChecksum = "bad_checksum"

        // The human-readable part.
        case unknownPrefix = "unknown_prefix"
        case wrongNetwork = "wrong_network"
        case invalidMultiplier = "invalid_multiplier"
        case subMillisatoshi = "sub_millisatoshi"
        case amountTooLarge = "amount_too_large"

        // The data part.
        case tooShort = "too_short"
        case truncatedField = "truncated_field"
        case badPadding = "bad_padding"
        case leadingZeroGroup = "leading_zero_group"
        case integerTooLarge = "integer_too_large"
        case badUTF8 = "bad_utf8"
        case badFallback = "bad_fallback"
        case badRouteHint = "bad_route_hint"
        case badPublicKey = "bad_public_key"

        // The signature.
        case badSignature = "bad_signature"
        case signatureNotRecoverable = "signature_not_recoverable"
        case highSWithN = "high_s_with_n"

        // The whole.
        case missingP = "missing_p"
        case descriptionRule = "d_h_rule"
        case unknownRequiredFeature = "unknown_required_feature"
        case badFeatureDependency = "bad_feature_dependency"
        case missingS = "missing_s"
        case expiryOverflow = "expiry_overflow"

        // Writing only.
        case timestampTooLarge = "timestamp_too_large"
        case fieldTooLong = "field_too_long"
    }

    /// The rule that was broken.
    package let kind: Kind

    /// What was found where: field and reason.
    package let detail: String

    /// The text of lnd's own decoder for the same fault, for a simulated lnd.
    ///
    /// Nil where lnd has no such rule, or words it in a library of its own.
    package let lndText: String?

    init(_ kind: Kind, _ detail: String, lnd lndText: String? = nil) {
        self.kind = kind
        self.detail = detail
        self.lndText = lndText
    }
}

extension BOLT11Error: CustomStringConvertible {
    /// Kind, detail and advice in one line.
    package var description: String { "\(kind.rawValue): \(detail). \(advice)" }

    /// What the holder of the invoice can do about it.
    package var advice: String {
        switch kind {
        case .tooLong, .badCharacter, .mixedCase, .missingSeparator, .badChecksum, .tooShort:
            "Copy the whole invoice again; a damaged one is never repaired."
        case .unknownPrefix, .wrongNetwork:
            "Ask the payee for an invoice of your node's network."
        case .invalidMultiplier, .subMillisatoshi, .amountTooLarge, .truncatedField, .badPadding,
            .leadingZeroGroup, .integerTooLarge, .badUTF8, .badFallback, .badRouteHint,
            .badPublicKey, .missingP, .descriptionRule, .missingS, .expiryOverflow,
            .badFeatureDependency:
            "Do not pay; the payee's software writes invalid invoices."
        case .badSignature, .signatureNotRecoverable, .highSWithN:
            "Do not pay; nobody vouches for this invoice."
        case .unknownRequiredFeature:
            "Do not pay; the payee requires something this software does not know."
        case .timestampTooLarge, .fieldTooLong:
            "Shorten the value; the invoice was not written."
        }
    }
}
