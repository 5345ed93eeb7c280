import BOLT11
package import BridgeProtocol
import FoundationEssentials
package import Journal
package import LightningTypes

extension PaymentDecision {
    /// The intent with its check, for a record of its own.
    package var fact: Fact { .paymentIntended(intent, check: check) }
}

extension MoneyRules {
    /// Decides whether a payment may be made, from the invoice decoded by ourselves.
    ///
    /// A worker's word counts for nothing here: its claims must agree with the invoice, and a
    /// client's price ceiling must stand behind it (design: money rules stand twice). That a hash
    /// belongs to one job, and a job has one payment, the journal sees to when the intent is
    /// committed.
    ///
    /// - Parameters:
    ///   - pay: What the worker asks for.
    ///   - job: The worker's job; its peer must be the payee.
    ///   - ceiling: The highest price a client has agreed to for this job, routing fees apart.
    ///   - now: The bridge's clock.
    /// - Returns: What to commit, or the first rule that is against it.
    package func decide(
        _ pay: BusPay,
        job: JobKey,
        ceiling: MilliSatoshi?,
        now: UnixTime
    ) -> Result<PaymentDecision, BusFailure> {
        do throws(BusFailure) {
            return .success(try judge(pay, job, ceiling, now))
        } catch {
            return .failure(error)
        }
    }

    /// Whether a payment that was committed before may still be called for: limits may have been
    /// lowered while the bridge was down.
    ///
    /// Budgets are not asked again, since the payment is in them already.
    ///
    /// - Parameter record: The payment.
    /// - Returns: The first rule that is against it; nil when it may go on.
    func objection(to record: PaymentRecord) -> BusFailure? {
        do throws(BusFailure) {
            try checkPayee(record.job.peer)
            try checkSize(record.intent.amount, record.intent.maxFee)
            if isDryRun { throw Self.dryRun(record.intent.amount, record.job.peer) }
            return nil
        } catch {
            return error
        }
    }

    // MARK: - The rules

    private func judge(
        _ pay: BusPay,
        _ job: JobKey,
        _ ceiling: MilliSatoshi?,
        _ now: UnixTime
    ) throws(BusFailure) -> PaymentDecision {
        guard job.role == .requester else {
            throw BusFailure(
                "not-a-requester",
                "\(job) asks for a payment",
                "Fix the worker: only a requester's job pays."
            )
        }
        let amount = MilliSatoshi(msat: pay.amountMsat)
        guard let hash = Bytes32(pay.paymentHash), let terms = Bytes32(pay.descriptionHash),
            amount > .zero, pay.profile.utf8.count <= Self.maximumProfile
        else {
            throw BusFailure(
                "malformed-order",
                "amount, hashes or profile of the order are malformed",
                "Fix the worker that asked for the payment."
            )
        }
        try Self.checkConsent(to: amount, ceiling)
        let invoice = try decode(pay.paymentRequest)
        try checkBinding(of: invoice, to: job.peer, amount, PaymentHash(hash), terms)
        let notAfter = try checkTimes(of: invoice, pay, now)
        try checkLock(of: invoice)
        try checkPayee(job.peer)
        let maxFee = maxFee(for: amount)
        let cost = try checkSize(amount, maxFee)
        return PaymentDecision(
            intent: PaymentIntent(
                hash: invoice.paymentHash,
                amount: amount,
                maxFee: maxFee,
                notAfter: notAfter,
                profile: pay.profile,
                // Everything else that a further call needs stands in the invoice or the rules.
                instruction: Redacted(Array(pay.paymentRequest.utf8))
            ),
            check: check(cost, price: amount, to: job.peer, now)
        )
    }

    private static let maximumProfile = 256

    private static func checkConsent(
        to amount: MilliSatoshi,
        _ ceiling: MilliSatoshi?
    ) throws(BusFailure) {
        guard let ceiling else {
            throw BusFailure(
                "no-ceiling",
                "no client agrees to a price for this job",
                "Submit with a price ceiling, or accept the quote."
            )
        }
        guard amount <= ceiling else {
            throw BusFailure(
                "above-ceiling",
                "\(amount) is above the ceiling of \(ceiling) that the client agreed to",
                "Accept the quote with a higher ceiling."
            )
        }
    }

    private func decode(_ text: String) throws(BusFailure) -> BOLT11Invoice {
        do throws(BOLT11Error) {
            return try BOLT11Invoice(decoding: text, network: network)
        } catch {
            // The error never quotes the invoice.
            throw BusFailure(
                error.kind == .wrongNetwork ? "wrong-network" : "invoice-invalid",
                "\(error.kind.rawValue): \(error.detail)",
                error.advice
            )
        }
    }

    /// The four bindings of LCP v0.1 §5.3, and what would make one of them meaningless.
    private func checkBinding(
        of invoice: BOLT11Invoice,
        to peer: NodeID,
        _ amount: MilliSatoshi,
        _ hash: PaymentHash,
        _ terms: Bytes32
    ) throws(BusFailure) {
        func refuse(_ code: String, _ detail: String) -> BusFailure {
            BusFailure(code, detail, "Do not pay; ask the peer for another quote.")
        }
        // LCP v0.1 §5.3 [check-bindings-where-money-is]
        guard !invoice.hidesPayee else {
            throw refuse("payee-hidden", "blinded paths hide to whom the payment would go")
        }
        guard invoice.payee == peer else {
            throw refuse("payee-mismatch", "the invoice pays \(invoice.payee), the peer is \(peer)")
        }
        guard !invoice.requiresAMP else {
            throw refuse("amp-required", "only AMP can pay the invoice, which proves nothing")
        }
        guard let asked = invoice.amount else {
            throw refuse("amount-missing", "the invoice leaves the amount to the payer")
        }
        guard asked == amount else {
            throw refuse(
                "amount-mismatch",
                "the invoice asks for \(asked), the order says \(amount)"
            )
        }
        guard invoice.paymentHash == hash else {
            throw refuse("hash-mismatch", "invoice and order differ in the payment hash")
        }
        guard case .hash(let described) = invoice.description else {
            throw refuse("description-not-hashed", "a text stands where the terms hash must")
        }
        guard described == terms else {
            throw refuse("description-mismatch", "the invoice is bound to other terms")
        }
    }

