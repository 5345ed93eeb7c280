import LightningCrypto
import LightningTypes

/// The values of an invoice's fields while they are read one after the other.
///
/// The first well-formed occurrence of a field counts. A field of wrong length where BOLT #11 fixes
/// it is passed over, as its example with such fields demands and as lnd does.
struct FieldValues {
    private(set) var paymentHash: PaymentHash?
    private(set) var paymentSecret: Bytes32?
    private(set) var descriptionText: String?
    private(set) var descriptionHash: Bytes32?
    private(set) var metadata: [UInt8]?
    private(set) var payee: NodeID?
    private(set) var expirySeconds: UInt64?
    private(set) var minFinalCLTV: UInt64?
    private(set) var features: Features?
    private(set) var fallbacks: [FallbackAddress] = []
    private(set) var routeHints: [RouteHint] = []
    private(set) var ignored: [BOLT11Invoice.IgnoredField] = []

    /// Takes in the next field, or notes why it does not count.
    mutating func read(_ field: TaggedField, _ policy: DecodingPolicy) throws(BOLT11Error) {
        // BOLT #11 [field-unknown-skipped]
        guard let tag = field.tag else { return ignore(field, .unknownTag) }
        // BOLT #11 [field-length-fixed]
        if let length = tag.length, field.groups.count != length {
            return ignore(field, .wrongLength)
        }
        switch tag {
        case .paymentHash:
            // BOLT #11 [first-p-counts]
            guard paymentHash == nil else { return ignore(field, .duplicate) }
            paymentHash = PaymentHash(try field.bytes32())
        case .paymentSecret:
            guard paymentSecret == nil else { return ignore(field, .duplicate) }
            paymentSecret = try field.bytes32()
        case .description:
            guard descriptionText == nil else { return ignore(field, .duplicate) }
            descriptionText = try field.text()
        case .descriptionHash:
            guard descriptionHash == nil else { return ignore(field, .duplicate) }
            descriptionHash = try field.bytes32()
        case .metadata:
            guard metadata == nil else { return ignore(field, .duplicate) }
            metadata = try field.bytes()
        case .payee:
            guard payee == nil else { return ignore(field, .duplicate) }
            payee = try field.publicKey()
        case .expiry:
            guard expirySeconds == nil else { return ignore(field, .duplicate) }
            expirySeconds = try field.integer(policy)
        case .minFinalCLTV:
            guard minFinalCLTV == nil else { return ignore(field, .duplicate) }
            minFinalCLTV = try field.integer(policy)
        case .features:
            guard features == nil else { return ignore(field, .duplicate) }
            features = try field.features(policy)
        case .fallback:
            guard let fallback = try field.fallback() else {
                return ignore(field, .unknownFallbackVersion)
            }
            fallbacks.append(fallback)
        case .routeHint:
            routeHints.append(try field.routeHint())
        }
    }

    /// What no reader does without: a payment hash and exactly one form of description.
    func required() throws(BOLT11Error) -> (PaymentHash, InvoiceDescription) {
        // BOLT #11 [p-required]
        guard let paymentHash else {
            throw BOLT11Error(
                .missingP,
                "tag p: no payment hash",
                lnd: "no payment hash found"
            )
        }
        // BOLT #11 [d-or-h]
        switch (descriptionText, descriptionHash) {
        case (let text?, nil): return (paymentHash, .text(text))
        case (nil, let hash?): return (paymentHash, .hash(hash))
        case (nil, nil):
            throw BOLT11Error(
                .descriptionRule,
                "neither tag d nor tag h is present",
                lnd: "neither description nor description hash set"
            )
        case (_?, _?):
            throw BOLT11Error(
                .descriptionRule,
                "tag d and tag h are both present",
                lnd: "both description and description hash set"
            )
        }
    }

    /// What BOLT #11 asks before paying, and lnd's decoder does not.
    func checkForPayment() throws(BOLT11Error) {
        let features = features ?? .none
        // BOLT #11 [features-required-known]
        if let bit = features.firstUnknownRequired {
            throw BOLT11Error(.unknownRequiredFeature, "tag 9: feature bit \(bit) is required")
        }
        // BOLT #11 [features-dependencies]
        if features.supports(Features.basicMPP), !features.supports(Features.paymentSecret) {
            throw BOLT11Error(
                .badFeatureDependency,
                "tag 9: multi-part payment (16/17) without payment secret (14/15)"
            )
        }
        // BOLT #11 [s-required]
        guard paymentSecret != nil else {
            throw BOLT11Error(.missingS, "tag s: no payment secret")
        }
    }

    private mutating func ignore(_ field: TaggedField, _ reason: TaggedField.IgnoredReason) {
        ignored.append(BOLT11Invoice.IgnoredField(field: field, reason: reason))
    }
}
