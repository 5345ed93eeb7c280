package import LCPWire
package import LightningTypes

extension ProviderJob {
    /// What a quote will say, before its invoice exists; never changes afterwards.
    package struct Draft: Equatable, Sendable {
        /// What both sides agree on; identifies the request by its hashes.
        package let terms: V01.Terms
        /// The hash of the terms, to which the invoice is bound.
        package let termsHash: TermsHash
        /// What will be executed.
        package let task: PricedTask

        /// Takes what a mapping has stored.
        package init(terms: V01.Terms, termsHash: TermsHash, task: PricedTask) {
            self.terms = terms
            self.termsHash = termsHash
            self.task = task
        }

        /// Whether a request is the one this quote answers.
        ///
        /// Compares what the terms hold of the request, not price or time: asking again later is
        /// still the same question.
        func answers(_ request: Request) -> Bool {
            guard
                let asked = try? V01.Terms(
                    protocolVersion: request.protocolVersion,
                    jobID: terms.jobID,
                    price: terms.price,
                    quoteExpiry: terms.quoteExpiry,
                    taskKind: request.body.taskKind,
                    input: request.body.input,
                    params: request.body.params
                ), let hash = try? asked.hash()
            else { return false }
            // LCP v0.1 §5.2 [other-request-refused]
            return hash == termsHash
        }
    }

    /// A promise to work: terms, and the invoice bound to them.
    package struct Quote: Equatable, Sendable {
        /// What was promised.
        package let draft: Draft
        /// The invoice's payment hash.
        package let paymentHash: PaymentHash
        /// The invoice, at most 7089 bytes; part of every repetition of the quote.
        package let paymentRequest: Redacted<String>

        /// Joins a draft and its invoice.
        package init(draft: Draft, paymentHash: PaymentHash, paymentRequest: Redacted<String>) {
            self.draft = draft
            self.paymentHash = paymentHash
            self.paymentRequest = paymentRequest
        }

        /// The end of the quote.
        package var expiry: UnixTime { draft.terms.quoteExpiry }

        /// The body of the `lcp_quote_response`; the same each time it is sent.
        package var response: V01.QuoteResponse {
            V01.QuoteResponse(
                price: draft.terms.price,
                quoteExpiry: draft.terms.quoteExpiry,
                termsHash: draft.termsHash,
                paymentRequest: paymentRequest.reveal("the quote carries its invoice")
            )
        }
    }

    /// The invoice lnd is asked for (LCP v0.1 §5.3).
    package struct InvoiceOrder: Equatable, Sendable {
        /// The exact amount.
        package let amount: MilliSatoshi
        /// The terms hash, for the invoice's `description_hash`.
        package let descriptionHash: TermsHash
        /// When the invoice must have ended.
        ///
        /// A time and not a duration: lnd counts from when it makes the invoice, which may be late.
        package let expiresAt: UnixTime

        /// Makes an order.
        package init(amount: MilliSatoshi, descriptionHash: TermsHash, expiresAt: UnixTime) {
            self.amount = amount
            self.descriptionHash = descriptionHash
            self.expiresAt = expiresAt
        }

        /// The invoice's expiry as lnd wants it.
        ///
        /// - Parameter now: When lnd is asked.
        /// - Returns: Seconds, at least 1: lnd takes 0 for a day.
        package func expirySeconds(at now: UnixTime) -> UInt64 {
            expiresAt > now ? expiresAt.seconds - now.seconds : 1
        }
    }

    /// What compute is asked for; the input is the job's stored blob.
    package struct ComputeOrder: Equatable, Sendable {
        /// What to execute, within which limits.
        package let task: PricedTask
        /// The most result bytes that fit the peer's `max_payload_bytes`.
        package let maxResultBytes: UInt32

        /// Makes an order.
        package init(task: PricedTask, maxResultBytes: UInt32) {
            self.task = task
            self.maxResultBytes = maxResultBytes
        }
    }

    /// How a paid job ended; there is one for each payment and it never changes.
    package enum Answer: Equatable, Sendable {
        /// Part or all of the job's stored output.
        case result(Output)
        /// An error; its texts are constants that tell nothing of our insides.
        case failure(V01.Failure)
    }

    /// The stored output, as far as it is sent.
    package struct Output: Equatable, Sendable {
        /// How many of the stored bytes are sent, from the first.
        package let byteCount: UInt32
        /// Whether that is not all of them.
        package let isCut: Bool
        /// The media type.
        package let contentType: String

        /// Describes an output.
        package init(byteCount: UInt32, isCut: Bool, contentType: String) {
            self.byteCount = byteCount
            self.isCut = isCut
            self.contentType = contentType
        }
    }
}
