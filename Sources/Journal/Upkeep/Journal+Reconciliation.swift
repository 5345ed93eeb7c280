import GRDB
package import LightningTypes

/// Money that moved after the backup a journal was restored from, as lnd has it.
///
/// Which job it was for is not known: jobs made since the backup are gone.
package struct UnattributedMovement: Sendable {
    /// Received (provider) or paid (requester).
    package var role: JobKey.Role
    /// What was paid for.
    package var hash: PaymentHash
    /// The payee of a payment; for what was received this node itself, as lnd doesn't tell the payer.
    package var peer: NodeID
    /// Without fees.
    package var amount: MilliSatoshi
    /// Routing fees of a payment.
    package var fee: MilliSatoshi
    /// When the payment began, or the invoice was settled.
    package var at: UnixTime
    /// The proof of a payment; nil when lnd has none.
    package var preimage: Preimage?

    /// Takes the parts.
    package init(
        role: JobKey.Role,
        hash: PaymentHash,
        peer: NodeID,
        amount: MilliSatoshi,
        fee: MilliSatoshi,
        at: UnixTime,
        preimage: Preimage?
    ) {
        self.role = role
        self.hash = hash
        self.peer = peer
        self.amount = amount
        self.fee = fee
        self.at = at
        self.preimage = preimage
    }
}

extension Journal {
    /// The job_id of what is booked and belongs to no known job: 32 zero bytes.
    package static let unattributed = Bytes32.zero

    /// When the backup was made that this journal was restored from; nil once that is reconciled.
    ///
    /// - Returns: The time, by the clock of whoever made the backup.
    /// - Throws: ``JournalError``.
    package func restoredFrom() async throws(JournalError) -> UnixTime? {
        guard isRestored, let text = try await setting(JournalFiles.backupSetting) else {
            return nil
        }
        return UnixTime(seconds: UInt64(String(decoding: text, as: UTF8.self)) ?? 0)
    }

    /// Books money that moved since the backup; what is booked already stays as it is.
    ///
    /// It counts in the budgets from when it moved, and the ledger shows it as ``unattributed``. A
    /// job that is older than such a payment to its peer is not paid any more, unless the payment
    /// was for the very invoice it wants to pay: then it is that job's.
    ///
    /// - Parameter movements: What the journal has no payment and no invoice of.
    /// - Returns: How many of them were booked now.
    /// - Throws: ``JournalError``.
    @discardableResult
    package func book(_ movements: [UnattributedMovement]) async throws(JournalError) -> Int {
        try await writer.write(size: 512 + 256 * movements.count) { database in
            try movements.filter { try Self.book($0, on: database) }.count
        }
    }

    private static func book(
        _ movement: UnattributedMovement,
        on database: Database
    ) throws -> Bool {
        let amount = DatabaseValue.amount(try movement.amount.checked())
        let fee = DatabaseValue.amount(try movement.fee.checked())
        let (hash, at) = (DatabaseValue.hash(movement.hash), DatabaseValue.time(movement.at))
        let (peer, job) = (DatabaseValue.peer(movement.peer), DatabaseValue.bytes(unattributed))
        let isNew: Bool
        switch movement.role {
        case .requester:
            isNew =
                try database.execute(
                    cached: """
                        INSERT INTO payment (hash, job, peer, job_id, status, attempted, amount,
                            max_fee, fee, not_after, intended_at, resolved_at, preimage, profile,
                            instruction)
                        VALUES (?1, NULL, ?2, ?3, 1, 1, ?4, ?5, ?5, ?6, ?6, ?6, ?7, '', x'')
                        ON CONFLICT DO NOTHING
                        """,
                    hash,
                    peer,
                    job,
                    amount,
                    fee,
                    at,
                    movement.preimage.map { .bytes($0.secret.reveal("the client's proof")) }
                        ?? .null
                ) > 0
        case .provider:
            isNew =
                try database.execute(
                    cached: """
                        INSERT INTO invoice (hash, job, peer, job_id, state, amount, paid,
                            expires_at, created_at, closed_at, profile)
                        VALUES (?1, NULL, ?2, ?3, 1, ?4, ?4, ?5, ?5, ?5, '')
                        ON CONFLICT DO NOTHING
                        """,
                    hash,
                    peer,
                    job,
                    amount,
                    at
                ) > 0
        }
        guard isNew else { return false }
        try database.execute(
            cached: """
                INSERT INTO ledger (at, role, peer, job_id, profile, amount, fee, hash)
                VALUES (?, ?, ?, ?, '', ?, ?, ?)
                """,
            at,
            .role(movement.role),
            peer,
            job,
            amount,
            fee,
            hash
        )
        guard movement.role == .requester else { return true }
        try database.execute(
            cached: """
                INSERT INTO spending (span, msat) VALUES (?, ? + ?)
                ON CONFLICT (span) DO UPDATE SET msat = msat + excluded.msat
                """,
            .number(Spending.span(of: movement.at)),
            amount,
            fee
        )
        return true
    }
}

extension JobWriter {
    /// Takes a payment for this job's that was made before the journal was restored, when it was for
    /// the same invoice.
    ///
    /// - Returns: Whether it was.
    func adopt(_ intent: PaymentIntent, _ row: Int64, _ key: JobKey) throws -> Bool {
        let isAdopted =
            try database.execute(
                cached: """
                    UPDATE payment SET job = ?, job_id = ?, profile = ?
                    WHERE hash = ? AND peer = ? AND job_id = ? AND status = 1
                        AND preimage IS NOT NULL
                    """,
                .number(row),
                .bytes(key.id),
                .text(intent.profile),
                .hash(intent.hash),
                .peer(key.peer),
                .bytes(Journal.unattributed)
            ) > 0
        guard isAdopted else { return false }
        try database.execute(
            cached: "UPDATE ledger SET job_id = ?, profile = ? WHERE role = 2 AND hash = ?",
            .bytes(key.id),
            .text(intent.profile),
            .hash(intent.hash)
        )
        return true
    }

    /// Whether a payment that no job is known of may have been this one's.
    func mayBePaid(_ row: Int64, _ key: JobKey) throws -> Bool {
        try database.exists(
            """
            SELECT 1 FROM payment INDEXED BY payment_unattributed
            WHERE peer = ? AND job_id = \(Schema.unattributed)
                AND intended_at >= (SELECT created_at FROM job WHERE id = ?)
            """,
            .peer(key.peer),
            .number(row)
        )
    }
}
