package import LCPWire
package import LightningTypes

extension RequesterJob {
    /// A request that waits for its quote.
    package struct Asking: Equatable, Sendable {
        /// The request's terms under its newest job id; price and expiry are still 0.
        package var terms: V01.Terms
        /// The price up to which the client has agreed; nil when it wants to see it first.
        package var ceiling: MilliSatoshi?
        /// How often the quote was asked for.
        package var attempts: UInt32
        /// When to ask again.
        package var deadline: UnixTime

        /// Takes what a mapping has stored.
        package init(
            terms: V01.Terms,
            ceiling: MilliSatoshi?,
            attempts: UInt32,
            deadline: UnixTime
        ) {
            self.terms = terms
            self.ceiling = ceiling
            self.attempts = attempts
            self.deadline = deadline
        }
    }

    /// A quote that passed every check; nothing in it changes afterwards.
    package struct Offer: Equatable, Sendable {
        /// What both sides agree on.
        package let terms: V01.Terms
        /// Its hash, to which the invoice is bound.
        package let termsHash: TermsHash
        /// What the payment buys the preimage of.
        package let paymentHash: PaymentHash
        /// The invoice, at most 7089 bytes.
        package let paymentRequest: Redacted<String>
        /// The last moment a payment may begin.
        package let notAfter: UnixTime

        /// Takes what a mapping has stored.
        package init(
            terms: V01.Terms,
            termsHash: TermsHash,
            paymentHash: PaymentHash,
            paymentRequest: Redacted<String>,
            notAfter: UnixTime
        ) {
            self.terms = terms
            self.termsHash = termsHash
            self.paymentHash = paymentHash
            self.paymentRequest = paymentRequest
            self.notAfter = notAfter
        }

        /// The job id under which the quote was given.
        package var jobID: JobID { terms.jobID }
        /// What the job costs, without routing fees.
        package var price: MilliSatoshi { terms.price }
    }

    /// What the bridge is asked to pay; it decides from the invoice it decodes itself.
    package struct PaymentIntent: Equatable, Sendable {
        /// The quote to pay.
        package let offer: Offer
        /// The price up to which the client has agreed.
        package let ceiling: MilliSatoshi

        /// Makes an intent.
        package init(offer: Offer, ceiling: MilliSatoshi) {
            self.offer = offer
            self.ceiling = ceiling
        }
    }

    /// A payment that has been made.
    package struct Receipt: Equatable, Sendable {
        /// What was bought.
        package let offer: Offer
        /// The proof of payment.
        package let preimage: Preimage
        /// What routing cost.
        package let fee: MilliSatoshi
        /// When the client is told that no answer came.
        package var deadline: UnixTime
        /// How often the answer was asked for.
        package var repeats: UInt32
        /// When it was asked for last, or paid for.
        package var askedAt: UnixTime
        /// When to ask for it again.
        package var repeatAt: UnixTime
        /// An error that came after a repeat; the answer, if no result comes by the deadline.
        package var provisional: V01.Failure?

        /// Takes what a mapping has stored.
        package init(
            offer: Offer,
            preimage: Preimage,
            fee: MilliSatoshi,
            deadline: UnixTime,
            repeats: UInt32,
            askedAt: UnixTime,
            repeatAt: UnixTime,
            provisional: V01.Failure?
        ) {
            self.offer = offer
            self.preimage = preimage
            self.fee = fee
            self.deadline = deadline
            self.repeats = repeats
            self.askedAt = askedAt
            self.repeatAt = repeatAt
            self.provisional = provisional
        }
    }

    /// What the provider said to a paid job.
    package enum Answer: Equatable, Sendable {
        /// A result; its bytes are in the journal with the message.
        case result(ReceivedResult)
        /// An error.
        case failure(V01.Failure)
    }

    /// A result that was received, without its bytes.
    package struct ReceivedResult: Equatable, Sendable {
        /// The message that carried it.
        package let messageID: MessageID
        /// Its length.
        package let byteCount: UInt32
        /// Its media type; nil when the provider didn't say.
        package let contentType: String?

        /// Describes a result.
        package init(messageID: MessageID, byteCount: UInt32, contentType: String?) {
            self.messageID = messageID
            self.byteCount = byteCount
            self.contentType = contentType
        }
    }

    /// How a job ended.
    package enum Ending: Equatable, Sendable {
        /// Paid and answered; nothing more is accepted.
        case answered(Receipt, Answer)
        /// Nothing was paid.
        case unpaid(UnpaidReason)
        /// A payment was tried and failed for good.
        case paymentFailed(Offer, PaymentFailure)
    }

    /// Why a job ended without a payment being tried.
    package enum UnpaidReason: Equatable, Sendable {
        /// The task can't be written as a request.
        case invalidTask
        /// The request exceeds the peer's `max_payload_bytes`.
        case requestTooLarge
        /// The peer gave no quote, however often it was asked.
        case noQuote
        /// The peer refused.
        case refused(V01.Failure)
        /// The quote failed a check.
        case defectiveQuote(QuoteDefect)
        /// The quote was not accepted in time.
        case quoteExpired
        /// The client cancelled.
        case cancelled
    }

    /// Why a payment failed; final, as far as money goes.
    package enum PaymentFailure: Equatable, Sendable {
        /// Withdrawn before it began.
        case withdrawn
        /// `notAfter` had passed before it began.
        case tooLate
        /// A money rule of the bridge refused it.
        case refused(PaymentObjection)
        /// lnd gave up.
        case lnd(PaymentObjection)
    }

    /// Why a payment was not made, in the bridge's words.
    package struct PaymentObjection: Equatable, Sendable {
        /// The name of the rule, or of lnd's `failure_reason`.
        package var code: String
        /// What happened; tells nothing of contents or invoices.
        package var detail: String
        /// What to change.
        package var advice: String

        /// Takes the three parts.
        package init(code: String, detail: String = "", advice: String = "") {
            self.code = code
            self.detail = detail
            self.advice = advice
        }
    }
}
