/// The journal's tables, as the migrations that make them.
///
/// Times are Unix seconds, amounts msat. Identities are the raw bytes. A migration is never edited
/// once released: a change is a further one, and says what the version before does with its file
/// (it refuses: `newerSchema`).
enum Schema {
    /// `LCPJ`, in the file's header: tells a journal from any other SQLite file.
    static let applicationID: Int32 = 0x4c43_504a

    /// The version this program writes.
    static var version: Int { migrations.count }

    static let migrations = [version1, version2, version3, version4]

    /// The job_id of a payment that no job is known of, as SQL writes it.
    static let unattributed = "x'" + String(repeating: "00", count: 32) + "'"

    /// The ledger says of a job sold what its backend counted; what older versions have written was
    /// not counted.
    private static let version4 = """
        ALTER TABLE ledger ADD COLUMN input_tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE ledger ADD COLUMN output_tokens INTEGER NOT NULL DEFAULT 0;
        """

    /// Payments that a restored journal learned of from lnd are found by their payee; version 2 has
    /// none of them.
    private static let version3 = """
        CREATE INDEX payment_unattributed ON payment (peer, intended_at)
            WHERE job_id = \(unattributed);
        """

    /// The ledger says of a job sold whether its result was cut; what version 1 has written was not.
    private static let version2 = """
        ALTER TABLE ledger ADD COLUMN is_cut INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX ledger_job ON ledger (job_id);
        """

    private static let version1 = """
        CREATE TABLE job (
            id INTEGER PRIMARY KEY,
            role INTEGER NOT NULL CHECK (role IN (1, 2)),
            peer BLOB NOT NULL CHECK (length(peer) = 33),
            job_id BLOB NOT NULL CHECK (length(job_id) = 32),
            version INTEGER NOT NULL CHECK (version > 0),
            finished_at INTEGER,
            parked INTEGER NOT NULL DEFAULT 0,
            wake_at INTEGER,
            answer_by INTEGER,
            ceiling INTEGER,
            created_at INTEGER NOT NULL,
            changed_at INTEGER NOT NULL,
            next_event INTEGER NOT NULL DEFAULT 1,
            input_bytes INTEGER NOT NULL DEFAULT 0,
            answer_bytes INTEGER NOT NULL DEFAULT 0,
            has_content INTEGER NOT NULL DEFAULT 0,
            stage INTEGER NOT NULL DEFAULT 0,
            notice BLOB NOT NULL DEFAULT x'',
            state BLOB NOT NULL,
            UNIQUE (role, peer, job_id)
        ) STRICT;
        CREATE INDEX job_name ON job (job_id);
        CREATE INDEX job_open ON job (id) WHERE finished_at IS NULL;
        CREATE INDEX job_parked ON job (id) WHERE parked;
        CREATE INDEX job_finished ON job (finished_at) WHERE finished_at IS NOT NULL;
        CREATE INDEX job_content ON job (finished_at)
            WHERE finished_at IS NOT NULL AND has_content = 1;
        CREATE INDEX job_wake ON job (wake_at) WHERE wake_at IS NOT NULL AND finished_at IS NULL;
        CREATE INDEX job_answer ON job (answer_by)
            WHERE answer_by IS NOT NULL AND finished_at IS NULL;

        -- Prompts (1) and results (2), apart from the row that every step rewrites.
        CREATE TABLE content (
            job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
            kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
            bytes BLOB NOT NULL,
            PRIMARY KEY (job, kind)
        ) STRICT;

        -- What is still to do. What was done keeps its id and nothing else.
        CREATE TABLE effect (
            job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
            id INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            next_attempt INTEGER,
            body BLOB NOT NULL,
            PRIMARY KEY (job, id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE effect_done (
            job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
            id INTEGER NOT NULL,
            PRIMARY KEY (job, id)
        ) STRICT, WITHOUT ROWID;

        -- What happened to a job and no step has answered yet.
        CREATE TABLE event (
            job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
            sequence INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            at INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (job, sequence)
        ) STRICT, WITHOUT ROWID;

        -- The job_ids a requester used on the wire for one job.
        CREATE TABLE wire_id (
            peer BLOB NOT NULL,
            wire_id BLOB NOT NULL CHECK (length(wire_id) = 32),
            job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
            PRIMARY KEY (peer, wire_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX wire_id_job ON wire_id (job);

        CREATE TABLE replay (
            peer BLOB NOT NULL,
            job_id BLOB NOT NULL,
            message_id BLOB NOT NULL,
            expires_at INTEGER NOT NULL,
            PRIMARY KEY (peer, job_id, message_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX replay_expiry ON replay (expires_at);

        -- The books: invoices, payments and the ledger outlive their jobs.
        CREATE TABLE invoice (
            hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
            job INTEGER REFERENCES job ON DELETE SET NULL,
            peer BLOB NOT NULL,
            job_id BLOB NOT NULL,
            state INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),
            amount INTEGER NOT NULL CHECK (amount >= 0),
            paid INTEGER,
            expires_at INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            closed_at INTEGER,
            profile TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX invoice_job ON invoice (job);
        CREATE INDEX invoice_open ON invoice (hash) WHERE state = 0;
        CREATE INDEX invoice_closed ON invoice (closed_at) WHERE state = 2;

        CREATE TABLE payment (
            hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
            job INTEGER REFERENCES job ON DELETE SET NULL,
            peer BLOB NOT NULL,
            job_id BLOB NOT NULL,
            status INTEGER NOT NULL DEFAULT 0 CHECK (status IN (0, 1, 2)),
            attempted INTEGER NOT NULL DEFAULT 0,
            amount INTEGER NOT NULL CHECK (amount >= 0),
            max_fee INTEGER NOT NULL CHECK (max_fee >= 0),
            fee INTEGER,
            not_after INTEGER NOT NULL,
            intended_at INTEGER NOT NULL,
            resolved_at INTEGER,
            preimage BLOB,
            profile TEXT NOT NULL,
            instruction BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX payment_job ON payment (job);
        CREATE INDEX payment_unresolved ON payment (hash, amount, max_fee) WHERE status = 0;
        CREATE INDEX payment_failed ON payment (resolved_at) WHERE status = 2;

        -- What was spent, by spans of 600 seconds, so that a month's sum reads 4,320 rows at most.
        CREATE TABLE spending (
            span INTEGER NOT NULL PRIMARY KEY,
            msat INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE ledger (
            id INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            role INTEGER NOT NULL,
            peer BLOB NOT NULL,
            job_id BLOB NOT NULL,
            profile TEXT NOT NULL,
            amount INTEGER NOT NULL,
            fee INTEGER NOT NULL,
            hash BLOB NOT NULL,
            UNIQUE (role, hash)
        ) STRICT;
        CREATE INDEX ledger_at ON ledger (at);

        CREATE TABLE client_key (
            identity BLOB NOT NULL,
            key BLOB NOT NULL,
            content_hash BLOB NOT NULL CHECK (length(content_hash) = 32),
            job INTEGER REFERENCES job ON DELETE SET NULL,
            role INTEGER NOT NULL,
            peer BLOB NOT NULL,
            job_id BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (identity, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX client_key_job ON client_key (job);
        CREATE INDEX client_key_age ON client_key (created_at);

        CREATE TABLE manifest (
            peer BLOB NOT NULL PRIMARY KEY CHECK (length(peer) = 33),
            received_at INTEGER NOT NULL,
            answered_at INTEGER,
            bytes BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE setting (
            name TEXT NOT NULL PRIMARY KEY,
            value BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
}
