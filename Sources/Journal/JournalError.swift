/// Why the journal could not be opened, written or read.
///
/// After any code the journal is as it was before the call; see ``Code-swift.enum/ioFailed`` for the
/// one doubt that a failing disk leaves.
package struct JournalError: Error, Equatable, Sendable {
    /// What to branch on.
    package enum Code: String, Sendable, CaseIterable {
        // Opening.
        /// Another process, or another journal in this one, holds the file.
        case lockedByAnotherProcess
        /// The file was written by a newer version of this program.
        case newerSchema
        /// The file is a database, but not one of ours.
        case notAJournal
        /// The journal that a backup was to replace is another node's.
        case otherJournal
        /// Less than full durability was asked for where real money moves.
        case durabilityRefused
        /// The path can't be used: no such folder, no permission.
        case pathUnusable

        // One step; the others of its batch go on.
        /// The job has moved on since the version the step was made from.
        case staleVersion
        /// The journal has no such job, invoice or payment.
        case unknown
        /// The step contradicts itself or the contract: two effects of one id, a changed effect.
        case invalidStep
        /// The same client has used this key before.
        case clientKeyTaken
        /// Another job has this payment hash.
        case paymentHashTaken
        /// The job has a payment that is unresolved or succeeded.
        case alreadyPaying
        /// The budget check refused the payment.
        case paymentRefused
        /// The journal was restored from a backup and its payments are not reconciled yet.
        case notReconciled
        /// What is recorded about money would be undone.
        case contradictsRecord
        /// The message was received before.
        case replayed
        /// The peer's or the job's share of a bounded table is used up.
        case quotaExceeded
        /// Something of the job is still open: an invoice, a payment, an effect, an event.
        case notFinished

        // The whole batch, or any call.
        /// More work waits for the disk than the journal holds in memory.
        case overloaded
        /// The volume is full.
        case diskFull
        /// The file's contents are not what was written.
        case damaged
        /// The disk failed. The process should end; the restart recovers. A batch that failed so
        /// was acknowledged to nobody, and may still be found after the restart.
        case ioFailed
        /// The journal was closed.
        case closed
        /// The caller was cancelled before its query was answered; commits are never cancelled.
        case cancelled
    }

    /// What to branch on.
    package var code: Code
    /// What happened, naming the job and the file, never a payload.
    package var detail: String
    /// The next step for the person who reads the log.
    package var advice: String
    /// What the budget check said; nil unless the code is `paymentRefused`.
    package private(set) var refusal: PaymentRefusal?

    /// Takes a code, what happened, and an advice other than the code's own.
    package init(_ code: Code, _ detail: String, advice: String? = nil) {
        self.code = code
        self.detail = detail
        self.advice = advice ?? code.advice
    }

    /// Says why the payment of a job was refused.
    init(_ refusal: PaymentRefusal, of job: JobKey) {
        self.init(.paymentRefused, "\(job): \(refusal.reason)", advice: refusal.advice)
        self.refusal = refusal
    }
}

extension JournalError: CustomStringConvertible {
    /// One line for the log: `diskFull: no room for /var/lib/lcp/journal. Free space …`.
    package var description: String { "\(code.rawValue): \(detail). \(advice)" }
}

extension JournalError.Code {
    /// Whether the failure is of one step alone, so that the rest of its batch may be committed.
    var isOfOneStep: Bool {
        switch self {
        case .staleVersion, .unknown, .invalidStep, .clientKeyTaken, .paymentHashTaken,
            .alreadyPaying, .paymentRefused, .notReconciled, .contradictsRecord, .replayed,
            .quotaExceeded, .notFinished:
            true
        case .lockedByAnotherProcess, .newerSchema, .notAJournal, .otherJournal,
            .durabilityRefused, .pathUnusable, .overloaded, .diskFull, .damaged, .ioFailed, .closed,
            .cancelled:
            false
        }
    }

    /// Whether a payment may not be made, while the rest of its step may be committed.
    package var refusesPayment: Bool {
        switch self {
        case .paymentHashTaken, .alreadyPaying, .paymentRefused, .notReconciled: true
        case .staleVersion, .unknown, .invalidStep, .clientKeyTaken, .contradictsRecord, .replayed,
            .quotaExceeded, .notFinished, .lockedByAnotherProcess, .newerSchema, .notAJournal,
            .otherJournal, .durabilityRefused, .pathUnusable, .overloaded, .diskFull, .damaged,
            .ioFailed, .closed, .cancelled:
            false
        }
    }

    /// Whether the journal accepts nothing more until it is opened again.
    var isFinal: Bool { self == .ioFailed || self == .damaged || self == .closed }

    fileprivate var advice: String {
        switch self {
        case .lockedByAnotherProcess: "Stop the other lcp-bridge, or pass another --journal path"
        case .newerSchema: "Run the version that wrote it, or a newer one; nothing was changed"
        case .notAJournal: "Pass the path of a journal, or of a file that does not exist yet"
        case .otherJournal: "Pass a backup of this node's journal; nothing was changed"
        case .durabilityRefused: "Leave --durability out; it is for benchmarks on test networks"
        case .pathUnusable: "Create the folder and give this user the right to write in it"
        case .staleVersion: "Nothing to do: another worker answered first and its reply stands"
        case .unknown: "Nothing to do, unless it was deleted by hand; its retention may be over"
        case .invalidStep: "Fix the worker that sent it; its item counts as failed"
        case .clientKeyTaken: "The first submission under this key stands"
        case .paymentHashTaken: "Refuse the quote: its invoice belongs to another job"
        case .alreadyPaying: "Wait for the first payment; a job is paid once"
        case .paymentRefused: "See the reason; limits are settings of the bridge"
        case .notReconciled: "Reconcile the payments since the backup with lnd first"
        case .contradictsRecord: "Compare the job with lnd's own records"
        case .replayed: "Nothing to do: the first message stands"
        case .quotaExceeded: "Nothing to do: the peer must slow down"
        case .notFinished: "Nothing to do: the job finishes once that is settled"
        case .overloaded: "Try again; if it stays so, the disk is too slow for the load"
        case .diskFull: "Free space on the journal's volume; nothing is paid until then"
        case .damaged: "Stop, keep a copy of the files, check the disk, restore the last backup"
        case .ioFailed: "Check the disk and the kernel's log, then start again"
        case .closed: "Open it again"
        case .cancelled: "Nothing to do"
        }
    }
}
