import GRDB
import LightningTypes

extension JobWriter {
    /// A job's prompt or result.
    enum ContentKind: UInt8 {
        case input = 1
        case answer = 2
    }

    /// Writes one fact.
    mutating func apply(_ fact: Fact) throws {
        switch fact {
        case .received(let entry, let quota): try received(entry, quota: quota)
        case .event(let kind, let body, let limit, let sequence):
            try event(kind: kind, body: body, limit: limit, sequence: sequence)
        case .wireID(let id): try wireID(id)

        case .effectDone(let id): try effectDone(id)
        case .effectAttempted(let id, let nextAttempt):
            try database.execute(
                cached: """
                    UPDATE effect SET attempts = attempts + 1, next_attempt = ?
                    WHERE job = ? AND id = ?
                    """,
                .time(nextAttempt),
                .number(try job().row),
                .id(id)
            )

        case .invoiceOpened(let terms): try invoiceOpened(terms)
        case .invoiceSettled(let hash, let paid): try invoiceSettled(hash, paid: paid)
        case .invoiceCancelled(let hash): try invoiceCancelled(hash)

        case .authorised(let ceiling):
            try database.execute(
                cached: "UPDATE job SET ceiling = ? WHERE id = ?",
                try ceiling.map { .amount(try $0.checked()) } ?? .null,
                .number(try job().row)
            )
        case .paymentIntended(let intent, let check): try intended(intent, check: check)
        case .paymentAttempted(let hash): try paymentAttempted(hash)
        case .paymentWithdrawn(let hash): try paymentWithdrawn(hash)
        case .paymentSucceeded(let hash, let preimage, let fee):
            try paymentSucceeded(hash, preimage: preimage, fee: fee)
        case .paymentFailed(let hash): try paymentFailed(hash)

        case .resultCut:
            let key = try job().key
            try database.execute(
                cached: """
                    UPDATE ledger SET is_cut = 1 WHERE job_id = ? AND role = ? AND peer = ?
                    """,
                .bytes(key.id),
                .role(key.role),
                .peer(key.peer)
            )
        case .tokensCounted(let tokens):
            let key = try job().key
            try database.execute(
                cached: """
                    UPDATE ledger SET input_tokens = ?, output_tokens = ?
                    WHERE job_id = ? AND role = ? AND peer = ?
                    """,
                .counter(tokens.input),
                .counter(tokens.output),
                .bytes(key.id),
                .role(key.role),
                .peer(key.peer)
            )
        case .parked(let isParked):
            try database.execute(
                cached: "UPDATE job SET parked = ?, changed_at = ? WHERE id = ?",
                .number(isParked ? 1 : 0),
                .time(at),
                .number(try job().row)
            )
        case .finished: try finish()
        }
    }

    /// Stores or deletes a prompt or a result.
    func store(_ content: Step.Content, kind: ContentKind) throws {
        let row = DatabaseValue.number(try job().row)
        let length: Int
        switch content {
        case .keep: return
        case .drop:
            // The length stays: it is what lists show of a job whose contents are gone.
            try database.execute(
                cached: "DELETE FROM content WHERE job = ? AND kind = ?",
                row,
                .small(kind.rawValue)
            )
            return
        case .store(let content):
            let bytes = content.reveal("to store it")
            try database.execute(
                cached: """
                    INSERT INTO content (job, kind, bytes) VALUES (?, ?, ?)
                    ON CONFLICT DO UPDATE SET bytes = excluded.bytes
                    """,
                row,
                .small(kind.rawValue),
                .bytes(bytes)
            )
            length = bytes.count
        }
        switch kind {
        case .input:
            try database.execute(
                cached: "UPDATE job SET input_bytes = ?, has_content = 1 WHERE id = ?",
                .number(length),
                row
            )
        case .answer:
            try database.execute(
                cached: "UPDATE job SET answer_bytes = ?, has_content = 1 WHERE id = ?",
                .number(length),
                row
            )
        }
    }

