import GRDB
import LightningTypes

/// Writes for one job inside a transaction.
struct JobWriter {
    let database: Database
    let at: UnixTime
    /// Whether payments wait for the reconciliation after a restored backup.
    let isRestored: Bool
    /// The job and its row; nil when the facts need none.
    private let present: (key: JobKey, row: Int64)?

    /// Finds the job; `unknown` when it is named and not there.
    init(_ key: JobKey?, at: UnixTime, on database: Database, isRestored: Bool) throws {
        self.database = database
        self.at = at
        self.isRestored = isRestored
        present = try key.map { key in
            guard let row = try Self.find(key, on: database)?.row else {
                throw JournalError(.unknown, "\(key) is not in the journal")
            }
            return (key, row)
        }
    }

    private init(_ step: Step, row: Int64, on database: Database, isRestored: Bool) {
        self.database = database
        at = step.at
        self.isRestored = isRestored
        present = (step.job, row)
    }

    /// The job that a fact is about.
    func job() throws(JournalError) -> (key: JobKey, row: Int64) {
        guard let present else { throw JournalError(.invalidStep, "this fact needs a job") }
        return present
    }

    /// Applies a whole step by compare-and-set on the job's version.
    static func apply(
        _ step: Step,
        on database: Database,
        isRestored: Bool
    ) throws -> Committed {
        let row: Int64
        var next: [OutstandingEffect]
        if step.version == 0 {
            row = try insert(step, on: database)
            next = []
        } else {
            row = try update(step, on: database)
            next = try outstanding(row, on: database)
        }
        if step.answeredEvents > 0 { try checkEvents(of: step, row, on: database) }
        var writer = JobWriter(step, row: row, on: database, isRestored: isRestored)
        next = try writer.replace(next, with: step.effects)
        try writer.store(step.input, kind: .input)
        try writer.store(step.answer, kind: .answer)
        if step.answeredEvents > 0 {
            try database.execute(
                cached: "DELETE FROM event WHERE job = ? AND sequence <= ?",
                .number(row),
                .counter(step.answeredEvents)
            )
        }
        if let client = step.client { try writer.claim(client, isNew: step.version == 0) }
        for fact in step.facts { try writer.apply(fact) }
        for case .effectAttempted(let id, let nextAttempt) in step.facts {
            for index in next.indices where next[index].effect.id == id {
                next[index].attempts += 1
                next[index].nextAttempt = nextAttempt
            }
        }
        for case .effectDone(let id) in step.facts { next.removeAll { $0.effect.id == id } }
        return Committed(
            version: step.version + 1,
            outstanding: next,
            refusals: try writer.decide(step.payments)
        )
    }

    /// Refuses a step that answers an event whose own write failed: what the event says of money is
    /// not in the journal either, and comes again once the job has been read anew.
    private static func checkEvents(
        of step: Step,
        _ row: Int64,
        on database: Database
    ) throws {
        let isThere = try database.exists(
            "SELECT 1 FROM job WHERE id = ? AND next_event > ?",
            .number(row),
            .counter(step.answeredEvents)
        )
        guard isThere else {
            throw JournalError(
                .staleVersion,
                "\(step.job): event \(step.answeredEvents) was never recorded"
            )
        }
    }

    private static func find(
        _ key: JobKey,
        on database: Database
    ) throws -> (row: Int64, version: UInt64)? {
        try database.first(
            "SELECT id, version FROM job WHERE role = ? AND peer = ? AND job_id = ?",
            .role(key.role),
            .peer(key.peer),
            .bytes(key.id)
        ) { (try $0.number(0), try $0.count(1)) }
    }

    private static func insert(_ step: Step, on database: Database) throws -> Int64 {
        let added = try database.execute(
            cached: """
                INSERT INTO job (role, peer, job_id, version, wake_at, answer_by, created_at,
                    changed_at, stage, notice, state)
                VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (role, peer, job_id) DO NOTHING
                """,
            .role(step.job.role),
            .peer(step.job.peer),
            .bytes(step.job.id),
            .time(step.wakeAt),
            .time(step.answerBy),
            .time(step.at),
            .time(step.at),
            .small(step.notice?.stage ?? 0),
            .bytes(step.notice?.body ?? []),
            .bytes(step.state)
        )
        guard added == 1 else {
            throw JournalError(.staleVersion, "\(step.job) exists already")
        }
        return database.lastInsertedRowID
    }

    private static func update(_ step: Step, on database: Database) throws -> Int64 {
        let row: Int64?
        if let notice = step.notice {
            row = try database.first(
                """
                UPDATE job SET version = version + 1, finished_at = NULL, wake_at = ?,
                    answer_by = ?, changed_at = ?, state = ?, stage = ?, notice = ?
                WHERE role = ? AND peer = ? AND job_id = ? AND version = ? RETURNING id
                """,
                .time(step.wakeAt),
                .time(step.answerBy),
                .time(step.at),
                .bytes(step.state),
                .small(notice.stage),
                .bytes(notice.body),
                .role(step.job.role),
                .peer(step.job.peer),
                .bytes(step.job.id),
                .counter(step.version)
            ) { try $0.number(0) }
        } else {
            row = try database.first(
                """
                UPDATE job SET version = version + 1, finished_at = NULL, wake_at = ?,
                    answer_by = ?, changed_at = ?, state = ?
                WHERE role = ? AND peer = ? AND job_id = ? AND version = ? RETURNING id
                """,
                .time(step.wakeAt),
                .time(step.answerBy),
                .time(step.at),
                .bytes(step.state),
                .role(step.job.role),
                .peer(step.job.peer),
                .bytes(step.job.id),
                .counter(step.version)
            ) { try $0.number(0) }
        }
        if let row { return row }
        guard let (_, version) = try find(step.job, on: database) else {
            throw JournalError(.unknown, "\(step.job) is not in the journal")
        }
        throw JournalError(
            .staleVersion,
            "\(step.job) is at version \(version), the step was made from \(step.version)"
        )
    }
}
