package import LightningTypes

/// One durable change of the network.
///
/// A log of changes, applied in order to an empty network, gives the same network again. Each
/// change says what something now is, not how it came to be, so none needs a decision.
package enum Change: Equatable, Sendable {
    /// A node was added.
    case node(NodeRecord)
    /// A channel was opened, or is now divided this way.
    case channel(Channel)
    /// A node has a new root key for macaroons.
    case rootKey(node: NodeHandle, id: UInt64, key: Redacted<Bytes32>)
    /// A node keeps a connection to a peer at an address, or no longer (nil).
    case permanentPeer(node: NodeHandle, peer: NodeID, address: String?)
    /// A node has a new invoice.
    case invoiceAdded(node: NodeHandle, InvoiceRecord)
    /// An invoice now stands here.
    case invoiceMoved(node: NodeHandle, addIndex: UInt64, InvoiceProgress)
    /// A node's settle index went up without a settlement.
    case settleIndexJumped(node: NodeHandle, to: UInt64)
    /// A node has a new payment, in place of a failed one with the same hash.
    case paymentAdded(node: NodeHandle, PaymentRecord)
    /// A payment now stands here.
    case paymentMoved(node: NodeHandle, index: UInt64, PaymentProgress)
}

extension SimulatedNetwork {
    /// Builds a network from its changes, all nodes stopped.
    ///
    /// HTLCs that were on their way when the process died go on as soon as time advances.
    ///
    /// - Parameters:
    ///   - changes: A snapshot, then the changes since, in order.
    ///   - now: The current time.
    package init(replaying changes: some Sequence<Change>, now: NetworkTime) {
        self.init(now: now)
        for change in changes { apply(change) }
        resumeAfterReplay()
    }

    /// The shortest list of changes that gives this network.
    package var snapshot: [Change] {
        var changes = nodes.map { Change.node($0.record) } + channels.map(Change.channel)
        for (index, node) in nodes.enumerated() {
            let handle = NodeHandle(index: index)
            for (id, key) in node.bakery.rootKeys.sorted(by: { $0.key < $1.key }) {
                changes.append(.rootKey(node: handle, id: id, key: key))
            }
            for (peer, address) in node.permanentPeers.sorted(by: { $0.key < $1.key }) {
                changes.append(.permanentPeer(node: handle, peer: peer, address: address))
            }
            changes += node.invoices.records.map { .invoiceAdded(node: handle, $0) }
            if node.invoices.lastSettleIndex > 0 {
                let last = node.invoices.lastSettleIndex
                changes.append(.settleIndexJumped(node: handle, to: last))
            }
            changes += node.payments.records.compactMap { record in
                record.map { .paymentAdded(node: handle, $0) }
            }
        }
        return changes
    }

    mutating func apply(_ change: Change) {
        switch change {
        case .node(let record):
            handles[record.id] = NodeHandle(index: nodes.count)
            nodes.append(SimulatedNode(record))
        case .channel(let channel):
            if let position = channelPositions[channel.id] {
                channels[position] = channel
                return
            }
            channelPositions[channel.id] = channels.count
            nodes[channel.ends.opener.index].channels.append(channels.count)
            nodes[channel.ends.acceptor.index].channels.append(channels.count)
            channels.append(channel)
        case .rootKey(let node, let id, let key):
            nodes[node.index].bakery.add(key, id: id)
        case .permanentPeer(let node, let peer, let address):
            nodes[node.index].permanentPeers[peer] = address
        case .invoiceAdded(let node, let record):
            nodes[node.index].invoices.add(record)
        case .invoiceMoved(let node, let addIndex, let progress):
            nodes[node.index].invoices.move(addIndex, to: progress)
        case .settleIndexJumped(let node, let index):
            nodes[node.index].invoices.lastSettleIndex = index
        case .paymentAdded(let node, let record):
            nodes[node.index].payments.add(record)
        case .paymentMoved(let node, let index, let progress):
            nodes[node.index].payments.move(index, to: progress)
        }
    }

    /// Sets the alarms a restart of the process has lost, and moves on what was on its way.
    private mutating func resumeAfterReplay() {
        for node in allNodes {
            for record in nodes[node.index].invoices.records {
                switch record.progress.state {
                case .open: watchExpiry(of: record, on: node)
                case .accepted: watchHeldPayment(record, on: node)
                case .settled, .canceled: continue
                }
            }
            for case let record? in nodes[node.index].payments.records where !record.isFinal {
                resume(record, of: node)
            }
        }
    }

    private mutating func resume(_ record: PaymentRecord, of node: NodeHandle) {
        let key = PaymentKey(node: node, index: record.index)
        runningPayments[key] = RunningPayment()
        if !record.attemptsInFlight {
            // It was registered and no more; it begins when peers have found each other again.
            schedule(
                .paymentResumes(key),
                at: now.advanced(byMilliseconds: Self.reconnectMilliseconds)
            )
        }
        for (position, attempt) in record.progress.attempts.enumerated()
        where attempt.status == .inFlight && !attempt.isHung {
            let reference = HTLCReference(payment: key, attempt: position)
            let payee = handles[record.terms.destination]
            let invoice = payee.flatMap { nodes[$0.index].invoices.find(record.terms.hash) }
            let hasArrived =
                invoice?.progress.htlcs.contains {
                    $0.reference == reference && $0.state == .accepted
                } ?? false
            if !hasArrived {
                schedule(.htlcArrives(reference), at: now)
            } else if invoice?.progress.state == .open {
                schedule(.partialPaymentTimesOut(reference), at: now.advanced(bySeconds: 120))
            }
        }
    }
}
