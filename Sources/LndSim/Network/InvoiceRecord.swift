package import LightningTypes

/// The states of an invoice, `lnrpc.Invoice.InvoiceState`.
package enum InvoiceState: UInt8, Sendable {
    /// Can be paid.
    case open
    /// Paid.
    case settled
    /// Cancelled or expired; can't be paid any more.
    case canceled
    /// A hold invoice whose HTLCs have arrived and wait.
    case accepted
}

/// One HTLC that pays an invoice, or part of it, as `lnrpc.InvoiceHTLC`.
package struct InvoiceHTLC: Equatable, Sendable {
    /// The states of the HTLC, `lnrpc.InvoiceHTLCState`.
    package enum State: UInt8, Sendable {
        /// Waiting for the rest of its set, or for the owner of a hold invoice.
        case accepted
        /// Taken.
        case settled
        /// Given back.
        case canceled
    }

    /// The last channel it came over.
    package let channel: UInt64
    /// Its index among the HTLCs the previous node offered in that channel.
    package let index: UInt64
    /// What it brings, in msat.
    package let amountMsat: UInt64
    /// The chain's height when it arrived.
    package let acceptHeight: UInt32
    /// When it arrived.
    package let acceptTime: UnixTime
    /// The height at which it times out.
    package let expiryHeight: UInt32
    /// What its whole set brings, in msat.
    package let totalMsat: UInt64
    /// How it stands.
    package internal(set) var state: State
    /// When it was settled or given back; nil until then.
    package internal(set) var resolveTime: UnixTime?
    /// The payer's side of it.
    let reference: HTLCReference
}

/// What a restart or a payment changes of an invoice.
package struct InvoiceProgress: Equatable, Sendable {
    /// Where the invoice stands.
    package internal(set) var state = InvoiceState.open
    /// The preimage; nil for a hold invoice until it is settled.
    package internal(set) var preimage: Preimage?
    /// Counts settled invoices from 1; 0 until settled.
    package internal(set) var settleIndex: UInt64 = 0
    /// When it was settled; nil until then.
    package internal(set) var settledAt: UnixTime?
    /// What was received, in msat; 0 until settled.
    package internal(set) var amountPaidMsat: UInt64 = 0
    /// The HTLCs that arrived, in order.
    package internal(set) var htlcs: [InvoiceHTLC] = []
}

/// An invoice in a node's database.
package struct InvoiceRecord: Equatable, Sendable {
    /// What it was made from, signed; never changes.
    package let terms: SignedInvoice
    /// Counts a node's invoices from 1.
    package let addIndex: UInt64
    /// What changes.
    package internal(set) var progress: InvoiceProgress

    /// When the watcher cancels it if nobody pays.
    package var expiresAt: UnixTime {
        terms.created.advanced(bySeconds: terms.expirySeconds)
    }

    /// Its HTLCs that wait, in msat altogether.
    var waitingMsat: UInt64 {
        progress.htlcs.reduce(0) { $1.state == .accepted ? $0 + $1.amountMsat : $0 }
    }
}

/// A node's invoices and the indices over them; every question is answered without a scan.
struct InvoiceBook: Sendable {
    /// In order of `addIndex`, which starts at 1 and has no gaps.
    private(set) var records: [InvoiceRecord] = []
    private var byHash: [PaymentHash: Int] = [:]
    private var bySecret: [Bytes32: Int] = [:]
    /// Settled invoices in order of their settle index, which may have gaps.
    private(set) var settled: [(settleIndex: UInt64, position: Int)] = []
    var lastSettleIndex: UInt64 = 0

    subscript(addIndex: UInt64) -> InvoiceRecord { records[Int(addIndex) - 1] }

    func find(_ hash: PaymentHash) -> InvoiceRecord? { byHash[hash].map { records[$0] } }

    func find(secret: Bytes32) -> InvoiceRecord? { bySecret[secret].map { records[$0] } }

    mutating func add(_ record: InvoiceRecord) {
        byHash[record.terms.hash] = records.count
        bySecret[record.terms.secret] = records.count
        records.append(record)
        if record.progress.settleIndex > 0 {
            // Only a snapshot adds settled invoices, in the order of adding.
            noteSettled(record.progress.settleIndex, position: records.count - 1)
        }
    }

    mutating func move(_ addIndex: UInt64, to progress: InvoiceProgress) {
        let position = Int(addIndex) - 1
        let isNew = records[position].progress.settleIndex != progress.settleIndex
        records[position].progress = progress
        if isNew { noteSettled(progress.settleIndex, position: position) }
    }

    /// The settled invoices after an index, in order of settlement.
    func settled(after settleIndex: UInt64) -> [InvoiceRecord] {
        settled[firstSettled(after: settleIndex)...].map { records[$0.position] }
    }

    private mutating func noteSettled(_ settleIndex: UInt64, position: Int) {
        settled.insert((settleIndex, position), at: firstSettled(after: settleIndex))
        lastSettleIndex = max(lastSettleIndex, settleIndex)
    }

    private func firstSettled(after settleIndex: UInt64) -> Int {
        var (low, high) = (0, settled.count)
        while low < high {
            let middle = (low + high) / 2
            if settled[middle].settleIndex <= settleIndex {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
