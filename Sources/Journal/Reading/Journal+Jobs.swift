import GRDB
package import LightningTypes
import Synchronization

// Every query here runs on a reader's connection beside the writer and sees whole transactions:
// what was acknowledged before the call is there.
extension Journal {
    /// A job with what its next step needs.
    ///
    /// - Parameter key: The job.
    /// - Returns: The job; nil when it is not there.
    /// - Throws: ``JournalError``.
    package func job(_ key: JobKey) async throws(JournalError) -> JobRecord? {
        try await read { try Self.job(key, on: $0) }
    }

    /// Several jobs, read in one go.
    ///
    /// - Parameter keys: The jobs; up to 1 MiB each are read into memory.
    /// - Returns: The jobs in the order of the keys; nil for each that is not there.
    /// - Throws: ``JournalError``; one job that can't be read fails all.
    package func jobs(_ keys: [JobKey]) async throws(JournalError) -> [JobRecord?] {
        try await read { database in try keys.map { try Self.job($0, on: database) } }
    }

    /// Whether a job may be there, without a query.
    ///
    /// - Parameter key: The job.
    /// - Returns: False when it certainly is not, nor about to be.
    package func mayHave(_ key: JobKey) -> Bool {
        knownJobs.withLock { $0?.mayContain(key) ?? true }
    }

    static func knownJobs(_ database: Database) throws -> KnownKeys<JobKey> {
        let count = try database.first("SELECT count(*) FROM job") { try $0.number(0) } ?? 0
        var known = KnownKeys<JobKey>(capacity: Int(clamping: count) * 2)
        try database.each("SELECT role, peer, job_id FROM job") { known.insert(try $0.jobKey(0)) }
        return known
    }

    private static func job(_ key: JobKey, on database: Database) throws -> JobRecord? {
        let found = try database.first(
            """
            SELECT \(JobSummary.columns), job.state, job.next_event FROM job
            WHERE role = ? AND peer = ? AND job_id = ?
            """,
            .role(key.role),
            .peer(key.peer),
            .bytes(key.id)
        ) { (try JobSummary($0), try $0.bytes(16), try $0.count(17)) }
        guard let (summary, state, nextEvent) = found else { return nil }
        var events: [PendingEvent] = []
        try database.each(
            "SELECT sequence, kind, at, body FROM event WHERE job = ? ORDER BY sequence",
            .number(summary.place)
        ) { row in
            events.append(
                PendingEvent(
                    sequence: try row.count(0),
                    kind: try row.small(1),
                    at: try row.time(2),
                    body: try row.bytes(3)
                )
            )
        }
        return JobRecord(
            summary: summary,
            state: state,
            outstanding: try JobWriter.outstanding(summary.place, on: database),
            events: events,
            nextEvent: nextEvent,
            invoices: try invoices(of: summary.place, on: database),
            payments: try payments(of: summary.place, on: database)
        )
    }

    private static func invoices(
        of row: Int64,
        on database: Database
    ) throws -> [PaymentHash: InvoiceRecord.State] {
        var invoices: [PaymentHash: InvoiceRecord.State] = [:]
        try database.each("SELECT hash, state FROM invoice WHERE job = ?", .number(row)) {
            guard let state = InvoiceRecord.State(rawValue: try $0.small(1)) else {
                throw JournalError.unreadable("invoice state")
            }
            invoices[try $0.hash(0)] = state
        }
        return invoices
    }

    private static func payments(
        of row: Int64,
        on database: Database
    ) throws -> [PaymentHash: PaymentRecord.Status] {
        var payments: [PaymentHash: PaymentRecord.Status] = [:]
        try database.each("SELECT hash, status FROM payment WHERE job = ?", .number(row)) {
            guard let status = PaymentRecord.Status(rawValue: try $0.small(1)) else {
                throw JournalError.unreadable("payment status")
            }
            payments[try $0.hash(0)] = status
        }
        return payments
    }

