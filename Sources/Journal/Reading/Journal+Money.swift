import GRDB
package import LightningTypes

extension Journal {
    /// Payments that may still succeed: what a restart must track.
    ///
    /// - Parameters:
    ///   - hash: The last hash of the page before; nil for the first.
    ///   - limit: How many at most.
    /// - Returns: Payments by hash; fewer than `limit` on the last page.
    /// - Throws: ``JournalError``.
    package func unresolvedPayments(
        after hash: PaymentHash? = nil,
        limit: Int = 1000
    ) async throws(JournalError) -> [PaymentRecord] {
        try await read { database in
            var payments: [PaymentRecord] = []
            try database.each(
                """
                SELECT \(PaymentRecord.columns) FROM payment INDEXED BY payment_unresolved
                WHERE status = 0 AND hash > ? ORDER BY hash LIMIT ?
                """,
                hash.map { .hash($0) } ?? .bytes([]),
                .number(limit)
            ) { payments.append(try PaymentRecord($0)) }
            return payments
        }
    }

    /// A payment and what became of it.
    ///
    /// - Parameter hash: What was paid for.
    /// - Returns: The payment; nil when none was intended.
    /// - Throws: ``JournalError``.
    package func payment(_ hash: PaymentHash) async throws(JournalError) -> PaymentRecord? {
        try await read { database in
            try database.first(
                "SELECT \(PaymentRecord.columns) FROM payment WHERE hash = ?",
                .hash(hash)
            ) { try PaymentRecord($0) }
        }
    }

    /// What a job has bought, all of it as one moment had it.
    ///
    /// - Parameter key: The job.
    /// - Returns: The job with its result and proof of payment; nil when it is not there.
    /// - Throws: ``JournalError``.
    package func bought(by key: JobKey) async throws(JournalError) -> BoughtRecord? {
        try await read { database -> BoughtRecord? in
            let found = try database.first(
                """
                SELECT \(JobSummary.columns) FROM job
                WHERE role = ? AND peer = ? AND job_id = ?
                """,
                .role(key.role),
                .peer(key.peer),
                .bytes(key.id)
            ) { try JobSummary($0) }
            guard let summary = found else { return nil }
            let payment = try database.first(
                "SELECT \(PaymentRecord.columns) FROM payment WHERE job = ? AND status = ?",
                .number(summary.place),
                .small(PaymentRecord.Status.succeeded.rawValue)
            ) { try PaymentRecord($0) }
            return BoughtRecord(
                summary: summary,
                answer: try Self.content(of: key, kind: .answer, on: database),
                preimage: payment?.preimage
            )
        }
    }

    /// Invoices that may still be paid: what a restart must look up.
    ///
    /// - Parameters:
    ///   - hash: The last hash of the page before; nil for the first.
    ///   - limit: How many at most.
    /// - Returns: Invoices by hash; fewer than `limit` on the last page.
    /// - Throws: ``JournalError``.
    package func openInvoices(
        after hash: PaymentHash? = nil,
        limit: Int = 1000
    ) async throws(JournalError) -> [InvoiceRecord] {
        try await read { database in
            var invoices: [InvoiceRecord] = []
            try database.each(
                """
                SELECT \(InvoiceRecord.columns) FROM invoice
                WHERE state = 0 AND hash > ? ORDER BY hash LIMIT ?
                """,
                hash.map { .hash($0) } ?? .bytes([]),
                .number(limit)
            ) { invoices.append(try InvoiceRecord($0)) }
            return invoices
        }
    }

    /// An invoice and what became of it.
    ///
    /// - Parameter hash: What it is to be paid for.
    /// - Returns: The invoice; nil when it is none of ours.
    /// - Throws: ``JournalError``.
    package func invoice(_ hash: PaymentHash) async throws(JournalError) -> InvoiceRecord? {
        try await read { database in
            try database.first(
                "SELECT \(InvoiceRecord.columns) FROM invoice WHERE hash = ?",
                .hash(hash)
            ) { try InvoiceRecord($0) }
        }
    }

