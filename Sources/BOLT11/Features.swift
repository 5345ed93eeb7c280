/// The feature bits of an invoice: what the payee offers (odd) and what it requires (even).
///
/// BOLT #11 tag `9`, bits of BOLT #9. At most 5115 bits fit a field.
package struct Features: Hashable, Sendable {
    /// The bits that are set, ascending, each once.
    package let bits: [UInt16]

    /// Takes the numbers of the bits to set, in any order.
    package init(_ bits: some Sequence<UInt16>) { self.bits = Set(bits).sorted() }

    /// No bit; an invoice without tag `9`.
    package static let none = Features([UInt16]())

    /// What lnd writes into an invoice by default.
    ///
    /// Onion format and payment secret are required; multi-part payment and route blinding are
    /// offered.
    package static let lndInvoice = Features([8, 14, 17, 25])

    /// Whether the bit is set.
    package func contains(_ bit: UInt16) -> Bool { bits.contains(bit) }

    /// Whether the feature is offered or required; `even` is the even bit of its pair.
    package func supports(_ even: UInt16) -> Bool { contains(even) || contains(even | 1) }

    /// `payment_secret`.
    package static let paymentSecret: UInt16 = 14
    /// `basic_mpp`, which depends on ``paymentSecret``.
    package static let basicMPP: UInt16 = 16
    /// lnd's AMP, required.
    package static let amp: UInt16 = 30
    /// lnd's and eclair's blinded paths in an invoice.
    package static let blindedPaths: UInt16 = 262

    /// The even bits whose meaning is known here.
    ///
    /// 8 onion format, 14 payment secret, 16 multi-part, 24 route blinding, 30 AMP, 36 attribution
    /// data, 48 payment metadata, 262 blinded paths. Known is not usable: an LCP payer also asks
    /// ``BOLT11Invoice/requiresAMP`` and ``BOLT11Invoice/hidesPayee``.
    package static let known: Set<UInt16> = [8, 14, 16, 24, 30, 36, 48, 262]

    /// The lowest bit that is required and unknown; an invoice that has one must not be paid.
    package var firstUnknownRequired: UInt16? {
        // BOLT #11 [features-odd-ignored]
        bits.first { $0 % 2 == 0 && !Self.known.contains($0) }
    }

    /// Reads the bit string of a field: big-endian, bit 0 last.
    init(groups: ArraySlice<UInt8>) {
        var bits: [UInt16] = []
        for (index, group) in groups.reversed().enumerated() where group != 0 {
            // A field has at most 1023 groups.
            for bit in 0..<5 where group >> UInt8(bit) & 1 == 1 {
                bits.append(UInt16(index * 5 + bit))
            }
        }
        self.bits = bits
    }

    /// The shortest bit string of a field; empty when no bit is set.
    var groups: [UInt8] {
        guard let highest = bits.last else { return [] }
        let last = Int(highest) / 5
        var groups = [UInt8](repeating: 0, count: last + 1)
        for bit in bits { groups[last - Int(bit) / 5] |= 1 << UInt8(bit % 5) }
        return groups
    }
}