    /// Open jobs with what is still to do, without states and contents: what a restart begins with.
    ///
    /// - Parameters:
    ///   - place: The last ``JobSummary/place`` of the page before; nil for the first.
    ///   - limit: How many at most.
    /// - Returns: Jobs in the order of creation; fewer than `limit` on the last page.
    /// - Throws: ``JournalError``.
    package func openJobs(
        after place: Int64? = nil,
        limit: Int = 1000
    ) async throws(JournalError) -> [OpenJob] {
        try await read { database in
            var jobs: [OpenJob] = []
            var positions: [Int64: Int] = [:]
            try database.each(
                """
                SELECT \(JobSummary.columns) FROM job
                WHERE finished_at IS NULL AND id > ? ORDER BY id LIMIT ?
                """,
                .number(place ?? 0),
                .number(limit)
            ) { row in
                let summary = try JobSummary(row)
                positions[summary.place] = jobs.count
                jobs.append(OpenJob(summary: summary, outstanding: [], events: 0))
            }
            guard let first = jobs.first, let last = jobs.last else { return [] }
            let range = (
                DatabaseValue.number(first.summary.place), DatabaseValue.number(last.summary.place)
            )
            try database.each(
                """
                SELECT job, id, kind, attempts, next_attempt, body FROM effect
                WHERE job BETWEEN ? AND ? ORDER BY job, id
                """,
                range.0,
                range.1
            ) { row in
                guard let position = positions[try row.number(0)] else { return }
                jobs[position].outstanding.append(try OutstandingEffect(row, from: 1))
            }
            try database.each(
                "SELECT job, count(*) FROM event WHERE job BETWEEN ? AND ? GROUP BY job",
                range.0,
                range.1
            ) { row in
                guard let position = positions[try row.number(0)] else { return }
                jobs[position].events = Int(clamping: try row.number(1))
            }
            return jobs
        }
    }