    /// Gives the time after which the call must not be made.
    private func checkTimes(
        of invoice: BOLT11Invoice,
        _ pay: BusPay,
        _ now: UnixTime
    ) throws(BusFailure) -> UnixTime {
        let expiresAt = invoice.expiresAt
        guard now < expiresAt else {
            throw BusFailure(
                "invoice-expired",
                "the invoice expired at \(expiresAt), it is \(now)",
                "Ask for a new quote; if this repeats, compare the clocks of both nodes."
            )
        }
        guard expiresAt.seconds <= pay.expiryUnix else {
            throw BusFailure(
                "expiry-mismatch",
                "the invoice expires at \(expiresAt), the order says \(pay.expiryUnix)",
                "Do not pay; the invoice could be paid after the quote's end."
            )
        }
        guard expiresAt <= now.advanced(bySeconds: maxInvoiceSeconds) else {
            throw BusFailure(
                "invoice-lives-too-long",
                "the invoice is good for more than \(maxInvoiceSeconds) s",
                "Raise \(MoneySetting.maxInvoiceSeconds.option) if such quotes are wanted."
            )
        }
        let notAfter = min(UnixTime(seconds: pay.notAfterUnix), expiresAt)
        guard now < notAfter else {
            throw BusFailure(
                BusFailure.tooLate,
                "the call must not be made after \(notAfter), it is \(now)",
                "Ask for a new quote."
            )
        }
        return notAfter
    }

    private func checkLock(of invoice: BOLT11Invoice) throws(BusFailure) {
        let delta = invoice.effectiveMinFinalCLTV
        guard delta <= maxFinalCLTV else {
            throw BusFailure(
                "final-cltv",
                "the payee could lock the funds for \(delta) blocks, at most \(maxFinalCLTV) may be",
                "Raise \(MoneySetting.maxFinalCLTV.option) if the peer is trusted so far."
            )
        }
        guard delta + Self.blockPadding < UInt64(cltvLimit) else {
            throw BusFailure(
                "cltv-limit",
                "no route of at most \(cltvLimit) blocks leaves the payee its \(delta)",
                "Raise \(MoneySetting.cltvLimit.option)."
            )
        }
    }

    /// lnd adds so many blocks to a payee's delta, for those that come while the HTLC travels.
    private static let blockPadding: UInt64 = 3

    private func checkPayee(_ peer: NodeID) throws(BusFailure) {
        guard allowedPayees?.contains(peer) ?? true else {
            throw BusFailure(
                "payee-not-allowed",
                "\(peer) is not among the nodes that may be paid",
                "Add it with \(MoneySetting.allowPayee.option)."
            )
        }
    }

    @discardableResult
    private func checkSize(
        _ amount: MilliSatoshi,
        _ maxFee: MilliSatoshi
    ) throws(BusFailure) -> MilliSatoshi {
        guard let cost = amount.adding(maxFee), cost <= perPayment else {
            throw BusFailure(
                "per-payment-limit",
                "\(amount) and at most \(maxFee) of fees exceed \(perPayment)",
                "Raise \(MoneySetting.perPayment.option), or lower the fees by "
                    + "\(MoneySetting.feeFloor.option) and \(MoneySetting.feeShare.option)."
            )
        }
        return cost
    }

    /// Looks at the client's word and the books; nothing can change between the look and the commit.
    private func check(
        _ cost: MilliSatoshi,
        price: MilliSatoshi,
        to peer: NodeID,
        _ now: UnixTime
    ) -> PaymentCheck {
        let (budgets, isDryRun) = (budgets, isDryRun)
        return { spending throws(JournalError) in
            do throws(BusFailure) {
                try Self.checkConsent(to: price, spending.ceiling)
            } catch {
                return PaymentRefusal(error)
            }
            for budget in budgets {
                let start = UnixTime(seconds: now.seconds - min(now.seconds, budget.seconds))
                let committed = try spending.committed(since: start)
                guard let sum = committed.adding(cost), sum <= budget.limit else {
                    return PaymentRefusal(
                        code: budget.code,
                        reason: "\(cost) more would exceed \(budget.limit): \(committed) "
                            + "are spent in \(budget.words) or reserved",
                        advice: "Wait, or raise \(budget.setting.option)."
                    )
                }
            }
            guard isDryRun else { return nil }
            return PaymentRefusal(Self.dryRun(price, peer))
        }
    }

    private static func dryRun(_ amount: MilliSatoshi, _ peer: NodeID) -> BusFailure {
        BusFailure(
            "dry-run",
            "\(amount) to \(peer) would be paid; this bridge pays nothing",
            "Start the bridge without \(MoneySetting.dryRun.option)."
        )
    }
}

extension PaymentRefusal {
    /// The same for the journal.
    fileprivate init(_ failure: BusFailure) {
        self.init(code: failure.code, reason: failure.detail, advice: failure.advice)
    }
}
