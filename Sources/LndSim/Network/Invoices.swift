import LightningCrypto
package import LightningTypes

/// What AddInvoice answers.
package struct AddedInvoice: Equatable, Sendable {
    /// The payment hash.
    package let hash: PaymentHash
    /// The BOLT #11 text.
    package let paymentRequest: String
    /// Counts the node's invoices from 1.
    package let addIndex: UInt64
    /// The payment secret.
    package let secret: Bytes32
}

extension SimulatedNetwork {
    /// AddInvoice and AddHoldInvoice: stores a signed invoice.
    ///
    /// - Parameters:
    ///   - invoice: From ``InvoiceDraft/signed(by:created:entropy:)``.
    ///   - node: The payee, who signed.
    /// - Returns: What the RPC answers.
    /// - Throws: ``LndFault``: `invoice with payment hash already exists`.
    package mutating func addInvoice(
        _ invoice: SignedInvoice,
        on node: NodeHandle
    ) throws(LndFault) -> AddedInvoice {
        try checkServing(node)
        guard nodes[node.index].invoices.find(invoice.hash) == nil else {
            throw .unknown("invoice with payment hash already exists")
        }
        let record = InvoiceRecord(
            terms: invoice,
            addIndex: UInt64(nodes[node.index].invoices.records.count) + 1,
            progress: InvoiceProgress(preimage: invoice.preimage)
        )
        commit(.invoiceAdded(node: node, record))
        watchExpiry(of: record, on: node)
        tell(record, of: node)
        return AddedInvoice(
            hash: invoice.hash,
            paymentRequest: invoice.paymentRequest,
            addIndex: record.addIndex,
            secret: invoice.secret
        )
    }

    /// LookupInvoice: an invoice by its payment hash.
    ///
    /// - Parameters:
    ///   - hash: 32 bytes.
    ///   - node: The payee.
    /// - Returns: The invoice as it stands.
    /// - Throws: ``LndFault`` as lnd words it.
    package func lookUpInvoice(
        hash: [UInt8],
        on node: NodeHandle
    ) throws(LndFault) -> InvoiceRecord {
        try checkServing(node)
        let invoices = nodes[node.index].invoices
        guard let bytes = Bytes32(hash) else {
            throw .unknown("payment hash must be exactly 32 bytes, is instead \(hash.count)")
        }
        guard !invoices.records.isEmpty else { throw .notFound("there are no existing invoices") }
        guard let record = invoices.find(PaymentHash(bytes)) else {
            throw .notFound("unable to locate invoice")
        }
        return record
    }

    /// LookupInvoiceV2 by payment address: an invoice by its payment secret.
    ///
    /// - Parameters:
    ///   - secret: 32 bytes.
    ///   - node: The payee.
    /// - Returns: The invoice as it stands.
    /// - Throws: ``LndFault``: `unable to locate invoice`.
    package func lookUpInvoice(
        secret: [UInt8],
        on node: NodeHandle
    ) throws(LndFault) -> InvoiceRecord {
        try checkServing(node)
        guard let record = Bytes32(secret).flatMap({ nodes[node.index].invoices.find(secret: $0) })
        else { throw .notFound("unable to locate invoice") }
        return record
    }

    /// ListInvoices: one page of a node's invoices.
    ///
    /// - Parameters:
    ///   - page: Where the page starts and how long it is.
    ///   - pendingOnly: Only open and accepted invoices.
    ///   - node: The payee.
    /// - Returns: The invoices, ascending by `addIndex`, also when the page is read backwards.
    /// - Throws: ``LndFault`` while the node does not serve.
    package func listInvoices(
        _ page: PageRequest,
        pendingOnly: Bool = false,
        on node: NodeHandle
    ) throws(LndFault) -> [InvoiceRecord] {
        try checkServing(node)
        return page.select(from: nodes[node.index].invoices.records) { record in
            if pendingOnly, ![.open, .accepted].contains(record.progress.state) { return false }
            return page.contains(record.terms.created)
        }
    }

    /// CancelInvoice: an open or accepted invoice can't be paid any more.
    ///
    /// - Parameters:
    ///   - hash: 32 bytes.
    ///   - node: The payee.
    /// - Throws: ``LndFault``: `invoice already settled`, `unable to locate invoice`.
    package mutating func cancelInvoice(
        hash: [UInt8],
        on node: NodeHandle
    ) throws(LndFault) {
        let record = try invoiceToMove(hash, on: node)
        switch record.progress.state {
        case .settled: throw .unknown("invoice already settled")
        case .canceled: return
        case .open, .accepted: cancel(record, of: node)
        }
        finishWork()
    }

