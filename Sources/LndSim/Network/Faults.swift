/// What goes wrong with the next payments a node sends.
package enum PaymentFault: Equatable, Sendable {
    /// The payment fails for this reason, without an HTLC.
    case fail(PaymentFailureReason)
    /// Each HTLC takes so long to arrive, in milliseconds.
    case delay(UInt64)
    /// The HTLCs stay on the way until ``SimulatedNetwork/releaseHungPayments(of:succeed:)``.
    case hang
    /// The payment is registered, and no HTLC leaves until
    /// ``SimulatedNetwork/releaseHungPayments(of:succeed:)``.
    case registerOnly
    /// The payment goes its way, but the caller's stream breaks after so many updates.
    case breakStream(afterUpdates: Int)
    /// The call is lost before the payment is registered: nothing happens, and nobody is told.
    case loseCall
}

/// A node's faults; a restart of the process forgets them.
struct NodeFaults: Sendable {
    /// What the next payments meet, one each, in order.
    var payments: [PaymentFault] = []
    /// Kinds of streams that deliver nothing for now.
    var stalled: Set<StreamKind> = []
    /// How much later than the expiry the watcher cancels an invoice.
    var expiryLagMilliseconds: UInt64 = 0
    /// Counts starts, so that an overtaken one does not go on.
    var startUps: UInt64 = 0

    mutating func takePaymentFault() -> PaymentFault? {
        payments.isEmpty ? nil : payments.removeFirst()
    }
}

extension SimulatedNetwork {
    /// Lets the next payments of a node meet a fault.
    ///
    /// - Parameters:
    ///   - fault: What goes wrong.
    ///   - count: With how many payments, after those that already have a fault.
    ///   - node: The payer.
    package mutating func failNextPayments(
        _ fault: PaymentFault,
        count: Int = 1,
        of node: NodeHandle
    ) {
        nodes[node.index].faults.payments += Array(repeating: fault, count: max(0, count))
    }

    /// Lets hung HTLCs of a node go on, and payments that have none yet begin.
    ///
    /// - Parameters:
    ///   - node: The payer.
    ///   - succeed: Whether they arrive; otherwise a channel on the way fails, and a payment
    ///     without HTLCs finds no route.
    package mutating func releaseHungPayments(of node: NodeHandle, succeed: Bool) {
        for record in nodes[node.index].payments.records {
            guard let record, !record.isFinal else { continue }
            let payment = PaymentKey(node: node, index: record.index)
            if runningPayments[payment]?.fault == .registerOnly {
                runningPayments[payment]?.fault = succeed ? nil : .fail(.noRoute)
                work.append(.advance(payment))
            }
            for (position, attempt) in record.progress.attempts.enumerated() where attempt.isHung {
                let key = PaymentKey(node: node, index: record.index)
                let reference = HTLCReference(payment: key, attempt: position)
                runningPayments[key]?.fault = nil
                var progress = nodes[node.index].payments[record.index]?.progress
                progress?.attempts[position].isHung = false
                if let progress {
                    commit(.paymentMoved(node: node, index: record.index, progress))
                }
                if succeed {
                    work.append(.arrive(reference))
                } else {
                    fail(reference, .temporaryChannelFailure)
                }
            }
        }
        finishWork()
    }

    /// Breaks the open streams of a node with a fault; nil kind for all kinds.
    ///
    /// - Parameters:
    ///   - kind: Which streams.
    ///   - fault: What their callers see.
    ///   - node: The node.
    /// - Returns: How many streams broke.
    @discardableResult
    package mutating func breakStreams(
        _ kind: StreamKind?,
        fault: LndFault = .unavailable,
        of node: NodeHandle
    ) -> Int {
        let ids = streams(of: node, kind: kind)
        for id in ids { end(id, fault) }
        return ids.count
    }

    /// Stops or resumes delivery on all streams of a kind, open and future ones.
    ///
    /// Nothing is lost: what was held back is delivered in order when the streams resume.
    package mutating func stallStreams(_ kind: StreamKind, _ stalls: Bool, of node: NodeHandle) {
        if stalls {
            nodes[node.index].faults.stalled.insert(kind)
        } else {
            nodes[node.index].faults.stalled.remove(kind)
        }
        for id in streams(of: node, kind: kind) {
            if stalls {
                if subscriptions[id]?.heldBack == nil { subscriptions[id]?.heldBack = [] }
                continue
            }
            guard let heldBack = subscriptions[id]?.heldBack else { continue }
            subscriptions[id]?.heldBack = nil
            for event in heldBack {
                switch event {
                case .deliver(let id, let delivery): deliver(delivery, to: id)
                case .end(let id, let fault): end(id, fault)
                case .phase: continue
                }
            }
        }
    }

    /// Sets what goes wrong with custom messages from one node to another.
    ///
    /// Calls that waited for what they no longer wait for go on.
    package mutating func setLinkFaults(
        _ faults: LinkFaults,
        from: NodeHandle,
        to: NodeHandle
    ) {
        let link = DirectedPair(from: from, to: to)
        var faults = faults
        // What is already on the way is not overtaken.
        faults.lastArrival = links[link]?.lastArrival
        let waitedFor = links[link]?.wait
        links[link] = faults
        if waitedFor != faults.wait { continueSending(over: link) }
    }

    /// Breaks the connection between two nodes, whatever their channels.
    ///
    /// - Parameters:
    ///   - one: A node.
    ///   - other: Another node.
    ///   - staysDown: Whether it stays broken until ``joinPeers(_:_:)``; otherwise the nodes
    ///     reconnect after about a second if they have a channel or a permanent connection.
    ///   - lateOffline: Whether the OFFLINE event comes only after the next ONLINE.
    package mutating func separatePeers(
        _ one: NodeHandle,
        _ other: NodeHandle,
        staysDown: Bool,
        lateOffline: Bool = false
    ) {
        let pair = NodePair(one, other)
        if staysDown { separated.insert(pair) }
        guard connections[pair] != nil else { return }
        if lateOffline { lateOfflines.insert(pair) }
        drop(pair)
    }

    /// Connects two nodes, also after ``separatePeers(_:_:staysDown:lateOffline:)``.
    package mutating func joinPeers(_ one: NodeHandle, _ other: NodeHandle) {
        separated.remove(NodePair(one, other))
        connectIfPossible(one, other)
    }

    /// Lets the next settlement have an index so much higher, as after a migration of lnd.
    package mutating func jumpSettleIndex(by gap: UInt64, of node: NodeHandle) {
        let last = nodes[node.index].invoices.lastSettleIndex
        commit(.settleIndexJumped(node: node, to: last.addingClamped(gap)))
    }

    /// Lets the next settlement have index 1 again, as after some migrations of lnd.
    package mutating func restartSettleIndex(of node: NodeHandle) {
        commit(.settleIndexJumped(node: node, to: 0))
    }

    /// Lets the expiry watcher of a node act so much later, in milliseconds.
    package mutating func delayExpiryWatcher(byMilliseconds lag: UInt64, of node: NodeHandle) {
        nodes[node.index].faults.expiryLagMilliseconds = lag
    }
}
