package import LightningTypes

/// One field of an invoice as it is written: a type and some groups of five bits.
package struct TaggedField: Hashable, Sendable {
    /// The fields BOLT #11 gives a meaning to, by their type.
    package enum Tag: UInt8, CaseIterable, Sendable {
        case paymentHash = 1
        case routeHint = 3
        case features = 5
        case expiry = 6
        case fallback = 9
        case description = 13
        case paymentSecret = 16
        case payee = 19
        case descriptionHash = 23
        case minFinalCLTV = 24
        case metadata = 27

        /// How many groups the field must have to count; nil where any number does.
        var length: Int? {
            switch self {
            case .paymentHash, .paymentSecret, .descriptionHash: 52
            case .payee: 53
            default: nil
            }
        }
    }

    /// Why a reader passes over a field.
    package enum IgnoredReason: String, Sendable {
        case unknownTag = "unknown_tag"
        case wrongLength = "wrong_length"
        case duplicate
        case unknownFallbackVersion = "unknown_fallback_version"
    }

    /// Below 32.
    package let type: UInt8
    /// The data, each element below 32; at most 1023.
    package let groups: ArraySlice<UInt8>

    /// Takes a field as it is; nil when a value does not fit five bits, or the length ten.
    package init?(type: UInt8, groups: some Sequence<UInt8>) {
        let groups = ArraySlice(groups)
        guard type < 32, groups.count <= Self.maximumLength, groups.allSatisfy({ $0 < 32 }) else {
            return nil
        }
        self.init(checkedType: type, groups)
    }

    /// Takes what is known to be in range.
    init(checkedType type: UInt8, _ groups: ArraySlice<UInt8>) {
        self.type = type
        self.groups = groups
    }

    /// The type's meaning; nil when BOLT #11 gives it none.
    package var tag: Tag? { Tag(rawValue: type) }

    /// The type as the character that stands in the invoice: `p`, `h`, `9`.
    package var letter: Character { Bech32.character(type) }

    static let maximumLength = 1023

    /// The type of lnd's blinded payment paths, which BOLT #11 does not know.
    static let blindedPathType: UInt8 = 20

    /// Type, length and data as groups.
    var encoded: [UInt8] {
        [type] + FiveBitGroups.groups(integer: UInt64(groups.count), count: 2) + groups
    }
}

// MARK: - Writing

extension TaggedField {
    /// Tag `p`.
    package static func paymentHash(_ hash: PaymentHash) -> TaggedField {
        TaggedField(.paymentHash, bytes: hash.bytes.bytes)
    }

    /// Tag `s`, which lnd calls the payment address.
    package static func paymentSecret(_ secret: Bytes32) -> TaggedField {
        TaggedField(.paymentSecret, bytes: secret.bytes)
    }

    /// Tag `d` or `h`.
    ///
    /// - Parameter description: A text has at most 639 bytes of UTF-8.
    /// - Returns: The field.
    /// - Throws: ``BOLT11Error`` with `field_too_long`.
    package static func description(
        _ description: InvoiceDescription
    ) throws(BOLT11Error) -> TaggedField {
        switch description {
        case .text(let text): try bounded(.description, Array(text.utf8))
        case .hash(let hash): TaggedField(.descriptionHash, bytes: hash.bytes)
        }
    }

    /// Tag `m`.
    ///
    /// - Parameter metadata: At most 639 bytes.
    /// - Returns: The field.
    /// - Throws: ``BOLT11Error`` with `field_too_long`.
    package static func metadata(_ metadata: [UInt8]) throws(BOLT11Error) -> TaggedField {
        try bounded(.metadata, metadata)
    }

    /// Tag `n`.
    package static func payee(_ key: NodeID) -> TaggedField {
        TaggedField(.payee, bytes: key.bytes)
    }

    /// Tag `x`.
    package static func expiry(seconds: UInt64) -> TaggedField {
        TaggedField(.expiry, FiveBitGroups.groups(integer: seconds))
    }

    /// Tag `c`, in blocks.
    package static func minFinalCLTV(_ delta: UInt64) -> TaggedField {
        TaggedField(.minFinalCLTV, FiveBitGroups.groups(integer: delta))
    }

    /// Tag `f`.
    package static func fallback(_ address: FallbackAddress) -> TaggedField {
        TaggedField(.fallback, [address.version] + FiveBitGroups.groups(address.program))
    }

    /// Tag `r`.
    package static func routeHint(_ hint: RouteHint) -> TaggedField {
        TaggedField(.routeHint, bytes: hint.hops.flatMap(\.bytes))
    }

    /// Tag `9`; nil when no bit is set, because writers then leave the field out.
    ///
    /// - Parameter features: Bits 0 ... 5114.
    /// - Returns: The field, or nil.
    /// - Throws: ``BOLT11Error`` with `field_too_long`.
    package static func features(_ features: Features) throws(BOLT11Error) -> TaggedField? {
        let groups = features.groups
        guard groups.count <= maximumLength else {
            throw BOLT11Error(.fieldTooLong, "tag 9: a feature bit above 5114")
        }
        // BOLT #11 [features-none-omitted]
        return groups.isEmpty ? nil : TaggedField(.features, groups)
    }

    private init(_ tag: Tag, _ groups: [UInt8]) {
        self.init(checkedType: tag.rawValue, groups[...])
    }

    private init(_ tag: Tag, bytes: [UInt8]) {
        self.init(tag, FiveBitGroups.groups(bytes))
    }

    private static func bounded(_ tag: Tag, _ bytes: [UInt8]) throws(BOLT11Error) -> TaggedField {
        let field = TaggedField(tag, bytes: bytes)
        // BOLT #11 [field-length-written]
        guard field.groups.count <= maximumLength else {
            throw BOLT11Error(
                .fieldTooLong,
                "tag \(field.letter): \(bytes.count) bytes, more than 639"
            )
        }
        return field
    }
}

extension TaggedField: CustomStringConvertible, CustomReflectable {
    /// Letter and length, never the data: `s(52)`.
    package var description: String { "\(letter)(\(groups.count))" }

    /// Shows no child, because the data may be a secret.
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
