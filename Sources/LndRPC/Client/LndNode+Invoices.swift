import FoundationEssentials
package import LightningTypes
import SwiftProtobuf

extension LndNode {
    /// Makes an invoice.
    ///
    /// Repeating the call makes another one, unless the order names a preimage: then it is
    /// `invoiceExists`.
    ///
    /// - Parameter order: What to ask for; checked before lnd is asked.
    /// - Returns: The invoice.
    /// - Throws: ``LndError``: `invalidRequest`, `invoiceExists`.
    package func addInvoice(_ order: NewInvoice) async throws(LndError) -> AddedInvoice {
        let answer: Lnrpc_AddInvoiceResponse = try await unary(
            .addInvoice,
            try order.request()
        )
        return try AddedInvoice(answer)
    }

    /// Makes a hold invoice: its payment waits for `settleInvoice` or `cancelInvoice`.
    ///
    /// - Parameters:
    ///   - order: What to ask for, without preimage; checked before lnd is asked.
    ///   - paymentHash: The hash of the preimage that the caller keeps.
    /// - Returns: The invoice.
    /// - Throws: ``LndError``: `invalidRequest`, `invoiceExists`.
    package func addHoldInvoice(
        _ order: NewInvoice,
        paymentHash: PaymentHash
    ) async throws(LndError) -> AddedInvoice {
        let answer: Invoicesrpc_AddHoldInvoiceResp = try await unary(
            .addHoldInvoice,
            try order.request(hash: paymentHash)
        )
        return try AddedInvoice(answer, hash: paymentHash)
    }

    /// An invoice of this node as it is now.
    ///
    /// - Parameter paymentHash: Its payment hash.
    /// - Returns: The invoice.
    /// - Throws: ``LndError``: `invoiceUnknown`.
    package func lookupInvoice(_ paymentHash: PaymentHash) async throws(LndError) -> Invoice {
        let answer: Lnrpc_Invoice = try await unary(
            .lookupInvoice,
            Lnrpc_PaymentHash.with { $0.rHash = Data(paymentHash.bytes.bytes) }
        )
        return try Self.answer(answer, to: paymentHash, "LookupInvoice")
    }

    /// The same as `lookupInvoice` by the newer call, which needs the permission to write invoices.
    ///
    /// - Parameter paymentHash: Its payment hash.
    /// - Returns: The invoice.
    /// - Throws: ``LndError``: `invoiceUnknown`.
    package func lookupInvoiceV2(_ paymentHash: PaymentHash) async throws(LndError) -> Invoice {
        let answer: Lnrpc_Invoice = try await unary(
            .lookupInvoiceV2,
            Invoicesrpc_LookupInvoiceMsg.with { $0.paymentHash = Data(paymentHash.bytes.bytes) }
        )
        return try Self.answer(answer, to: paymentHash, "LookupInvoiceV2")
    }

    /// A page of this node's invoices, oldest first.
    ///
    /// - Parameters:
    ///   - offset: The index of the last invoice seen; zero to begin.
    ///   - limit: The most invoices to return.
    ///   - onlyPending: Whether to leave out settled and cancelled ones.
    ///   - time: Only invoices that were made at or after this, by lnd's clock; nil for all.
    /// - Returns: The page; an empty one is the end.
    /// - Throws: ``LndError``.
    package func listInvoices(
        after offset: UInt64 = 0,
        limit: UInt32 = 100,
        onlyPending: Bool = false,
        since time: UnixTime? = nil
    ) async throws(LndError) -> Page<Invoice> {
        let answer: Lnrpc_ListInvoiceResponse = try await unary(
            .listInvoices,
            Lnrpc_ListInvoiceRequest.with {
                $0.indexOffset = offset
                // Zero would mean lnd's default.
                $0.numMaxInvoices = UInt64(max(limit, 1))
                $0.pendingOnly = onlyPending
                $0.creationDateStart = time?.seconds ?? 0
            }
        )
        let invoices = try answer.invoices.map { each throws(LndError) in try Invoice(each) }
        return Page(
            elements: invoices,
            lastIndex: invoices.isEmpty ? offset : answer.lastIndexOffset
        )
    }