    /// Binds a client's key to a new job.
    func claim(_ client: ClientKey, isNew: Bool) throws {
        let (key, row) = try job()
        guard isNew, client.identity.count <= 64, client.key.count <= 64 else {
            throw JournalError(
                .invalidStep,
                "\(key): a client key is at most 64 bytes and comes with a job's first step"
            )
        }
        let added = try database.execute(
            cached: """
                INSERT INTO client_key (identity, key, content_hash, job, role, peer, job_id,
                    created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
                """,
            .bytes(client.identity),
            .bytes(client.key),
            .bytes(client.contentHash),
            .number(row),
            .role(key.role),
            .peer(key.peer),
            .bytes(key.id),
            .time(at)
        )
        guard added == 1 else {
            throw JournalError(.clientKeyTaken, "\(key): its client used this key before")
        }
    }

    private func received(_ entry: ReplayEntry, quota: Int?) throws {
        try database.execute(cached: "DELETE FROM replay WHERE expires_at <= ?", .time(at))
        let peer = DatabaseValue.peer(entry.peer)
        let added = try database.execute(
            cached: """
                INSERT INTO replay (peer, job_id, message_id, expires_at) VALUES (?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                """,
            peer,
            .bytes(entry.jobID),
            .bytes(entry.messageID),
            .time(entry.expiresAt)
        )
        guard added == 1 else {
            throw JournalError(.replayed, "peer \(entry.peer) sent this message before")
        }
        guard let quota else { return }
        let count = try database.first(
            "SELECT count(*) FROM (SELECT 1 FROM replay WHERE peer = ? LIMIT ?)",
            peer,
            .number(min(quota, .max - 1) + 1)
        ) { try $0.number(0) }
        guard count ?? 0 <= quota else {
            throw JournalError(
                .quotaExceeded,
                "peer \(entry.peer) has \(quota) unexpired messages in the replay window"
            )
        }
    }

    private func event(
        kind: UInt8,
        body: [UInt8],
        limit: Int?,
        sequence: UInt64?
    ) throws {
        let (key, row) = try job()
        if let limit {
            let count = try database.first(
                "SELECT count(*) FROM event WHERE job = ?",
                .number(row)
            ) { try $0.number(0) }
            guard count ?? 0 < limit else {
                throw JournalError(.quotaExceeded, "\(key) has \(limit) unanswered events")
            }
        }
        let added = try database.execute(
            cached: """
                INSERT INTO event (job, sequence, kind, at, body)
                SELECT id, next_event, ?1, ?2, ?3 FROM job
                WHERE id = ?4 AND (?5 IS NULL OR next_event = ?5)
                """,
            .small(kind),
            .time(at),
            .bytes(body),
            .number(row),
            sequence.map { .counter($0) } ?? .null
        )
        guard added == 1 else {
            throw JournalError(.staleVersion, "\(key): an event before this was never recorded")
        }
        try database.execute(
            cached: "UPDATE job SET next_event = next_event + 1, finished_at = NULL WHERE id = ?",
            .number(row)
        )
    }

    private func wireID(_ id: Bytes32) throws {
        let (key, row) = try job()
        let added = try database.execute(
            cached: """
                INSERT INTO wire_id (peer, wire_id, job) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET job = job WHERE job = excluded.job
                """,
            .peer(key.peer),
            .bytes(id),
            .number(row)
        )
        guard added == 1 else {
            throw JournalError(.invalidStep, "\(key): job_id \(id.hex) belongs to another job")
        }
    }

    private func finish() throws {
        let (key, row) = try job()
        let open: [(what: String, sql: String)] = [
            ("an open invoice", "SELECT 1 FROM invoice WHERE job = ? AND state = 0"),
            ("an unresolved payment", "SELECT 1 FROM payment WHERE job = ? AND status = 0"),
            ("an outstanding effect", "SELECT 1 FROM effect WHERE job = ?"),
            ("an unanswered event", "SELECT 1 FROM event WHERE job = ?"),
        ]
        for (what, sql) in open where try database.exists(sql, .number(row)) {
            throw JournalError(.notFinished, "\(key) has \(what)")
        }
        try database.execute(
            cached: "UPDATE job SET finished_at = ?, parked = 0, wake_at = NULL WHERE id = ?",
            .time(at),
            .number(row)
        )
    }
}
