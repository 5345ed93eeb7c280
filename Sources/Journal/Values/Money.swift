package import LightningTypes

/// An invoice of ours, as it was made.
package struct InvoiceTerms: Hashable, Sendable {
    /// What a payer would pay for.
    package var hash: PaymentHash
    /// What it asks for.
    package var amount: MilliSatoshi
    /// After this lnd accepts no payment for it.
    package var expiresAt: UnixTime
    /// What is sold, for the ledger.
    package var profile: String

    /// Takes the parts.
    package init(
        hash: PaymentHash,
        amount: MilliSatoshi,
        expiresAt: UnixTime,
        profile: String
    ) {
        self.hash = hash
        self.amount = amount
        self.expiresAt = expiresAt
        self.profile = profile
    }
}

/// An invoice of ours and what became of it.
package struct InvoiceRecord: Hashable, Sendable {
    /// What is known of it.
    package enum State: UInt8, Sendable, CaseIterable {
        /// It may still be paid.
        case open = 0
        /// It was paid.
        case settled = 1
        /// It can't be paid any more and was not.
        case cancelled = 2
    }

    /// The invoice as it was made.
    package var terms: InvoiceTerms
    /// The job it was made for, which may have been pruned since.
    package var job: JobKey
    /// What is known of it.
    package var state: State
    /// What was paid; nil unless it is settled.
    package var paid: MilliSatoshi?
}

/// The decision to pay, to be on disk before the call.
package struct PaymentIntent: Sendable {
    /// What is paid for; one job's alone for ever.
    package var hash: PaymentHash
    /// What the payee gets.
    package var amount: MilliSatoshi
    /// What the route may cost at most; reserved with the amount.
    package var maxFee: MilliSatoshi
    /// The call must not be made after this.
    package var notAfter: UnixTime
    /// What is bought, for the ledger.
    package var profile: String
    /// What the bridge needs to try the same hash again; opaque, and gone once that is over.
    package var instruction: Redacted<[UInt8]>

    /// Takes the parts.
    package init(
        hash: PaymentHash,
        amount: MilliSatoshi,
        maxFee: MilliSatoshi,
        notAfter: UnixTime,
        profile: String,
        instruction: Redacted<[UInt8]>
    ) {
        self.hash = hash
        self.amount = amount
        self.maxFee = maxFee
        self.notAfter = notAfter
        self.profile = profile
        self.instruction = instruction
    }
}

/// Why a payment may not be made, in words that reach the client.
package struct PaymentRefusal: Hashable, Sendable {
    /// A short stable label: `daily-budget`.
    package var code: String
    /// What is exceeded: `daily budget of 100000 msat: 90000 spent or reserved, 20000 wanted`.
    package var reason: String
    /// What to change.
    package var advice: String

    /// Takes the three parts.
    package init(code: String, reason: String, advice: String) {
        self.code = code
        self.reason = reason
        self.advice = advice
    }
}

/// Decides, inside the transaction that commits the intent, whether it fits the budgets.
///
/// Runs on the writer's connection with nobody else writing, so two payments can't both take the
/// last of a budget. It must not wait, and must not keep ``Spending``.
package typealias PaymentCheck =
    @Sendable (Spending) throws(JournalError) -> PaymentRefusal?

/// A payment to decide on in the transaction that commits its step.
package struct PaymentDecision: Sendable {
    /// What is to be paid.
    package var intent: PaymentIntent
    /// Whether it fits the budgets.
    package var check: PaymentCheck

    /// Takes both parts.
    package init(intent: PaymentIntent, check: @escaping PaymentCheck) {
        self.intent = intent
        self.check = check
    }
}

/// A payment and what became of it.
package struct PaymentRecord: Sendable {
    /// What is known of it.
    package enum Status: UInt8, Sendable, CaseIterable {
        /// It may still succeed; its money is reserved.
        case unresolved = 0
        /// It was paid.
        case succeeded = 1
        /// It was not paid and never will be.
        case failed = 2
    }

    /// The decision as it was committed.
    package var intent: PaymentIntent
    /// The job it is for, which may have been pruned since.
    package var job: JobKey
    /// What is known of it.
    package var status: Status
    /// Whether the call may have been made; true for every intent found at a start.
    package var attempted: Bool
    /// When the intent was committed.
    package var intendedAt: UnixTime
    /// What the route cost; nil unless it succeeded.
    package var fee: MilliSatoshi?
    /// The proof; nil unless it succeeded.
    package var preimage: Preimage?
}

/// One line of the books: a job's price, earned or spent.
package struct LedgerEntry: Hashable, Sendable {
    /// Its place: entries are numbered in the order they were written.
    package var id: Int64
    /// When it was recorded.
    package var at: UnixTime
    /// The job: a provider earned, a requester spent.
    package var job: JobKey
    /// What was sold or bought.
    package var profile: String
    /// The price, without the fee.
    package var amount: MilliSatoshi
    /// What a requester's route cost; nothing for a provider.
    package var fee: MilliSatoshi
    /// The payment hash.
    package var hash: PaymentHash
    /// Whether the result was cut to fit the peer.
    package var isCut: Bool
    /// What the backend counted for the result; nothing when it does not count.
    package var tokens: TokenCount
}

/// What a computation took, as the backend counts it.
package struct TokenCount: Hashable, Sendable {
    /// The tokens of the prompt.
    package var input: UInt64
    /// The tokens of the answer.
    package var output: UInt64

    /// Takes both.
    package init(input: UInt64, output: UInt64) {
        self.input = input
        self.output = output
    }

    /// Nothing was counted.
    package static let none = TokenCount(input: 0, output: 0)
}

/// Sums over the ledger.
package struct LedgerTotals: Hashable, Sendable {
    /// Paid to us.
    package var earned: MilliSatoshi
    /// Paid by us, without fees.
    package var spent: MilliSatoshi
    /// Paid by us to routing nodes.
    package var fees: MilliSatoshi
}
