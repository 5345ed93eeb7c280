import GRDB

extension JobWriter {
    /// What is still to do for a job, by id.
    static func outstanding(
        _ row: Int64,
        on database: Database
    ) throws -> [OutstandingEffect] {
        var effects: [OutstandingEffect] = []
        try database.each(
            "SELECT id, kind, attempts, next_attempt, body FROM effect WHERE job = ? ORDER BY id",
            .number(row)
        ) { effects.append(try OutstandingEffect($0, from: 0)) }
        return effects
    }

    /// Makes the outstanding set what a step says: withdraws what it leaves out, adds what is new.
    ///
    /// - Returns: The set that is left, by id: without what was done before.
    /// - Throws: `invalidStep` when an id that is outstanding comes back as another effect.
    func replace(
        _ present: [OutstandingEffect],
        with wanted: [Effect]
    ) throws -> [OutstandingEffect] {
        let (key, row) = try job()
        var left: [UInt64: OutstandingEffect] = [:]
        for effect in present { left[effect.effect.id] = effect }
        var next: [OutstandingEffect] = []
        for effect in wanted {
            if let known = left.removeValue(forKey: effect.id) {
                guard known.effect == effect else {
                    throw JournalError(
                        .invalidStep,
                        "\(key): effect \(effect.id) came back as another effect"
                    )
                }
                next.append(known)
                continue
            }
            let added = try database.execute(
                cached: """
                    INSERT INTO effect (job, id, kind, body) SELECT ?1, ?2, ?3, ?4
                    WHERE NOT EXISTS (SELECT 1 FROM effect_done WHERE job = ?1 AND id = ?2)
                    """,
                .number(row),
                .id(effect.id),
                .small(effect.kind),
                .bytes(effect.body)
            )
            // What was done stays done.
            if added > 0 { next.append(OutstandingEffect(effect: effect)) }
        }
        for id in left.keys.sorted() {
            try database.execute(
                cached: "DELETE FROM effect WHERE job = ? AND id = ?",
                .number(row),
                .id(id)
            )
        }
        return next.sorted {
            // The order of the table, whose ids are signed.
            Int64(bitPattern: $0.effect.id) < Int64(bitPattern: $1.effect.id)
        }
    }

    /// An effect was done; one that was withdrawn in the meantime is done all the same.
    func effectDone(_ id: UInt64) throws {
        let (_, row) = try job()
        try database.execute(
            cached: "DELETE FROM effect WHERE job = ? AND id = ?",
            .number(row),
            .id(id)
        )
        try database.execute(
            cached: "INSERT INTO effect_done (job, id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            .number(row),
            .id(id)
        )
    }
}

extension OutstandingEffect {
    /// Reads id, kind, attempts, next attempt and body, five columns.
    init(_ row: Row, from column: Int) throws(JournalError) {
        self.init(
            effect: Effect(
                id: try row.id(column),
                kind: try row.small(column + 1),
                body: try row.bytes(column + 4)
            ),
            attempts: UInt32(clamping: try row.number(column + 2)),
            nextAttempt: try row.optionalTime(column + 3)
        )
    }
}
