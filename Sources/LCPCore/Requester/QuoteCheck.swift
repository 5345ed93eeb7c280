package import BOLT11
package import LCPWire
package import LightningTypes

/// Why a quote must not be paid.
///
/// What a peer did wrong, not an error of ours.
package enum QuoteDefect: Error, Hashable, Sendable {
    /// The quote was over when it came.
    case quoteExpired
    /// The terms hash is not that of our request at this price and expiry.
    case termsHash
    /// The invoice breaks BOLT #11, or is of another network.
    case invoice(BOLT11Error.Kind)
    /// The invoice leaves the amount to the payer.
    case amountMissing
    /// The invoice's amount is not the price.
    case amount
    /// The invoice has a text where the terms hash must stand.
    case descriptionNotHashed
    /// The invoice is bound to something else.
    case descriptionHash
    /// The payment would go to another node.
    case payee
    /// Blinded paths hide to whom the payment would go.
    case payeeHidden
    /// Only AMP could pay it, which proves nothing.
    case ampRequired
    /// The invoice could be paid after the quote's end.
    case outlivesQuote
    /// The invoice was over when it came.
    case invoiceExpired
    /// The payee could lock the funds for too long.
    case finalCLTV
    /// Too little time is left to pay.
    case tooLateToPay
}

/// Everything that must hold before a quote may be paid (LCP v0.1 §5.3).
package struct QuoteCheck: Sendable {
    /// The terms of our request; price and expiry are taken from the response.
    package var request: V01.Terms
    /// The peer that quotes, who must be the payee.
    package var peer: NodeID
    /// What we accept.
    package var rules: RequesterRules

    /// Makes a check.
    package init(request: V01.Terms, peer: NodeID, rules: RequesterRules) {
        self.request = request
        self.peer = peer
        self.rules = rules
    }

    /// Judges a response.
    ///
    /// - Parameters:
    ///   - response: The body of an `lcp_quote_response` to this request.
    ///   - now: The time.
    /// - Returns: An offer that may be paid, or the first defect.
    package func offer(
        from response: V01.QuoteResponse,
        at now: UnixTime
    ) -> Result<RequesterJob.Offer, QuoteDefect> {
        do throws(QuoteDefect) { return .success(try judge(response, now)) } catch {
            return .failure(error)
        }
    }

    private func judge(
        _ response: V01.QuoteResponse,
        _ now: UnixTime
    ) throws(QuoteDefect) -> RequesterJob.Offer {
        guard now < response.quoteExpiry else { throw .quoteExpired }
        var terms = request
        terms.price = response.price
        terms.quoteExpiry = response.quoteExpiry
        // LCP v0.1 §5.3 [check-terms]
        guard let hash = try? terms.hash(), hash == response.termsHash else { throw .termsHash }

        let invoice: BOLT11Invoice
        do throws(BOLT11Error) {
            invoice = try BOLT11Invoice(
                decoding: response.paymentRequest,
                network: rules.network
            )
        } catch { throw .invoice(error.kind) }
        try checkBinding(of: invoice, to: response)
        // The sum can't overflow: the decoder has refused that.
        let latest = response.quoteExpiry.advanced(bySeconds: rules.expirySkewSeconds)
        // LCP v0.1 §5.3 [check-invoice-expiry]
        guard invoice.expiresAt <= latest else { throw .outlivesQuote }
        guard now < invoice.expiresAt else { throw .invoiceExpired }
        guard invoice.effectiveMinFinalCLTV <= rules.maxFinalCLTV else { throw .finalCLTV }

        let left = response.quoteExpiry.seconds - now.seconds
        let margin = min(rules.paymentMarginSeconds, left / 2)
        let notAfter = min(
            UnixTime(seconds: response.quoteExpiry.seconds - margin),
            invoice.expiresAt
        )
        guard now < notAfter else { throw .tooLateToPay }
        return RequesterJob.Offer(
            terms: terms,
            termsHash: hash,
            paymentHash: invoice.paymentHash,
            paymentRequest: Redacted(response.paymentRequest),
            notAfter: notAfter
        )
    }

    /// The four bindings of LCP v0.1 §5.3, and what would make one of them meaningless.
    private func checkBinding(
        of invoice: BOLT11Invoice,
        to response: V01.QuoteResponse
    ) throws(QuoteDefect) {
        // LCP v0.1 §5.3 [check-amount-stated]
        guard let amount = invoice.amount, amount > .zero else { throw .amountMissing }
        // LCP v0.1 §5.3 [check-amount]
        guard amount == response.price else { throw .amount }
        // LCP v0.1 §5.3 [check-description-hash]
        switch invoice.description {
        case .text: throw .descriptionNotHashed
        case .hash(let hash):
            guard hash == response.termsHash.bytes else { throw .descriptionHash }
        }
        guard !invoice.hidesPayee else { throw .payeeHidden }
        // LCP v0.1 §5.3 [check-payee]
        guard invoice.payee == peer else { throw .payee }
        guard !invoice.requiresAMP else { throw .ampRequired }
    }
}
