package import LightningTypes

/// Names one payment of one node.
struct PaymentKey: Hashable, Sendable {
    let node: NodeHandle
    let index: UInt64
}

/// Names one HTLC from the payer's side.
struct HTLCReference: Hashable, Sendable {
    let payment: PaymentKey
    let attempt: Int
}

/// The states of a payment, `lnrpc.Payment.PaymentStatus`.
package enum PaymentStatus: UInt8, Sendable {
    /// Registered, or HTLCs are out.
    case inFlight = 1
    /// Paid.
    case succeeded = 2
    /// Will not be paid.
    case failed = 3
}

/// Why a payment failed, `lnrpc.PaymentFailureReason`.
package enum PaymentFailureReason: UInt8, CaseIterable, Sendable {
    /// It did not.
    case none
    /// No more attempts may start.
    case timeout
    /// No route, or every route failed.
    case noRoute
    /// Something else.
    case error
    /// The payee refused: unknown, expired or cancelled invoice, or wrong amount.
    case incorrectPaymentDetails
    /// The node's channels hold less than the amount.
    case insufficientBalance
    /// The caller went away from a cancelable payment.
    case canceled
}

/// Why an HTLC failed, those of `lnrpc.Failure.FailureCode` that happen here.
package enum HTLCFailureCode: UInt16, Sendable {
    /// The payee refused.
    case incorrectOrUnknownPaymentDetails = 1
    /// A channel on the way holds too little.
    case temporaryChannelFailure = 15
    /// The next node of the route is away.
    case unknownNextPeer = 18
    /// The rest of a set did not come in time.
    case mppTimeout = 23
}

/// One hop of a route, as `lnrpc.Hop`.
package struct Hop: Equatable, Sendable {
    /// The channel that leads to the hop.
    package let channel: UInt64
    /// Which end of it offers the HTLC.
    let offeredBy: ChannelEnd
    /// The node at the hop.
    package let node: NodeID
    /// What the node passes on, or keeps when it is the last, in msat.
    package let forwardMsat: UInt64
    /// What the node earns, in msat.
    package let feeMsat: UInt64
    /// The height at which what it passes on times out.
    package let expiry: UInt32

    /// What arrives at the node, in msat.
    var arrivingMsat: UInt64 { forwardMsat + feeMsat }
}

/// A way through the network, as `lnrpc.Route`.
package struct Route: Equatable, Sendable {
    /// From the first node after the payer to the payee.
    package let hops: [Hop]
    /// The height at which the first HTLC times out.
    package let totalTimeLock: UInt32

    /// What the payee gets, in msat.
    package var amountMsat: UInt64 { hops.last?.forwardMsat ?? 0 }
    /// What the nodes on the way earn, in msat.
    package var feesMsat: UInt64 { hops.reduce(0) { $0 + $1.feeMsat } }
}

/// One HTLC of a payment, as `lnrpc.HTLCAttempt`.
package struct HTLCAttempt: Equatable, Sendable {
    /// How it stands, `lnrpc.HTLCAttempt.HTLCStatus`.
    package enum Status: Equatable, Sendable {
        /// On its way, or held by the payee.
        case inFlight
        /// Settled.
        case succeeded
        /// Failed: why, and how many hops from the payer (0 is the payer).
        case failed(HTLCFailureCode, sourceIndex: UInt32, height: UInt32)
    }

    /// Counts a node's attempts from 1.
    package let id: UInt64
    /// Its way.
    package let route: Route
    /// When it was sent.
    package let started: NetworkTime
    /// How it stands.
    package internal(set) var status: Status
    /// When it was settled or failed; nil until then.
    package internal(set) var resolved: NetworkTime?
    /// Whether an operator's fault holds it on the way.
    package internal(set) var isHung = false
}

