package import LightningTypes

/// An invoice as lnd's own decoder reads it (`DecodePayReq`).
///
/// lnd is laxer than BOLT #11: good for a cross-check, not for deciding to pay.
package struct DecodedInvoice: Equatable, Sendable {
    /// Who is paid.
    package var payee: NodeID
    /// The payment hash.
    package var paymentHash: PaymentHash
    /// What is asked for; nil when the amount is left to the payer.
    package var amount: MilliSatoshi?
    /// When the invoice was made, by the payee's clock.
    package var createdAt: UnixTime
    /// From when on it can't be paid.
    package var expiresAt: UnixTime
    /// The description; empty when there is a hash instead.
    package var description: Redacted<String>
    /// The description hash.
    package var descriptionHash: Bytes32?
    /// Final CLTV delta in blocks.
    package var finalCLTVDelta: UInt64
    /// Whether the invoice carries a payment secret; without one nobody can pay it.
    package var hasPaymentSecret: Bool
    /// Whether the invoice hides the payee behind blinded paths.
    package var hasBlindedPaths: Bool
}

extension DecodedInvoice {
    init(_ invoice: Lnrpc_PayReq) throws(LndError) {
        let answer = Answer(Lnrpc_PayReq.self)
        payee = try answer.nodeID(invoice.destination, "destination")
        paymentHash = PaymentHash(try answer.bytes32(hex: invoice.paymentHash, "payment_hash"))
        let asked = try answer.msat(invoice.numMsat, "num_msat")
        amount = asked == .zero ? nil : asked
        createdAt = try answer.time(invoice.timestamp, "timestamp")
        expiresAt = createdAt.advanced(bySeconds: try answer.count(invoice.expiry, "expiry"))
        description = Redacted(invoice.description_p)
        descriptionHash =
            invoice.descriptionHash.isEmpty
            ? nil : try answer.bytes32(hex: invoice.descriptionHash, "description_hash")
        finalCLTVDelta = try answer.count(invoice.cltvExpiry, "cltv_expiry")
        // lnd writes 32 zeros for none.
        let secret = try answer.optional32(invoice.paymentAddr, "payment_addr")
        hasPaymentSecret = secret != nil && secret != .zero
        hasBlindedPaths = !invoice.blindedPaths.isEmpty
    }
}
