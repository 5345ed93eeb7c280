import LightningCrypto
package import LightningTypes

/// A payment of this node, as lnd has it now.
package struct Payment: Equatable, Sendable {
    /// Where the payment is in its life.
    package enum Status: Equatable, Sendable {
        /// Registered, nothing sent yet.
        case initiated
        /// Some HTLC may be on its way, possibly for hours.
        case inFlight
        /// Paid. The preimage hashes to the payment hash; nil when lnd told none that does, as for
        /// AMP payments.
        case succeeded(Preimage?)
        /// Not paid, and no HTLC is on its way.
        case failed(FailureReason)
    }

    /// Why a payment failed.
    package enum FailureReason: Hashable, Sendable {
        /// No attempt succeeded within the time given.
        case timeout
        /// No route within the limits for fee and CLTV.
        case noRoute
        /// Something lnd does not explain.
        case error
        /// The payee refused: unknown, expired or cancelled invoice, or wrong amount.
        case incorrectPaymentDetails
        /// The local channels hold too little.
        case insufficientBalance
        /// The caller cancelled.
        case canceled
        /// A reason this version does not know. Failed is failed all the same.
        case unrecognized(Int)
    }

    /// The payment hash.
    package var paymentHash: PaymentHash
    /// Where the payment is in its life.
    package var status: Status
    /// What the payee gets, without fees.
    package var amount: MilliSatoshi
    /// The fees of the HTLCs that were settled.
    package var fee: MilliSatoshi
    /// When the payment was registered.
    package var createdAt: UnixTime
    /// Grows with each payment.
    package var index: UInt64
    /// The invoice that was paid, as text; nil for a spontaneous payment, which has none.
    package var paymentRequest: Redacted<String>?

    /// Whether nothing will change any more.
    package var isTerminal: Bool {
        switch status {
        case .succeeded, .failed: true
        case .initiated, .inFlight: false
        }
    }
}

extension Payment {
    init(_ payment: Lnrpc_Payment) throws(LndError) {
        let answer = Answer(Lnrpc_Payment.self)
        let hash = PaymentHash(try answer.bytes32(hex: payment.paymentHash, "payment_hash"))
        paymentHash = hash
        amount = try answer.msat(payment.valueMsat, "value_msat")
        fee = try answer.msat(payment.feeMsat, "fee_msat")
        let nanoseconds = try answer.count(payment.creationTimeNs, "creation_time_ns")
        createdAt = UnixTime(seconds: nanoseconds / 1_000_000_000)
        index = payment.paymentIndex
        paymentRequest = payment.paymentRequest.isEmpty ? nil : Redacted(payment.paymentRequest)
        status =
            switch payment.status {
            case .initiated: .initiated
            case .inFlight: .inFlight
            case .succeeded:
                .succeeded(Self.preimage(payment.paymentPreimage, of: hash))
            case .failed: .failed(FailureReason(payment.failureReason))
            case .unknown: throw answer.malformed("status", "is missing")
            case .UNRECOGNIZED(let value):
                throw answer.malformed("status", "has the unknown value \(value)")
            }
    }

    private static func preimage(_ hex: String, of hash: PaymentHash) -> Preimage? {
        guard let bytes = Bytes32(hex: hex), SHA256.hash(bytes.bytes) == hash.bytes else {
            return nil
        }
        return Preimage(bytes)
    }
}

extension Payment.FailureReason {
    init(_ reason: Lnrpc_PaymentFailureReason) {
        self =
            switch reason {
            case .failureReasonTimeout: .timeout
            case .failureReasonNoRoute: .noRoute
            case .failureReasonError: .error
            case .failureReasonIncorrectPaymentDetails: .incorrectPaymentDetails
            case .failureReasonInsufficientBalance: .insufficientBalance
            case .failureReasonCanceled: .canceled
            case .failureReasonNone: .unrecognized(reason.rawValue)
            case .UNRECOGNIZED(let value): .unrecognized(value)
            }
    }
}