/// What a payment is and what limits it; never changes.
package struct PaymentTerms: Equatable, Sendable {
    /// The payment hash.
    package let hash: PaymentHash
    /// The payee.
    package let destination: NodeID
    /// What the payee gets, in msat.
    package let valueMsat: UInt64
    /// The invoice, as text; empty for a payment without one.
    package let paymentRequest: String
    /// The payment secret; nil when unknown.
    let secret: Bytes32?
    /// The payee's final time lock, in blocks.
    let finalTimeLockDelta: UInt16
    /// The most that all fees may be, in msat.
    let feeLimitMsat: UInt64
    /// The longest time lock from now, in blocks.
    let timeLockLimit: UInt32
    /// The channels that may be used first; empty for all.
    let outgoingChannels: [UInt64]
    /// The node before the payee, if it must be a certain one.
    let lastHop: NodeID?
    /// Into how many HTLCs it may be split; 1 when the payee can't put parts together.
    let maximumParts: UInt32
    /// The largest HTLC, in msat; nil for no limit.
    let maximumShardMsat: UInt64?
    /// No attempt starts later than this.
    let deadline: NetworkTime
    /// Whether the end of the caller's stream stops further attempts.
    let isCancelable: Bool
}

/// What changes of a payment.
package struct PaymentProgress: Equatable, Sendable {
    /// Where the payment stands.
    package internal(set) var status = PaymentStatus.inFlight
    /// Why it failed; set as soon as no attempt will follow, while HTLCs may still be out.
    package internal(set) var failureReason = PaymentFailureReason.none
    /// Its HTLCs, in the order of sending.
    package internal(set) var attempts: [HTLCAttempt] = []
    /// The preimage, once one HTLC is settled.
    package internal(set) var preimage: Preimage?

    /// What settled HTLCs brought the payee, in msat.
    var arrivedMsat: UInt64 {
        attempts.reduce(0) { $1.status == .succeeded ? $0 + $1.route.amountMsat : $0 }
    }
}

/// A payment in a node's database.
package struct PaymentRecord: Equatable, Sendable {
    /// What it is.
    package let terms: PaymentTerms
    /// Counts a node's payments from 1.
    package let index: UInt64
    /// When it was registered.
    package let created: NetworkTime
    /// What changes.
    package internal(set) var progress: PaymentProgress

    /// The fees of settled HTLCs, in msat.
    package var feeMsat: UInt64 {
        progress.attempts.reduce(0) { $1.status == .succeeded ? $0 + $1.route.feesMsat : $0 }
    }

    var isFinal: Bool { progress.status != .inFlight }

    var attemptsInFlight: Bool { progress.attempts.contains { $0.status == .inFlight } }

    /// What is out or has arrived, in msat: all attempts but the failed ones.
    var committed: (amountMsat: UInt64, feesMsat: UInt64) {
        var (amountMsat, feesMsat) = (UInt64(0), UInt64(0))
        for attempt in progress.attempts
        where attempt.status == .inFlight || attempt.status == .succeeded {
            amountMsat += attempt.route.amountMsat
            feesMsat += attempt.route.feesMsat
        }
        return (amountMsat, feesMsat)
    }
}

/// A node's payments and the index over them.
struct PaymentBook: Sendable {
    /// In order of `index`; a failed payment that was tried again leaves a gap.
    private(set) var records: [PaymentRecord?] = []
    private var byHash: [PaymentHash: Int] = [:]
    private(set) var lastAttempt: UInt64 = 0

    var nextIndex: UInt64 { UInt64(records.count) + 1 }

    subscript(index: UInt64) -> PaymentRecord? {
        index >= 1 && index <= UInt64(records.count) ? records[Int(index) - 1] : nil
    }

    func find(_ hash: PaymentHash) -> PaymentRecord? { byHash[hash].flatMap { records[$0] } }

    mutating func add(_ record: PaymentRecord) {
        while record.index > nextIndex { records.append(nil) }
        if let replaced = byHash.updateValue(records.count, forKey: record.terms.hash) {
            records[replaced] = nil
        }
        records.append(record)
        noteAttempts(record.progress)
    }

    mutating func move(_ index: UInt64, to progress: PaymentProgress) {
        records[Int(index) - 1]?.progress = progress
        noteAttempts(progress)
    }

    private mutating func noteAttempts(_ progress: PaymentProgress) {
        lastAttempt = max(lastAttempt, progress.attempts.last?.id ?? 0)
    }
}
