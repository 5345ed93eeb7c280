import GRDB
package import LightningTypes

extension Journal {
    /// The messages that must not be taken twice, by peer, job_id and msg_id.
    ///
    /// - Parameters:
    ///   - time: Now; what has expired by then is left out.
    ///   - entry: The last entry of the page before; nil for the first.
    ///   - limit: How many at most.
    /// - Returns: Entries; fewer than `limit` on the last page.
    /// - Throws: ``JournalError``.
    package func replayEntries(
        at time: UnixTime,
        after entry: ReplayEntry? = nil,
        limit: Int = 1000
    ) async throws(JournalError) -> [ReplayEntry] {
        try await read { database in
            var entries: [ReplayEntry] = []
            try database.each(
                """
                SELECT peer, job_id, message_id, expires_at FROM replay
                WHERE expires_at > ? AND (peer, job_id, message_id) > (?, ?, ?)
                ORDER BY peer, job_id, message_id LIMIT ?
                """,
                .time(time),
                entry.map { .peer($0.peer) } ?? .bytes([]),
                .bytes(entry?.jobID ?? .zero),
                .bytes(entry?.messageID ?? .zero),
                .number(limit)
            ) { row in
                entries.append(
                    ReplayEntry(
                        peer: try row.peer(0),
                        jobID: try row.bytes32(1),
                        messageID: try row.bytes32(2),
                        expiresAt: try row.time(3)
                    )
                )
            }
            return entries
        }
    }
}
