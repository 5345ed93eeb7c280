package import LightningTypes

/// An invoice of this node, as lnd has it now.
package struct Invoice: Equatable, Sendable {
    /// Where the invoice is in its life.
    package enum State: Hashable, Sendable {
        /// Not paid yet.
        case open
        /// A hold invoice with a complete payment waiting.
        case accepted
        /// Paid.
        case settled
        /// Never to be paid: cancelled, or expired and noticed by lnd.
        case canceled
    }

    /// The payment hash.
    package var paymentHash: PaymentHash
    /// The preimage, also before settlement; nil for a hold invoice not yet settled.
    package var preimage: Preimage?
    /// Where the invoice is in its life.
    package var state: State
    /// What the invoice asks for; nil when it leaves the amount to the payer.
    package var amount: MilliSatoshi?
    /// What was received; zero until settled.
    package var amountPaid: MilliSatoshi
    /// When the invoice was made, by lnd's clock.
    package var createdAt: UnixTime
    /// When lnd cancels the invoice if it was not paid.
    package var expiresAt: UnixTime
    /// When it was settled.
    package var settledAt: UnixTime?
    /// The description hash (BOLT #11 tag `h`).
    package var descriptionHash: Bytes32?
    /// The invoice as text; nil for a spontaneous payment, which has none.
    package var paymentRequest: Redacted<String>?
    /// Grows with each invoice; starts at 1.
    package var addIndex: UInt64
    /// Grows with each settlement; zero until settled.
    package var settleIndex: UInt64
}

extension Invoice {
    init(_ invoice: Lnrpc_Invoice) throws(LndError) {
        let answer = Answer(Lnrpc_Invoice.self)
        paymentHash = PaymentHash(try answer.bytes32(invoice.rHash, "r_hash"))
        // lnd sends no bytes, or zeros, for a preimage it does not know.
        preimage = try answer.optional32(invoice.rPreimage, "r_preimage")
            .flatMap { $0 == .zero ? nil : Preimage($0) }
        state =
            switch invoice.state {
            case .open: .open
            case .accepted: .accepted
            case .settled: .settled
            case .canceled: .canceled
            case .UNRECOGNIZED(let value):
                throw answer.malformed("state", "has the unknown value \(value)")
            }
        let asked = try answer.msat(invoice.valueMsat, "value_msat")
        amount = asked == .zero ? nil : asked
        amountPaid = try answer.msat(invoice.amtPaidMsat, "amt_paid_msat")
        createdAt = try answer.time(invoice.creationDate, "creation_date")
        expiresAt = createdAt.advanced(bySeconds: try answer.count(invoice.expiry, "expiry"))
        settledAt =
            invoice.settleDate == 0 ? nil : try answer.time(invoice.settleDate, "settle_date")
        descriptionHash = try answer.optional32(invoice.descriptionHash, "description_hash")
        paymentRequest = invoice.paymentRequest.isEmpty ? nil : Redacted(invoice.paymentRequest)
        addIndex = invoice.addIndex
        settleIndex = invoice.settleIndex
    }
}

/// A page of a list, and where the next one begins.
package struct Page<Element: Sendable>: Sendable {
    /// What the page holds; empty after the last.
    package var elements: [Element]
    /// The index of the page's last element: the offset to ask for the next page with.
    package var lastIndex: UInt64
}

extension Page: Equatable where Element: Equatable {}
