import GRDB
package import LightningTypes

/// How long what is over stays on disk.
///
/// What is open stays: a job with an open invoice or an unresolved payment is never pruned. The
/// ledger, settled invoices and successful payments are the books and stay for good.
package struct Retention: Hashable, Sendable {
    /// How long prompts and results stay once their job is finished, in seconds.
    package var contentSeconds: UInt64
    /// How long finished jobs stay, with state and notice, in seconds.
    package var jobSeconds: UInt64
    /// How long clients' keys stay after their submission, in seconds; longer than jobs.
    package var clientKeySeconds: UInt64
    /// How long failed payments, cancelled invoices and spans of the spending stay, in seconds;
    /// longer than any budget's window.
    package var recordSeconds: UInt64

    /// A day for contents, a week for jobs, a month for keys, 400 days for records.
    package init(
        contentSeconds: UInt64 = 86_400,
        jobSeconds: UInt64 = 7 * 86_400,
        clientKeySeconds: UInt64 = 30 * 86_400,
        recordSeconds: UInt64 = 400 * 86_400
    ) {
        self.contentSeconds = contentSeconds
        self.jobSeconds = jobSeconds
        self.clientKeySeconds = clientKeySeconds
        self.recordSeconds = recordSeconds
    }
}

/// What one call of ``Journal/prune(_:now:batch:)`` deleted.
package struct Pruned: Hashable, Sendable {
    /// Prompts and results.
    package var contents = 0
    /// Finished jobs.
    package var jobs = 0
    /// Clients' keys, failed payments, cancelled invoices, spans and replay entries.
    package var records = 0

    /// Whether there was nothing to delete: the next call may wait.
    package var isEmpty: Bool { self == Pruned() }
}

extension Journal {
    /// Deletes a small batch of what is over; call it again at once until ``Pruned/isEmpty``.
    ///
    /// One batch is part of a transaction that steps share, so that pruning holds none of them up.
    /// Deleted bytes are overwritten in the file; ``emptyLog()`` removes them from the log too.
    ///
    /// - Parameters:
    ///   - retention: How long what is over stays.
    ///   - now: The bridge's clock.
    ///   - batch: How many rows of a kind at most.
    /// - Returns: What was deleted.
    /// - Throws: ``JournalError``.
    package func prune(
        _ retention: Retention,
        now: UnixTime,
        batch: Int = 100
    ) async throws(JournalError) -> Pruned {
        try await writer.write(size: 4096) { database in
            func before(_ seconds: UInt64) -> DatabaseValue {
                .time(UnixTime(seconds: now.seconds - min(seconds, now.seconds)))
            }
            let limit = DatabaseValue.number(batch)
            var pruned = Pruned()
            // A few jobs at a time, found by an index of those that still have contents.
            var done: [DatabaseValue] = []
            try database.each(
                """
                SELECT id FROM job WHERE finished_at < ? AND has_content = 1
                ORDER BY finished_at LIMIT ?
                """,
                before(retention.contentSeconds),
                limit
            ) { done.append(.number(try $0.number(0))) }
            for job in done {
                pruned.contents += try database.execute(
                    cached: "DELETE FROM content WHERE job = ?",
                    job
                )
                try database.execute(
                    cached: "UPDATE job SET has_content = 0 WHERE id = ?",
                    job
                )
            }
            pruned.jobs = try database.execute(
                cached: """
                    DELETE FROM job WHERE id IN (
                        SELECT id FROM job WHERE finished_at < ?
                            AND NOT EXISTS (
                                SELECT 1 FROM payment WHERE job = job.id AND status = 0)
                            AND NOT EXISTS (
                                SELECT 1 FROM invoice WHERE job = job.id AND state = 0)
                        LIMIT ?)
                    """,
                before(retention.jobSeconds),
                limit
            )
            // The plus keeps SQLite from the index of `job`, where all rows of pruned jobs are alike.
            pruned.records = try database.execute(
                cached: """
                    DELETE FROM client_key WHERE (identity, key) IN (
                        SELECT identity, key FROM client_key
                        WHERE created_at < ? AND +job IS NULL LIMIT ?)
                    """,
                before(retention.clientKeySeconds),
                limit
            )
            for (table, condition) in [
                ("payment", "status = 2 AND resolved_at < ?"),
                ("invoice", "state = 2 AND closed_at < ?"),
            ] {
                pruned.records += try database.execute(
                    cached: """
                        DELETE FROM \(table) WHERE hash IN (
                            SELECT hash FROM \(table) WHERE \(condition) AND +job IS NULL LIMIT ?)
                        """,
                    before(retention.recordSeconds),
                    limit
                )
            }
            pruned.records += try database.execute(
                cached: """
                    DELETE FROM spending WHERE span IN (
                        SELECT span FROM spending WHERE span < ? LIMIT ?)
                    """,
                .number(
                    Spending.span(
                        of: UnixTime(
                            seconds: now.seconds - min(retention.recordSeconds, now.seconds)
                        )
                    )
                ),
                limit
            )
            pruned.records += try database.execute(
                cached: """
                    DELETE FROM replay WHERE (peer, job_id, message_id) IN (
                        SELECT peer, job_id, message_id FROM replay WHERE expires_at <= ? LIMIT ?)
                    """,
                .time(now),
                limit
            )
            return pruned
        }
    }
}
