package import LightningCrypto
package import LightningTypes

/// A decoded invoice: its values, who signed it, and everything needed to write it again.
///
/// Exists only when the signature is good; see ``init(decoding:policy:network:)``.
package struct BOLT11Invoice: Equatable, Sendable {
    /// A field the reader passed over.
    package struct IgnoredField: Equatable, Sendable {
        /// The field as it was written.
        package let field: TaggedField
        /// Why it does not count.
        package let reason: TaggedField.IgnoredReason
    }

    /// What the signature covers, with all fields in order.
    package let draft: InvoiceDraft
    /// The signature as it was written.
    package let signature: RecoverableSignature

    /// The node to be paid: tag `n`, or else the key recovered from the signature.
    package let payee: NodeID
    /// Tag `n`, when the invoice has one.
    package let payeeField: NodeID?
    /// What the payment buys the preimage of (tag `p`).
    package let paymentHash: PaymentHash
    /// What only a payer with the invoice knows (tag `s`); nil only under ``DecodingPolicy/lnd``.
    package let paymentSecret: Bytes32?
    /// What the payment is for (tag `d` or `h`).
    package let description: InvoiceDescription
    /// Bytes that the payment must carry back (tag `m`).
    package let metadata: [UInt8]?
    /// Validity in seconds after the timestamp (tag `x`), when the invoice says so.
    package let expirySeconds: UInt64?
    /// Blocks the last hop must leave (tag `c`), when the invoice says so.
    package let minFinalCLTV: UInt64?
    /// What the payee offers and requires (tag `9`).
    package let features: Features
    /// On-chain addresses, the preferred one first (tags `f`).
    package let fallbacks: [FallbackAddress]
    /// Private routes to the payee (tags `r`).
    package let routeHints: [RouteHint]
    /// The fields that do not count, in order.
    package let ignoredFields: [IgnoredField]

    /// Validity in seconds after the timestamp: as stated, or 3600 (BOLT #11 [expiry-default]).
    package var effectiveExpirySeconds: UInt64 { expirySeconds ?? 3600 }
    /// Blocks the last hop must leave: as stated, or 18 (BOLT #11 [final-cltv-default]).
    package var effectiveMinFinalCLTV: UInt64 { minFinalCLTV ?? 18 }
    /// The last second at which the invoice may be paid.
    package var expiresAt: UnixTime { timestamp.advanced(bySeconds: effectiveExpirySeconds) }

    /// The network to be paid on.
    package var network: Network { draft.network }
    /// What to pay; nil leaves it to the payer.
    package var amount: MilliSatoshi? { draft.amount }
    /// When the invoice was made.
    package var timestamp: UnixTime { draft.timestamp }

    /// Whether the invoice is to be paid through blinded paths (an extension of lnd and eclair).
    ///
    /// The payee then can't be compared with the peer that sent the invoice, so an LCP requester
    /// refuses it.
    package var hidesPayee: Bool {
        features.supports(Features.blindedPaths)
            || draft.fields.contains { $0.type == TaggedField.blindedPathType }
    }

    /// Whether the invoice can be paid only by AMP, where no preimage proves the payment.
    package var requiresAMP: Bool { features.contains(Features.amp) }
}

extension BOLT11Invoice: CustomReflectable {
    /// Shows the payment hash and nothing else, because the fields hold a secret.
    package var customMirror: Mirror {
        Mirror(self, children: ["paymentHash": paymentHash], displayStyle: .struct)
    }
}