    /// Jobs by filter, newest first.
    ///
    /// - Parameters:
    ///   - filter: Which jobs.
    ///   - place: The last ``JobSummary/place`` of the page before; nil for the first.
    ///   - limit: How many at most.
    /// - Returns: Jobs from the newest to the oldest; fewer than `limit` on the last page.
    /// - Throws: ``JournalError``.
    package func jobs(
        _ filter: JobFilter = JobFilter(),
        before place: Int64? = nil,
        limit: Int = 100
    ) async throws(JournalError) -> [JobSummary] {
        try await read { database in
            var conditions = ["id < ?"]
            var arguments: [DatabaseValue] = [.number(place ?? .max)]
            func add(_ condition: String, _ argument: DatabaseValue?) {
                conditions.append(condition)
                if let argument { arguments.append(argument) }
            }
            if let role = filter.role { add("role = ?", .role(role)) }
            if let peer = filter.peer { add("peer = ?", .peer(peer)) }
            if let since = filter.createdSince { add("created_at >= ?", .time(since)) }
            if filter.onlyParked { add("parked", nil) }
            if filter.onlyOpen { add("finished_at IS NULL", nil) }
            if !filter.stages.isEmpty {
                // Small numbers of ours, not text of a client's.
                let stages = filter.stages.sorted().map(String.init).joined(separator: ", ")
                add("stage IN (\(stages))", nil)
            }
            var jobs: [JobSummary] = []
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT \(JobSummary.columns) FROM job
                    WHERE \(conditions.joined(separator: " AND ")) ORDER BY id DESC LIMIT ?
                    """,
                arguments: Database.bindings(arguments + [.number(limit)])
            )
            while let row = try rows.next() { jobs.append(try JobSummary(row)) }
            return jobs
        }
    }

    /// Open jobs whose wake-up or answer deadline has come, the longest overdue first.
    ///
    /// - Parameters:
    ///   - time: Now.
    ///   - limit: How many at most of each.
    /// - Returns: The jobs to wake, and those that must be answered.
    /// - Throws: ``JournalError``.
    package func due(
        at time: UnixTime,
        limit: Int = 1000
    ) async throws(JournalError) -> (wake: [JobKey], answer: [JobKey]) {
        try await read { database in
            func keys(_ column: String, _ rest: String = "") throws -> [JobKey] {
                var keys: [JobKey] = []
                try database.each(
                    """
                    SELECT role, peer, job_id FROM job
                    WHERE \(column) <= ? AND finished_at IS NULL \(rest) ORDER BY \(column) LIMIT ?
                    """,
                    .time(time),
                    .number(limit)
                ) { keys.append(try $0.jobKey(0)) }
                return keys
            }
            // Waking a parked job would change nothing.
            return (try keys("wake_at", "AND NOT parked"), try keys("answer_by"))
        }
    }

    /// The job that a peer's message with this job_id belongs to, among a requester's.
    ///
    /// - Parameters:
    ///   - wireID: The job_id on the wire; one recorded by ``Fact/wireID(_:)``.
    ///   - peer: Who sent it.
    /// - Returns: The job; nil without one.
    /// - Throws: ``JournalError``.
    package func job(
        withWireID wireID: Bytes32,
        from peer: NodeID
    ) async throws(JournalError) -> JobKey? {
        try await read { database in
            try database.first(
                """
                SELECT role, job.peer, job_id FROM wire_id JOIN job ON job.id = wire_id.job
                WHERE wire_id.peer = ? AND wire_id = ?
                """,
                .peer(peer),
                .bytes(wireID)
            ) { try $0.jobKey(0) }
        }
    }

    /// The newest job with a job_id, whoever the peer is.
    ///
    /// - Parameters:
    ///   - id: The job_id, 32 bytes; for a requester the first one it drew.
    ///   - role: The side of the job; nil for either.
    /// - Returns: The job; nil without one.
    /// - Throws: ``JournalError``.
    package func job(
        named id: Bytes32,
        role: JobKey.Role?
    ) async throws(JournalError) -> JobKey? {
        try await read { database in
            try database.first(
                """
                SELECT role, peer, job_id FROM job
                WHERE job_id = ?1 AND (?2 IS NULL OR role = ?2) ORDER BY id DESC LIMIT 1
                """,
                .bytes(id),
                role.map { .role($0) } ?? .null
            ) { try $0.jobKey(0) }
        }
    }

    /// The prompt of a job.
    ///
    /// - Parameter key: The job.
    /// - Returns: The prompt; nil when there is none, or none any more.
    /// - Throws: ``JournalError``.
    package func input(of key: JobKey) async throws(JournalError) -> Redacted<[UInt8]>? {
        try await content(of: key, kind: .input)
    }

    /// The result of a job.
    ///
    /// - Parameter key: The job.
    /// - Returns: The result; nil when there is none, or none any more.
    /// - Throws: ``JournalError``.
    package func answer(of key: JobKey) async throws(JournalError) -> Redacted<[UInt8]>? {
        try await content(of: key, kind: .answer)
    }

    private func content(
        of key: JobKey,
        kind: JobWriter.ContentKind
    ) async throws(JournalError) -> Redacted<[UInt8]>? {
        try await read { try Self.content(of: key, kind: kind, on: $0) }
    }

    static func content(
        of key: JobKey,
        kind: JobWriter.ContentKind,
        on database: Database
    ) throws -> Redacted<[UInt8]>? {
        try database.first(
            """
            SELECT bytes FROM content JOIN job ON job.id = content.job
            WHERE role = ? AND peer = ? AND job_id = ? AND content.kind = ?
            """,
            .role(key.role),
            .peer(key.peer),
            .bytes(key.id),
            .small(kind.rawValue)
        ) { Redacted(try $0.bytes(0)) }
    }

    /// Runs a query on a reader's connection, in one transaction.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(JournalError) -> Value {
        do {
            return try await pool.read(body)
        } catch {
            throw .from(error, path: path)
        }
    }
}
