package import LightningTypes

extension V01 {
    /// `lcp_quote_response`: a price, and an invoice bound to the job's terms (LCP v0.1 §5.3).
    ///
    /// The envelope (§4.1) travels beside the body.
    package struct QuoteResponse: Equatable, Sendable {
        /// What the whole job costs.
        package var price: MilliSatoshi
        /// After this the quote is void and the invoice must have expired (Unix seconds).
        package var quoteExpiry: UnixTime
        /// Binds the invoice to the job; see ``Terms``.
        package var termsHash: TermsHash
        /// The BOLT #11 invoice, as text; never empty, not checked here.
        package var paymentRequest: String

        /// Makes a response.
        package init(
            price: MilliSatoshi,
            quoteExpiry: UnixTime,
            termsHash: TermsHash,
            paymentRequest: String
        ) {
            self.price = price
            self.quoteExpiry = quoteExpiry
            self.termsHash = termsHash
            self.paymentRequest = paymentRequest
        }

        /// The table of `lcp_quote_response`.
        package static let codec = MessageCodec<QuoteResponse>(
            { QuoteResponse(price: $0, quoteExpiry: $1, termsHash: $2, paymentRequest: $3) },
            // LCP v0.1 §5.3 [response-records]
            TLV.required(30, "price_msat", \.price, .msat),
            TLV.required(31, "quote_expiry", \.quoteExpiry, .unixTime),
            TLV.required(32, "terms_hash", \.termsHash, .bytes32()),
            TLV.required(33, "payment_request", \.paymentRequest, .nonEmptyUTF8)
        )
    }
}
