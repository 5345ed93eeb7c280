import FoundationEssentials
package import LightningTypes
import SwiftProtobuf

extension LndNode {
    /// Pays an invoice and lends the payment's states to a closure, the last one terminal.
    ///
    /// There is one payment per hash for ever. Ending the call does not stop the payment, unless
    /// the order says so: after any error whose outcome is unknown ask `trackPaymentV2`.
    ///
    /// - Parameters:
    ///   - order: What to pay within which limits; checked before lnd is asked.
    ///   - onlyFinalState: Whether to leave out what comes before the final state.
    ///   - body: Reads the states, for instance by `finalState()`.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws, or ``LndError``. `alreadyPaid`, `paymentInFlight`,
    ///   `invoiceExpired`, `invoiceInvalid`, `wrongNetwork`, `selfPayment` and `invalidRequest`
    ///   mean that this call has begun nothing.
    package func sendPaymentV2<Result: Sendable>(
        _ order: PaymentOrder,
        onlyFinalState: Bool = false,
        _ body: @escaping @Sendable (LndStream<Payment>) async throws -> Result
    ) async throws -> Result {
        try await stream(
            .sendPaymentV2,
            try order.request(onlyFinalState: onlyFinalState),
            convert: { (payment: Lnrpc_Payment) throws(LndError) in try Payment(payment) },
            body: body
        )
    }

    /// Follows a payment: its state now, then every change, the last one terminal.
    ///
    /// - Parameters:
    ///   - paymentHash: Its payment hash.
    ///   - onlyFinalState: Whether to leave out what comes before the final state.
    ///   - body: Reads the states, for instance by `finalState()`.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws, or ``LndError``; `paymentUnknown` when none was begun.
    package func trackPaymentV2<Result: Sendable>(
        _ paymentHash: PaymentHash,
        onlyFinalState: Bool = false,
        _ body: @escaping @Sendable (LndStream<Payment>) async throws -> Result
    ) async throws -> Result {
        try await stream(
            .trackPaymentV2,
            Routerrpc_TrackPaymentRequest.with {
                $0.paymentHash = Data(paymentHash.bytes.bytes)
                $0.noInflightUpdates = onlyFinalState
            },
            convert: { (answer: Lnrpc_Payment) throws(LndError) in
                let payment = try Payment(answer)
                guard payment.paymentHash == paymentHash else {
                    throw LndError(.malformedAnswer, "TrackPaymentV2: of another payment")
                }
                return payment
            },
            body: body
        )
    }

    /// A page of this node's payments, oldest first.
    ///
    /// - Parameters:
    ///   - offset: The index of the last payment seen; zero to begin.
    ///   - limit: The most payments to return.
    ///   - includesIncomplete: Whether to return those in flight and failed too.
    ///   - time: Only payments that began at or after this, by lnd's clock; nil for all.
    /// - Returns: The page; an empty one is the end.
    /// - Throws: ``LndError``.
    package func listPayments(
        after offset: UInt64 = 0,
        limit: UInt32 = 100,
        includesIncomplete: Bool = false,
        since time: UnixTime? = nil
    ) async throws(LndError) -> Page<Payment> {
        let answer: Lnrpc_ListPaymentsResponse = try await unary(
            .listPayments,
            Lnrpc_ListPaymentsRequest.with {
                $0.indexOffset = offset
                // Zero would mean all of them before lnd 0.20.
                $0.maxPayments = UInt64(max(limit, 1))
                $0.includeIncomplete = includesIncomplete
                $0.omitHops = true
                $0.creationDateStart = time?.seconds ?? 0
            }
        )
        let payments = try answer.payments.map { each throws(LndError) in try Payment(each) }
        return Page(
            elements: payments,
            lastIndex: payments.isEmpty ? offset : answer.lastIndexOffset
        )
    }
}
