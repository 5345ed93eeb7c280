import LightningTypes

// The payee's side of an HTLC: lnd's invoice registry.
extension SimulatedNetwork {
    /// An HTLC reaches the last node of its route.
    mutating func arrive(_ reference: HTLCReference) {
        guard let payment = nodes[reference.payment.node.index].payments[reference.payment.index],
            payment.progress.attempts[reference.attempt].status == .inFlight,
            let hop = payment.progress.attempts[reference.attempt].route.hops.last,
            let node = handles[hop.node]
        else { return }
        guard let record = invoice(for: hop, of: payment, at: node) else {
            fail(reference, .incorrectOrUnknownPaymentDetails)
            return
        }
        var progress = record.progress
        progress.htlcs.append(
            InvoiceHTLC(
                channel: hop.channel,
                index: channel(hop.channel).map { $0.offered[hop.offeredBy] - 1 } ?? 0,
                amountMsat: hop.forwardMsat,
                acceptHeight: blockHeight,
                acceptTime: now.unix,
                expiryHeight: hop.expiry,
                totalMsat: payment.terms.valueMsat,
                state: .accepted,
                resolveTime: nil,
                reference: reference
            )
        )
        var updated = record
        updated.progress = progress
        guard updated.waitingMsat >= payment.terms.valueMsat else {
            _ = move(record, to: progress, of: node)
            schedule(
                .partialPaymentTimesOut(reference),
                at: now.advanced(bySeconds: Self.partialPaymentSeconds)
            )
            return
        }
        if let preimage = record.progress.preimage {
            settle(updated, with: preimage, of: node)
        } else {
            updated.progress.state = .accepted
            tell(move(record, to: updated.progress, of: node), of: node)
            watchHeldPayment(updated, on: node)
        }
    }

    /// The invoice an HTLC may pay; nil when the payee refuses it.
    private func invoice(
        for hop: Hop,
        of payment: PaymentRecord,
        at node: NodeHandle
    ) -> InvoiceRecord? {
        guard let record = nodes[node.index].invoices.find(payment.terms.hash),
            record.progress.state == .open,
            record.terms.secret == payment.terms.secret,
            payment.terms.valueMsat >= record.terms.valueMsat,
            hop.expiry >= blockHeight + UInt32(record.terms.timeLockDelta),
            record.progress.htlcs.allSatisfy({
                $0.state != .accepted || $0.totalMsat == payment.terms.valueMsat
            })
        else { return nil }
        return record
    }

    // lnd waits two minutes for the rest of a set.
    private static let partialPaymentSeconds: UInt64 = 120

    mutating func timeOutPartialPayment(_ reference: HTLCReference) {
        guard let payment = nodes[reference.payment.node.index].payments[reference.payment.index],
            let hop = payment.progress.attempts[reference.attempt].route.hops.last,
            let node = handles[hop.node],
            let record = nodes[node.index].invoices.find(payment.terms.hash),
            record.progress.state == .open,
            let index = record.progress.htlcs.firstIndex(where: {
                $0.reference == reference && $0.state == .accepted
            })
        else { return }
        var progress = record.progress
        progress.htlcs[index].state = .canceled
        progress.htlcs[index].resolveTime = now.unix
        _ = move(record, to: progress, of: node)
        fail(reference, .mppTimeout)
    }

    /// Sets the alarm that gives a held payment back before its time lock forces a channel to close.
    mutating func watchHeldPayment(_ record: InvoiceRecord, on node: NodeHandle) {
        let expiry =
            record.progress.htlcs.filter { $0.state == .accepted }.map(\.expiryHeight).min() ?? 0
        let last = expiry > Self.holdMargin ? expiry - Self.holdMargin : 0
        let blocks = last > blockHeight ? last - blockHeight : 0
        schedule(
            .heldPaymentTimesOut(node, addIndex: record.addIndex),
            at: now.advanced(bySeconds: UInt64(blocks) * 600)
        )
    }

    // lnd gives up on a hold invoice so many blocks before an HTLC's time lock.
    private static let holdMargin: UInt32 = 12

    mutating func timeOutHeldInvoice(_ addIndex: UInt64, of node: NodeHandle) {
        let record = nodes[node.index].invoices[addIndex]
        guard record.progress.state == .accepted else { return }
        cancel(record, of: node)
    }
}