    /// Invoices made and settled from now on, and a backlog if indices are given.
    ///
    /// Delivery is at least once. Cancelled, expired and accepted invoices are not sent: what
    /// counts is `lookupInvoice`. Indices restart after some of lnd's migrations, so prefer none.
    ///
    /// - Parameters:
    ///   - addIndex: With more than zero, invoices of greater index come first.
    ///   - settleIndex: With more than zero, settlements of greater index come next, and those up
    ///     to it are never sent.
    ///   - opened: Called when the request is with the transport. lnd acknowledges nothing.
    ///   - body: Reads the invoices; returning ends the subscription.
    /// - Returns: What the closure returns.
    /// - Throws: ``LndError``, or what the closure throws.
    package func subscribeInvoices<Result: Sendable>(
        addIndex: UInt64 = 0,
        settleIndex: UInt64 = 0,
        opened: @escaping @Sendable () -> Void = {},
        _ body: @escaping @Sendable (LndStream<Invoice>) async throws -> Result
    ) async throws -> Result {
        try await stream(
            .subscribeInvoices,
            Lnrpc_InvoiceSubscription.with {
                $0.addIndex = addIndex
                $0.settleIndex = settleIndex
            },
            opened: opened,
            convert: { (invoice: Lnrpc_Invoice) throws(LndError) in try Invoice(invoice) },
            body: body
        )
    }

    /// One invoice: as it is now and at every change, until it is settled or cancelled.
    ///
    /// - Parameters:
    ///   - paymentHash: Its payment hash; an unknown one is waited for.
    ///   - opened: Called when the request is with the transport.
    ///   - body: Reads the states; returning ends the subscription.
    /// - Returns: What the closure returns.
    /// - Throws: ``LndError``, or what the closure throws.
    package func subscribeSingleInvoice<Result: Sendable>(
        _ paymentHash: PaymentHash,
        opened: @escaping @Sendable () -> Void = {},
        _ body: @escaping @Sendable (LndStream<Invoice>) async throws -> Result
    ) async throws -> Result {
        try await stream(
            .subscribeSingleInvoice,
            Invoicesrpc_SubscribeSingleInvoiceRequest.with {
                $0.rHash = Data(paymentHash.bytes.bytes)
            },
            opened: opened,
            convert: { (invoice: Lnrpc_Invoice) throws(LndError) in
                try Self.answer(invoice, to: paymentHash, "SubscribeSingleInvoice")
            },
            body: body
        )
    }

    /// Cancels an invoice: after success it can never be paid.
    ///
    /// Repeating it is a success.
    ///
    /// - Parameter paymentHash: Its payment hash.
    /// - Throws: ``LndError``: `invoiceAlreadySettled` when it was paid, `invoiceUnknown`.
    package func cancelInvoice(_ paymentHash: PaymentHash) async throws(LndError) {
        let _: Invoicesrpc_CancelInvoiceResp = try await unary(
            .cancelInvoice,
            Invoicesrpc_CancelInvoiceMsg.with { $0.paymentHash = Data(paymentHash.bytes.bytes) }
        )
    }

    /// Takes the payment that waits at a hold invoice.
    ///
    /// Repeating it is a success.
    ///
    /// - Parameter preimage: Its preimage.
    /// - Throws: ``LndError``: `invoiceStillOpen`, `invoiceAlreadyCanceled`, `invoiceUnknown`.
    package func settleInvoice(_ preimage: Preimage) async throws(LndError) {
        let bytes = preimage.secret.reveal("lnd takes the payment with it").bytes
        let _: Invoicesrpc_SettleInvoiceResp = try await unary(
            .settleInvoice,
            Invoicesrpc_SettleInvoiceMsg.with { $0.preimage = Data(bytes) }
        )
    }

    /// Reads an invoice as lnd's decoder does; all its failures are lnd's own words.
    ///
    /// - Parameter paymentRequest: The invoice as text.
    /// - Returns: What lnd reads in it.
    /// - Throws: ``LndError``: `wrongNetwork`, `invoiceInvalid`, or `other`.
    package func decodePayReq(
        _ paymentRequest: Redacted<String>
    ) async throws(LndError) -> DecodedInvoice {
        let answer: Lnrpc_PayReq = try await unary(
            .decodePayReq,
            Lnrpc_PayReqString.with { $0.payReq = paymentRequest.reveal("lnd decodes it") }
        )
        return try DecodedInvoice(answer)
    }

    /// The invoice asked for; another one would settle the wrong job.
    private static func answer(
        _ invoice: Lnrpc_Invoice,
        to paymentHash: PaymentHash,
        _ rpc: String
    ) throws(LndError) -> Invoice {
        let invoice = try Invoice(invoice)
        guard invoice.paymentHash == paymentHash else {
            throw LndError(.malformedAnswer, "\(rpc): the answer is another invoice")
        }
        return invoice
    }
}
