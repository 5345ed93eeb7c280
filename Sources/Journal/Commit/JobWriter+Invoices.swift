import GRDB
import LightningTypes

extension JobWriter {
    /// lnd made an invoice; repeating it for the same job changes nothing.
    func invoiceOpened(_ terms: InvoiceTerms) throws {
        let (key, row) = try job()
        guard key.role == .provider else {
            throw JournalError(.invalidStep, "\(key): only a provider has invoices")
        }
        if let known = try invoice(terms.hash) {
            guard known.job == row else {
                throw JournalError(.paymentHashTaken, "\(key): invoice \(terms.hash)")
            }
            return
        }
        try database.execute(
            cached: """
                INSERT INTO invoice (hash, job, peer, job_id, amount, expires_at, created_at,
                    profile)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            .hash(terms.hash),
            .number(row),
            .peer(key.peer),
            .bytes(key.id),
            .amount(try terms.amount.checked()),
            .time(terms.expiresAt),
            .time(at),
            .text(terms.profile)
        )
        try reopen()
    }

    /// The invoice was paid: money came in, whatever was thought before.
    func invoiceSettled(_ hash: PaymentHash, paid: MilliSatoshi) throws {
        switch try known(hash).state {
        case .settled: return
        case .open, .cancelled: break
        }
        try database.execute(
            cached: "UPDATE invoice SET state = 1, paid = ?, closed_at = ? WHERE hash = ?",
            .amount(try paid.checked()),
            .time(at),
            .hash(hash)
        )
        try database.execute(
            cached: """
                INSERT INTO ledger (at, role, peer, job_id, profile, amount, fee, hash)
                SELECT ?, 1, peer, job_id, profile, paid, 0, hash FROM invoice WHERE hash = ?
                """,
            .time(at),
            .hash(hash)
        )
    }

    /// The invoice can't be paid any more.
    func invoiceCancelled(_ hash: PaymentHash) throws {
        switch try known(hash).state {
        case .cancelled: return
        case .settled:
            throw JournalError(.contradictsRecord, "invoice \(hash) was settled")
        case .open:
            try database.execute(
                cached: "UPDATE invoice SET state = 2, closed_at = ? WHERE hash = ?",
                .time(at),
                .hash(hash)
            )
        }
    }

    /// Something of the job is open again, so the job is.
    func reopen() throws {
        try database.execute(
            cached: "UPDATE job SET finished_at = NULL WHERE id = ? AND finished_at IS NOT NULL",
            .number(try job().row)
        )
    }

    private func known(
        _ hash: PaymentHash
    ) throws -> (job: Int64?, state: InvoiceRecord.State) {
        guard let invoice = try invoice(hash) else {
            throw JournalError(.unknown, "invoice \(hash) is not in the journal")
        }
        return invoice
    }

    private func invoice(
        _ hash: PaymentHash
    ) throws -> (job: Int64?, state: InvoiceRecord.State)? {
        try database.first("SELECT job, state FROM invoice WHERE hash = ?", .hash(hash)) { row in
            guard let state = InvoiceRecord.State(rawValue: try row.small(1)) else {
                throw JournalError.unreadable("invoice state")
            }
            return (try row.optionalNumber(0), state)
        }
    }
}
