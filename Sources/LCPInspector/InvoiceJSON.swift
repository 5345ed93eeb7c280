package import BOLT11
import LightningCrypto
import LightningTypes

extension JSONText {
    /// Explains an invoice that a person typed or pasted.
    ///
    /// - Parameter text: The invoice, in lower or upper case; a `lightning:` before it is ignored.
    /// - Throws: ``InspectionError`` with the invoice's failure kind (`bad_checksum`).
    package init(invoice text: String) throws(InspectionError) {
        do {
            self.init(try BOLT11Invoice(decoding: BOLT11Invoice.withoutScheme(text)))
        } catch {
            throw InspectionError(code: error.kind.rawValue, detail: "invoice: \(error.detail)")
        }
    }

    /// The fields of an invoice; `null` for what it does not have.
    package init(_ invoice: BOLT11Invoice) {
        let (text, hash): (String?, String?) =
            switch invoice.description {
            case .text(let text): (text, nil)
            case .hash(let hash): (nil, hash.hex)
            }
        self = [
            "prefix": .string(invoice.network.prefix),
            "network": .string(invoice.network.rawValue),
            "amount_msat": .number(invoice.amount?.msat),
            "timestamp": .number(invoice.timestamp.seconds),
            "payment_hash": .string(invoice.paymentHash.hex),
            "payment_secret": .text(invoice.paymentSecret?.hex),
            "description": .text(text),
            "description_hash": .text(hash),
            "metadata": .text(invoice.metadata.map { Hex.encode($0) }),
            "payee_field": .text(invoice.payeeField?.hex),
            "payee": .string(invoice.payee.hex),
            "expiry": .number(invoice.expirySeconds),
            "expiry_effective": .number(invoice.effectiveExpirySeconds),
            "min_final_cltv": .number(invoice.minFinalCLTV),
            "min_final_cltv_effective": .number(invoice.effectiveMinFinalCLTV),
            "features": .array(invoice.features.bits.map { .number(UInt64($0)) }),
            "fallbacks": .array(invoice.fallbacks.map { .fallback($0, on: invoice.network) }),
            "route_hints": .array(invoice.routeHints.map { .array($0.hops.map(JSONText.hop)) }),
            "ignored_fields": .array(
                invoice.ignoredFields.map { .field($0.field, ignoredAs: $0.reason) }
            ),
            "fields_in_order": .array(invoice.draft.fields.map { .field($0) }),
            "signature": [
                "r": .string(invoice.signature.r.hex),
                "s": .string(invoice.signature.s.hex),
                "recovery_id": .number(UInt64(invoice.signature.recoveryID)),
                "high_s": .bool(invoice.signature.hasHighS),
            ],
            "signing_preimage_hex": .string(Hex.encode(invoice.draft.signingPreimage)),
            "signing_hash": .string(invoice.draft.signingHash.hex),
        ]
    }

    private static func fallback(_ address: FallbackAddress, on network: Network) -> JSONText {
        [
            "version": .number(UInt64(address.version)),
            "kind": .string(address.kind.rawValue),
            "program": .string(Hex.encode(address.program)),
            "address": .string(address.address(on: network)),
        ]
    }

    private static func hop(_ hop: RouteHop) -> JSONText {
        [
            "pubkey": .string(hop.nodeID.hex),
            "short_channel_id": .string("\(hop.shortChannelID)"),
            "short_channel_id_u64": .string(String(hop.shortChannelID.value)),
            "fee_base_msat": .number(UInt64(hop.feeBaseMsat)),
            "fee_proportional_millionths": .number(UInt64(hop.feeProportionalMillionths)),
            "cltv_expiry_delta": .number(UInt64(hop.cltvExpiryDelta)),
        ]
    }

    private static func field(
        _ field: TaggedField,
        ignoredAs reason: TaggedField.IgnoredReason? = nil
    ) -> JSONText {
        var members: [Member] = [
            .init(name: "tag", value: .string(String(field.letter))),
            .init(name: "type", value: .number(UInt64(field.type))),
            .init(name: "data_length", value: .number(UInt64(field.groups.count))),
        ]
        if let reason { members.append(.init(name: "reason", value: .string(reason.rawValue))) }
        return .object(members)
    }
}
