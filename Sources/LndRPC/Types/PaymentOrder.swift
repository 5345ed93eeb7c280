import FoundationEssentials
package import LightningTypes
import SwiftProtobuf

/// An invoice to be paid, and within which limits (`SendPaymentV2`).
package struct PaymentOrder: Equatable, Sendable {
    /// The invoice as text (BOLT #11).
    package var paymentRequest: Redacted<String>
    /// What to pay; only for an invoice that leaves it to the payer, else nil.
    package var amount: MilliSatoshi?
    /// The most to pay beside the amount.
    ///
    /// Zero allows only routes without fees, as a direct channel is.
    package var feeLimit: MilliSatoshi
    /// How long new attempts may begin, in seconds, at least 1.
    ///
    /// What is on its way then stays on its way, possibly for hours.
    package var timeoutSeconds: UInt32
    /// The most blocks the money may be locked for; nil is the node's limit, usually 2016.
    package var cltvLimit: UInt32?
    /// Into how many parts the payment may be split; nil is lnd's default of 16.
    package var maximumParts: UInt32?
    /// The node before the payee; nil for any.
    package var lastHop: NodeID?
    /// Whether cancelling the call stops further attempts (lnd 0.18.3).
    package var isCancelable: Bool

    /// Makes an order; what is left out is lnd's default.
    package init(
        paymentRequest: Redacted<String>,
        amount: MilliSatoshi? = nil,
        feeLimit: MilliSatoshi,
        timeoutSeconds: UInt32,
        cltvLimit: UInt32? = nil,
        maximumParts: UInt32? = nil,
        lastHop: NodeID? = nil,
        isCancelable: Bool = false
    ) {
        self.paymentRequest = paymentRequest
        self.amount = amount
        self.feeLimit = feeLimit
        self.timeoutSeconds = timeoutSeconds
        self.cltvLimit = cltvLimit
        self.maximumParts = maximumParts
        self.lastHop = lastHop
        self.isCancelable = isCancelable
    }
}

extension PaymentOrder {
    func request(onlyFinalState: Bool) throws(LndError) -> Routerrpc_SendPaymentRequest {
        func refuse(_ what: String) -> LndError {
            LndError(.invalidRequest, "SendPaymentV2: \(what)")
        }

        let invoice = paymentRequest.reveal("lnd pays it")
        guard !invoice.isEmpty else { throw refuse("there is no invoice") }
        // Zero is an error before 0.19 and a minute since.
        guard timeoutSeconds > 0, let timeout = Int32(exactly: timeoutSeconds) else {
            throw refuse("a timeout of \(timeoutSeconds) s is not within 1 to \(Int32.max)")
        }
        // Zero parts, blocks or msat would silently mean lnd's default.
        guard maximumParts != 0 else { throw refuse("a payment has at least one part") }
        guard cltvLimit != 0, let cltv = Int32(exactly: cltvLimit ?? 0) else {
            throw refuse("a limit of \(cltvLimit ?? 0) blocks")
        }
        guard amount != .zero, let msat = Int64(exactly: amount?.msat ?? 0),
            let fee = Int64(exactly: feeLimit.msat)
        else {
            throw refuse("an amount or fee limit that lnd can't take")
        }
        return .with {
            $0.paymentRequest = invoice
            $0.amtMsat = msat
            $0.feeLimitMsat = fee
            $0.timeoutSeconds = timeout
            $0.cltvLimit = cltv
            $0.maxParts = maximumParts ?? 0
            if let lastHop { $0.lastHopPubkey = Data(lastHop.bytes) }
            $0.cancelable = isCancelable
            $0.noInflightUpdates = onlyFinalState
        }
    }
}