    /// What was spent since a time and what is reserved now, for status.
    ///
    /// Budgets are decided in a ``PaymentCheck``, where nothing can change in between.
    ///
    /// - Parameter time: The begin of the window; see ``Spending/committed(since:)``.
    /// - Returns: Both sums; `committed` contains `reserved`.
    /// - Throws: ``JournalError``.
    package func spending(
        since time: UnixTime
    ) async throws(JournalError) -> (committed: MilliSatoshi, reserved: MilliSatoshi) {
        try await read { database in
            let spending = Spending(database: database)
            return (try spending.committed(since: time), try spending.reserved())
        }
    }

    /// The books, oldest first.
    ///
    /// - Parameters:
    ///   - time: Entries at or after this.
    ///   - id: The last ``LedgerEntry/id`` of the page before; nil for the first.
    ///   - limit: How many at most.
    /// - Returns: Entries in the order they were written; fewer than `limit` on the last page.
    /// - Throws: ``JournalError``.
    package func ledger(
        since time: UnixTime,
        after id: Int64? = nil,
        limit: Int = 1000
    ) async throws(JournalError) -> [LedgerEntry] {
        try await read { database in
            var entries: [LedgerEntry] = []
            try database.each(
                """
                SELECT id, at, role, peer, job_id, profile, amount, fee, hash, is_cut,
                    input_tokens, output_tokens
                FROM ledger
                WHERE id > ? AND at >= ? ORDER BY id LIMIT ?
                """,
                .number(id ?? 0),
                .time(time),
                .number(limit)
            ) { row in
                entries.append(
                    LedgerEntry(
                        id: try row.number(0),
                        at: try row.time(1),
                        job: try row.jobKey(2),
                        profile: try row.text(5),
                        amount: try row.amount(6),
                        fee: try row.amount(7),
                        hash: try row.hash(8),
                        isCut: try row.flag(9),
                        tokens: TokenCount(input: try row.count(10), output: try row.count(11))
                    )
                )
            }
            return entries
        }
    }

    /// Sums over the books.
    ///
    /// - Parameter time: Entries at or after this.
    /// - Returns: Earned, spent and fees.
    /// - Throws: ``JournalError``.
    package func totals(since time: UnixTime) async throws(JournalError) -> LedgerTotals {
        try await read { database in
            let totals = try database.first(
                """
                SELECT coalesce(sum(amount) FILTER (WHERE role = 1), 0),
                    coalesce(sum(amount) FILTER (WHERE role = 2), 0),
                    coalesce(sum(fee) FILTER (WHERE role = 2), 0)
                FROM ledger WHERE at >= ?
                """,
                .time(time)
            ) { row in
                LedgerTotals(
                    earned: try row.amount(0),
                    spent: try row.amount(1),
                    fees: try row.amount(2)
                )
            }
            return totals ?? LedgerTotals(earned: .zero, spent: .zero, fees: .zero)
        }
    }
}

extension PaymentRecord {
    fileprivate static let columns = """
        hash, amount, max_fee, not_after, profile, instruction, peer, job_id, status, attempted,
        intended_at, fee, preimage
        """

    fileprivate init(_ row: Row) throws(JournalError) {
        intent = PaymentIntent(
            hash: try row.hash(0),
            amount: try row.amount(1),
            maxFee: try row.amount(2),
            notAfter: try row.time(3),
            profile: try row.text(4),
            instruction: Redacted(try row.bytes(5))
        )
        job = JobKey(role: .requester, peer: try row.peer(6), id: try row.bytes32(7))
        guard let status = Status(rawValue: try row.small(8)) else {
            throw .unreadable("payment status")
        }
        self.status = status
        attempted = try row.flag(9)
        intendedAt = try row.time(10)
        fee = try row.optionalAmount(11)
        let proof = status == .succeeded ? try row.optionalBytes(12) : nil
        preimage = proof.flatMap { Bytes32($0) }.map { Preimage($0) }
    }
}

extension InvoiceRecord {
    fileprivate static let columns = "hash, amount, expires_at, profile, peer, job_id, state, paid"

    fileprivate init(_ row: Row) throws(JournalError) {
        terms = InvoiceTerms(
            hash: try row.hash(0),
            amount: try row.amount(1),
            expiresAt: try row.time(2),
            profile: try row.text(3)
        )
        job = JobKey(role: .provider, peer: try row.peer(4), id: try row.bytes32(5))
        guard let state = State(rawValue: try row.small(6)) else {
            throw .unreadable("invoice state")
        }
        self.state = state
        paid = try row.optionalAmount(7)
    }
}
