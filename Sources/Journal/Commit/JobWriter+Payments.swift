import GRDB
import LightningTypes

extension JobWriter {
    private struct Known {
        var job: Int64?
        var status: PaymentRecord.Status
        var attempted: Bool
    }

    /// Commits the decisions to pay that no rule and no check is against.
    ///
    /// - Returns: Why the others were refused; a refusal has written nothing.
    func decide(_ payments: [PaymentDecision]) throws -> [PaymentHash: JournalError] {
        var refusals: [PaymentHash: JournalError] = [:]
        for payment in payments {
            do {
                try intended(payment.intent, check: payment.check)
            } catch let refusal as JournalError where refusal.code.refusesPayment {
                refusals[payment.intent.hash] = refusal
            }
        }
        return refusals
    }

    /// Commits the decision to pay, unless a rule or the check is against it.
    ///
    /// The hash is one job's for ever. A hash whose payment failed may be tried again by the same
    /// job, as lnd allows.
    func intended(_ intent: PaymentIntent, check: PaymentCheck) throws {
        let (key, row) = try job()
        guard key.role == .requester else {
            throw JournalError(.invalidStep, "\(key): only a requester pays")
        }
        guard !isRestored else {
            throw JournalError(
                .notReconciled,
                "\(key): the journal was restored from a backup; payments since are unknown"
            )
        }
        if let known = try payment(intent.hash) {
            if known.job == nil, try adopt(intent, row, key) { return try reopen() }
            guard known.job == row else {
                throw JournalError(.paymentHashTaken, "\(key): payment \(intent.hash)")
            }
        }
        let isPaying = try database.exists(
            "SELECT 1 FROM payment WHERE job = ? AND status IN (0, 1)",
            .number(row)
        )
        guard !isPaying else {
            throw JournalError(.alreadyPaying, "\(key) has a payment already")
        }
        guard try !mayBePaid(row, key) else {
            throw JournalError(
                .alreadyPaying,
                "\(key) is older than a payment to its peer that no job is known of",
                advice: "Submit it again if it was not paid: lcp ledger shows that payment"
            )
        }
        let (amount, maxFee) = (try intent.amount.checked(), try intent.maxFee.checked())
        let ceiling = try database.first(
            "SELECT ceiling FROM job WHERE id = ?",
            .number(row)
        ) { try $0.optionalAmount(0) }
        if let refusal = try check(Spending(database: database, ceiling: ceiling ?? nil)) {
            throw JournalError(refusal, of: key)
        }
        try database.execute(
            cached: """
                INSERT INTO payment (hash, job, peer, job_id, amount, max_fee, not_after,
                    intended_at, profile, instruction)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (hash) DO UPDATE SET status = 0, attempted = 0,
                    amount = excluded.amount, max_fee = excluded.max_fee,
                    not_after = excluded.not_after, intended_at = excluded.intended_at,
                    resolved_at = NULL, profile = excluded.profile,
                    instruction = excluded.instruction
                """,
            .hash(intent.hash),
            .number(row),
            .peer(key.peer),
            .bytes(key.id),
            .amount(amount),
            .amount(maxFee),
            .time(intent.notAfter),
            .time(at),
            .text(intent.profile),
            .bytes(intent.instruction.reveal("to store it"))
        )
        try reopen()
    }

    /// The call is about to be made; from now on the payment can't be withdrawn.
    func paymentAttempted(_ hash: PaymentHash) throws {
        guard try known(hash).status == .unresolved else {
            throw JournalError(.contradictsRecord, "payment \(hash) is resolved")
        }
        try database.execute(
            cached: "UPDATE payment SET attempted = 1 WHERE hash = ?",
            .hash(hash)
        )
    }

    /// The payment was never attempted and never will be.
    func paymentWithdrawn(_ hash: PaymentHash) throws {
        let known = try known(hash)
        switch known.status {
        case .failed: return
        case .unresolved where !known.attempted: try close(hash, status: .failed)
        case .unresolved, .succeeded:
            throw JournalError(.contradictsRecord, "payment \(hash) was attempted")
        }
    }

    /// The payment was made: money went out, whatever was thought before.
    func paymentSucceeded(
        _ hash: PaymentHash,
        preimage: Preimage,
        fee: MilliSatoshi
    ) throws {
        switch try known(hash).status {
        case .succeeded: return
        case .unresolved, .failed: break
        }
        try close(hash, status: .succeeded)
        try database.execute(
            cached: "UPDATE payment SET preimage = ?, fee = ? WHERE hash = ?",
            .bytes(preimage.secret.reveal("the client's proof")),
            .amount(try fee.checked()),
            .hash(hash)
        )
        try database.execute(
            cached: """
                INSERT INTO ledger (at, role, peer, job_id, profile, amount, fee, hash)
                SELECT ?, 2, peer, job_id, profile, amount, fee, hash FROM payment WHERE hash = ?
                """,
            .time(at),
            .hash(hash)
        )
        try database.execute(
            cached: """
                INSERT INTO spending (span, msat)
                SELECT ?, amount + fee FROM payment WHERE hash = ?
                ON CONFLICT (span) DO UPDATE SET msat = msat + excluded.msat
                """,
            .number(Spending.span(of: at)),
            .hash(hash)
        )
    }

    /// The payment was not made and never will be.
    func paymentFailed(_ hash: PaymentHash) throws {
        switch try known(hash).status {
        case .failed: return
        case .succeeded:
            throw JournalError(.contradictsRecord, "payment \(hash) succeeded")
        case .unresolved: try close(hash, status: .failed)
        }
    }

    /// Ends the reservation.
    ///
    /// The instruction holds an invoice and is needed no more.
    private func close(_ hash: PaymentHash, status: PaymentRecord.Status) throws {
        try database.execute(
            cached: """
                UPDATE payment SET status = ?, resolved_at = ?, instruction = x'' WHERE hash = ?
                """,
            .small(status.rawValue),
            .time(at),
            .hash(hash)
        )
    }

    private func known(_ hash: PaymentHash) throws -> Known {
        guard let payment = try payment(hash) else {
            throw JournalError(.unknown, "payment \(hash) is not in the journal")
        }
        return payment
    }

    private func payment(_ hash: PaymentHash) throws -> Known? {
        try database.first(
            "SELECT job, status, attempted FROM payment WHERE hash = ?",
            .hash(hash)
        ) { row in
            guard let status = PaymentRecord.Status(rawValue: try row.small(1)) else {
                throw JournalError.unreadable("payment status")
            }
            return Known(
                job: try row.optionalNumber(0),
                status: status,
                attempted: try row.flag(2)
            )
        }
    }
}