    /// SettleInvoice: takes the money that waits at a hold invoice.
    ///
    /// - Parameters:
    ///   - preimage: 32 bytes.
    ///   - node: The payee.
    /// - Throws: ``LndFault``: `invoice still open`, `invoice already canceled`,
    ///   `unable to locate invoice`.
    package mutating func settleInvoice(
        preimage: [UInt8],
        on node: NodeHandle
    ) throws(LndFault) {
        try checkServing(node)
        guard let bytes = Bytes32(preimage) else {
            throw .unknown("invalid preimage length of \(preimage.count), want 32")
        }
        let record = try invoiceToMove(SHA256.hash(preimage).bytes, on: node)
        switch record.progress.state {
        case .open: throw .unknown("invoice still open")
        case .canceled: throw .unknown("invoice already canceled")
        case .settled: return
        case .accepted: settle(record, with: Preimage(bytes), of: node)
        }
        finishWork()
    }

    // MARK: - Moves

    private func invoiceToMove(
        _ hash: [UInt8],
        on node: NodeHandle
    ) throws(LndFault) -> InvoiceRecord {
        try checkServing(node)
        guard let bytes = Bytes32(hash) else {
            throw .unknown("invalid hash length of \(hash.count), want 32")
        }
        guard let record = nodes[node.index].invoices.find(PaymentHash(bytes)) else {
            throw .unknown("unable to locate invoice")
        }
        return record
    }

    mutating func move(
        _ record: InvoiceRecord,
        to progress: InvoiceProgress,
        of node: NodeHandle
    ) -> InvoiceRecord {
        commit(.invoiceMoved(node: node, addIndex: record.addIndex, progress))
        return nodes[node.index].invoices[record.addIndex]
    }

    mutating func cancel(_ record: InvoiceRecord, of node: NodeHandle) {
        var progress = record.progress
        progress.state = .canceled
        let released = progress.resolve(to: .canceled, at: now.unix)
        tell(move(record, to: progress, of: node), of: node)
        for htlc in released { fail(htlc, .incorrectOrUnknownPaymentDetails) }
    }

    mutating func settle(_ record: InvoiceRecord, with preimage: Preimage, of node: NodeHandle) {
        var progress = record.progress
        progress.state = .settled
        progress.preimage = preimage
        progress.amountPaidMsat = record.waitingMsat
        progress.settledAt = now.unix
        progress.settleIndex = nodes[node.index].invoices.lastSettleIndex + 1
        let taken = progress.resolve(to: .settled, at: now.unix)
        tell(move(record, to: progress, of: node), of: node)
        for htlc in taken { settle(htlc, with: preimage) }
    }

    // MARK: - Expiry

    /// Sets the alarm of lnd's expiry watcher for an open invoice.
    mutating func watchExpiry(of record: InvoiceRecord, on node: NodeHandle) {
        schedule(
            .invoiceExpires(node, addIndex: record.addIndex),
            at: NetworkTime(record.expiresAt)
        )
    }

    mutating func expireInvoice(_ addIndex: UInt64, of node: NodeHandle) {
        let record = nodes[node.index].invoices[addIndex]
        guard record.progress.state == .open else { return }
        // A slow watcher is a fault to ask for: until it acts, lnd takes a late payment.
        let acts = NetworkTime(record.expiresAt)
            .advanced(byMilliseconds: nodes[node.index].faults.expiryLagMilliseconds)
        guard acts <= now else {
            schedule(.invoiceExpires(node, addIndex: addIndex), at: acts)
            return
        }
        cancel(record, of: node)
    }
}

extension InvoiceProgress {
    /// Ends every waiting HTLC one way and returns the payers' sides of them.
    mutating func resolve(to state: InvoiceHTLC.State, at time: UnixTime) -> [HTLCReference] {
        var references: [HTLCReference] = []
        for index in htlcs.indices where htlcs[index].state == .accepted {
            htlcs[index].state = state
            htlcs[index].resolveTime = time
            references.append(htlcs[index].reference)
        }
        return references
    }
}
