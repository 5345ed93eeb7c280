import LightningTypes

extension SimulatedNetwork {
    /// SubscribeInvoices: the backlog after two indices, then what happens.
    ///
    /// Zero asks for no backlog of that kind. All backlog adds come before all backlog settles. An
    /// add carries the invoice's state of now; cancelled and accepted ones are left out.
    ///
    /// - Parameters:
    ///   - addIndex: Invoices added after this one are news.
    ///   - settleIndex: Settlements after this one are news.
    ///   - node: The payee.
    /// - Returns: The stream.
    /// - Throws: ``LndFault`` while the node does not serve.
    package mutating func subscribeInvoices(
        addIndex: UInt64 = 0,
        settleIndex: UInt64 = 0,
        on node: NodeHandle
    ) throws(LndFault) -> SubscriptionID {
        try checkServing(node)
        let id = open(.invoices(addIndex: addIndex, settleIndex: settleIndex), on: node)
        let invoices = nodes[node.index].invoices
        if addIndex > 0 {
            for record in invoices.records.dropFirst(Int(clamping: addIndex)) {
                switch record.progress.state {
                case .open, .settled: deliver(.invoice(record), to: id)
                case .canceled, .accepted: continue
                }
            }
        }
        if settleIndex > 0 {
            for record in invoices.settled(after: settleIndex) { deliver(.invoice(record), to: id) }
        }
        return id
    }

    /// SubscribeSingleInvoice: the invoice as it stands, then every change until it is final.
    ///
    /// - Parameters:
    ///   - hash: 32 bytes; an unknown one waits for such an invoice.
    ///   - node: The payee.
    /// - Returns: The stream; it ends with OK once the invoice is settled or cancelled.
    /// - Throws: ``LndFault`` for another length.
    package mutating func subscribeSingleInvoice(
        hash: [UInt8],
        on node: NodeHandle
    ) throws(LndFault) -> SubscriptionID {
        try checkServing(node)
        guard let bytes = Bytes32(hash) else {
            throw .unknown("invalid hash length of \(hash.count), want 32")
        }
        let hash = PaymentHash(bytes)
        let id = open(.singleInvoice(hash), on: node)
        if let record = nodes[node.index].invoices.find(hash) {
            deliver(.invoice(record), to: id)
            if record.isFinal { end(id) }
        }
        return id
    }

    /// Tells subscribers that an invoice was added or moved.
    mutating func tell(_ record: InvoiceRecord, of node: NodeHandle) {
        for id in nodes[node.index].subscribers.invoices {
            guard case .invoices(let addIndex, let settleIndex)? = subscriptions[id]?.topic else {
                continue
            }
            switch record.progress.state {
            case .open where record.progress.htlcs.isEmpty && record.addIndex > addIndex:
                deliver(.invoice(record), to: id)
            case .settled where record.progress.settleIndex > settleIndex:
                deliver(.invoice(record), to: id)
            case .open, .settled, .canceled, .accepted:
                break  // lnd does not send these here
            }
        }
        for id in nodes[node.index].subscribers.singleInvoice[record.terms.hash] ?? [] {
            deliver(.invoice(record), to: id)
            if record.isFinal { end(id) }
        }
    }
}

extension InvoiceRecord {
    var isFinal: Bool { progress.state == .settled || progress.state == .canceled }
}
