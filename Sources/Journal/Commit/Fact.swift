package import LightningTypes

/// Something that happened, to be on disk together with whatever follows from it.
///
/// Facts about money are never undone: repeating one changes nothing, and one that contradicts what
/// is recorded is refused with `contradictsRecord`.
package enum Fact: Sendable {
    /// A message came in; `replayed` when it came before.
    ///
    /// Entries that have expired by now make room first; then a peer with `quota` entries is
    /// refused with `quotaExceeded`. Counting them takes as long as there are many: nil when the
    /// caller has counted.
    case received(ReplayEntry, quota: Int?)
    /// Something the job's worker must hear of. A finished job is open again.
    ///
    /// With a `limit`, refused with `quotaExceeded` while so many wait; without one (payments,
    /// settlements) always taken. With a `sequence`, refused with `staleVersion` when it would get
    /// another one: an event before it was not recorded, and what the caller has in memory is wrong.
    case event(kind: UInt8, body: [UInt8], limit: Int?, sequence: UInt64? = nil)
    /// A requester used this job_id on the wire for the job.
    case wireID(Bytes32)

    /// An effect was done: it leaves the outstanding set for good, its body is deleted.
    case effectDone(UInt64)
    /// An effect was tried in vain.
    case effectAttempted(UInt64, nextAttempt: UnixTime?)

    /// lnd made an invoice for the job.
    case invoiceOpened(InvoiceTerms)
    /// An invoice was paid. The ledger gets its entry, once.
    case invoiceSettled(PaymentHash, paid: MilliSatoshi)
    /// An invoice can't be paid any more and was not.
    case invoiceCancelled(PaymentHash)

    /// A client agreed to pay up to a price, routing fees apart, or to nothing any more; the last
    /// word counts.
    case authorised(MilliSatoshi?)
    /// The bridge decided to pay; the check runs inside the transaction.
    case paymentIntended(PaymentIntent, check: PaymentCheck)
    /// The call is about to be made. An intent found at a start counts as attempted anyway.
    case paymentAttempted(PaymentHash)
    /// The payment was withdrawn; refused once it was attempted.
    case paymentWithdrawn(PaymentHash)
    /// The payment was made. The ledger gets its entry and the budgets their sum, once.
    case paymentSucceeded(PaymentHash, preimage: Preimage, fee: MilliSatoshi)
    /// The payment was not made and never will be; its reservation ends.
    case paymentFailed(PaymentHash)

    /// The result that was paid for was cut to fit the peer; the ledger's entry says so.
    case resultCut
    /// What the backend counted for the result that was paid for; the ledger's entry keeps it, and of
    /// two the later.
    case tokensCounted(TokenCount)
    /// The job was set aside, or is taken up again.
    case parked(Bool)
    /// Nothing is left to do.
    ///
    /// Refused with `notFinished` while an invoice of the job is open, a payment unresolved, an
    /// effect outstanding or an event unanswered. A later step opens the job again.
    case finished

    /// Roughly what the fact holds in memory, in bytes.
    var size: Int {
        switch self {
        case .event(_, let body, _, _): 128 + body.count
        case .paymentIntended(let intent, _): 512 + intent.instruction.reveal("to count it").count
        default: 256
        }
    }
}

/// A message of a peer's that must not be taken twice.
package struct ReplayEntry: Hashable, Sendable {
    /// Who sent it.
    package var peer: NodeID
    /// The message's job_id, 32 bytes.
    package var jobID: Bytes32
    /// The message's msg_id, 32 bytes.
    package var messageID: Bytes32
    /// Until when it must be remembered: the envelope's expiry, capped by the bridge.
    package var expiresAt: UnixTime

    /// Takes the four parts.
    package init(peer: NodeID, jobID: Bytes32, messageID: Bytes32, expiresAt: UnixTime) {
        self.peer = peer
        self.jobID = jobID
        self.messageID = messageID
        self.expiresAt = expiresAt
    }
}
