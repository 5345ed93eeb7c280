import GRDB
package import LightningTypes
import Synchronization

/// A peer's last manifest.
package struct PeerManifest: Hashable, Sendable {
    /// Who sent it.
    package var peer: NodeID
    /// When.
    package var receivedAt: UnixTime
    /// When ours was last sent in answer; nil for never.
    package var answeredAt: UnixTime?
    /// The message's payload.
    package var bytes: [UInt8]

    /// Takes the parts.
    package init(peer: NodeID, receivedAt: UnixTime, answeredAt: UnixTime?, bytes: [UInt8]) {
        self.peer = peer
        self.receivedAt = receivedAt
        self.answeredAt = answeredAt
        self.bytes = bytes
    }
}

/// What a client's key stands for.
package struct Submission: Hashable, Sendable {
    /// The job that was made for it, which may have been pruned since.
    package var job: JobKey
    /// What was submitted; other content under the same key is refused.
    package var contentHash: Bytes32
    /// When.
    package var createdAt: UnixTime
}

extension Journal {
    /// What a client submitted under a key.
    ///
    /// - Parameters:
    ///   - identity: The identity of the client's connection.
    ///   - key: What the client chose.
    /// - Returns: The submission; nil when the key is free.
    /// - Throws: ``JournalError``.
    package func submission(
        identity: [UInt8],
        key: [UInt8]
    ) async throws(JournalError) -> Submission? {
        let name = ClientKey.Name(identity: identity, key: key)
        guard knownClientKeys.withLock({ $0?.mayContain(name) ?? true }) else { return nil }
        return try await read { database in
            try database.first(
                """
                SELECT role, peer, job_id, content_hash, created_at FROM client_key
                WHERE identity = ? AND key = ?
                """,
                .bytes(identity),
                .bytes(key)
            ) { row in
                Submission(
                    job: try row.jobKey(0),
                    contentHash: try row.bytes32(3),
                    createdAt: try row.time(4)
                )
            }
        }
    }

    static func knownClientKeys(_ database: Database) throws -> KnownKeys<ClientKey.Name> {
        let count = try database.first("SELECT count(*) FROM client_key") { try $0.number(0) } ?? 0
        var known = KnownKeys<ClientKey.Name>(capacity: Int(clamping: count) * 2)
        try database.each("SELECT identity, key FROM client_key") { row in
            known.insert(ClientKey.Name(identity: try row.bytes(0), key: try row.bytes(1)))
        }
        return known
    }

    /// Keeps a peer's manifest instead of any before.
    ///
    /// - Parameter manifest: The manifest.
    /// - Throws: ``JournalError``.
    package func keep(_ manifest: PeerManifest) async throws(JournalError) {
        try await writer.write(size: 256 + manifest.bytes.count) { database in
            _ = try database.execute(
                cached: """
                    INSERT INTO manifest (peer, received_at, answered_at, bytes)
                    VALUES (?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET received_at = excluded.received_at,
                        answered_at = excluded.answered_at, bytes = excluded.bytes
                    """,
                .peer(manifest.peer),
                .time(manifest.receivedAt),
                .time(manifest.answeredAt),
                .bytes(manifest.bytes)
            )
        }
    }

    /// Gives up a peer's manifest.
    ///
    /// - Parameter peer: Whose; one without a manifest is no error.
    /// - Throws: ``JournalError``.
    package func forgetManifest(of peer: NodeID) async throws(JournalError) {
        try await writer.write(size: 256) { database in
            _ = try database.execute(cached: "DELETE FROM manifest WHERE peer = ?", .peer(peer))
        }
    }

    /// Peers' last manifests, by peer.
    ///
    /// - Parameters:
    ///   - peer: The last peer of the page before; nil for the first.
    ///   - limit: How many at most.
    /// - Returns: Manifests; fewer than `limit` on the last page.
    /// - Throws: ``JournalError``.
    package func manifests(
        after peer: NodeID? = nil,
        limit: Int = 1000
    ) async throws(JournalError) -> [PeerManifest] {
        try await read { database in
            var manifests: [PeerManifest] = []
            try database.each(
                """
                SELECT peer, received_at, answered_at, bytes FROM manifest
                WHERE peer > ? ORDER BY peer LIMIT ?
                """,
                peer.map { .peer($0) } ?? .bytes([]),
                .number(limit)
            ) { row in
                manifests.append(
                    PeerManifest(
                        peer: try row.peer(0),
                        receivedAt: try row.time(1),
                        answeredAt: try row.optionalTime(2),
                        bytes: try row.bytes(3)
                    )
                )
            }
            return manifests
        }
    }

    /// A value the bridge keeps across restarts: the task set it advertises, a counter.
    ///
    /// - Parameter name: Its name; those that begin with `journal.` are the journal's own.
    /// - Returns: The value; nil without one.
    /// - Throws: ``JournalError``.
    package func setting(_ name: String) async throws(JournalError) -> [UInt8]? {
        try await read { database in
            try database.first("SELECT value FROM setting WHERE name = ?", .text(name)) {
                try $0.bytes(0)
            }
        }
    }

    /// Keeps a value under a name instead of any before.
    ///
    /// - Parameters:
    ///   - value: The value; nil deletes it.
    ///   - name: Its name.
    /// - Throws: ``JournalError``.
    package func keep(_ value: [UInt8]?, asSetting name: String) async throws(JournalError) {
        try await writer.write(size: 256 + (value?.count ?? 0)) { database in
            guard let value else {
                try database.execute(cached: "DELETE FROM setting WHERE name = ?", .text(name))
                return
            }
            try database.execute(
                cached: """
                    INSERT INTO setting (name, value) VALUES (?, ?)
                    ON CONFLICT DO UPDATE SET value = excluded.value
                    """,
                .text(name),
                .bytes(value)
            )
        }
    }

    /// How many jobs there are, for status.
    ///
    /// - Returns: Open, parked and finished jobs; parked ones are among the open.
    /// - Throws: ``JournalError``.
    package func jobCounts() async throws(JournalError) -> (open: Int, parked: Int, finished: Int) {
        try await read { database in
            func count(_ condition: String) throws -> Int {
                let sql = "SELECT count(*) FROM job WHERE \(condition)"
                return try database.first(sql) { Int(clamping: try $0.number(0)) } ?? 0
            }
            return (
                try count("finished_at IS NULL"), try count("parked"),
                try count("finished_at IS NOT NULL")
            )
        }
    }
}
