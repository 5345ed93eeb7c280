import LightningTypes

/// What the network remembers of a payment while it runs.
struct RunningPayment: Sendable {
    var failedMsat: [FailedHop: UInt64] = [:]
    var isCanceled = false
    var fault: PaymentFault?
}

/// Something left to do within the current call.
enum Work: Sendable {
    /// Send the next HTLC of a payment, or conclude it.
    case advance(PaymentKey)
    /// Let an HTLC arrive at the payee.
    case arrive(HTLCReference)
}

extension SimulatedNetwork {
    /// SendPaymentV2: registers a payment and runs it as far as it goes without waiting.
    ///
    /// The payment goes on when the stream is closed, unless its terms make it cancelable.
    ///
    /// - Parameters:
    ///   - terms: From ``PaymentDraft/terms(payer:now:)``.
    ///   - terminalOnly: Whether the stream carries the final update only.
    ///   - node: The payer.
    /// - Returns: The stream of updates; it ends with OK after the final one.
    /// - Throws: ``LndFault``: `invoice is already paid`, `payment is in transition`,
    ///   `payment already exists`, and what ``PaymentFault/loseCall`` makes of the call.
    package mutating func sendPayment(
        _ terms: PaymentTerms,
        terminalOnly: Bool = false,
        on node: NodeHandle
    ) throws(LndFault) -> SubscriptionID {
        try checkServing(node)
        if nodes[node.index].faults.payments.first == .loseCall {
            _ = nodes[node.index].faults.takePaymentFault()
            throw .unavailable
        }
        if let earlier = nodes[node.index].payments.find(terms.hash) {
            switch earlier.progress.status {
            case .succeeded: throw .alreadyExists("invoice is already paid")
            case .inFlight where earlier.progress.attempts.isEmpty:
                throw .alreadyExists("payment already exists")
            case .inFlight: throw .alreadyExists("payment is in transition")
            case .failed: break  // a new attempt replaces the failed one
            }
        }
        let record = PaymentRecord(
            terms: terms,
            index: nodes[node.index].payments.nextIndex,
            created: now,
            progress: PaymentProgress()
        )
        let key = PaymentKey(node: node, index: record.index)
        commit(.paymentAdded(node: node, record))
        let fault = nodes[node.index].faults.takePaymentFault()
        runningPayments[key] = RunningPayment(fault: fault)

        let id = open(
            .payment(key, terminalOnly: terminalOnly, cancelsPayment: terms.isCancelable),
            on: node
        )
        if case .breakStream(let updates)? = fault { subscriptions[id]?.breaksAfter = updates }
        tell(key)
        work.append(.advance(key))
        finishWork()
        return id
    }

    /// TrackPaymentV2: a payment as it stands, then its updates until it is final.
    ///
    /// - Parameters:
    ///   - hash: 32 bytes.
    ///   - terminalOnly: Whether the stream carries the final update only.
    ///   - node: The payer.
    /// - Returns: The stream; it ends with OK after the final update.
    /// - Throws: ``LndFault``: `payment isn't initiated`.
    package mutating func trackPayment(
        hash: [UInt8],
        terminalOnly: Bool = false,
        on node: NodeHandle
    ) throws(LndFault) -> SubscriptionID {
        try checkServing(node)
        guard let bytes = Bytes32(hash) else {
            throw .unknown("invalid hash length of \(hash.count), want 32")
        }
        guard let record = nodes[node.index].payments.find(PaymentHash(bytes)) else {
            throw .notFound("payment isn't initiated")
        }
        let key = PaymentKey(node: node, index: record.index)
        let id = open(.payment(key, terminalOnly: terminalOnly, cancelsPayment: false), on: node)
        tell(record, to: id, terminalOnly: terminalOnly)
        return id
    }

    /// ListPayments: one page of a node's payments.
    ///
    /// - Parameters:
    ///   - page: Where the page starts and how long it is.
    ///   - includeIncomplete: Whether payments in flight and failed ones are listed.
    ///   - node: The payer.
    /// - Returns: The payments, ascending by index, also when the page is read backwards.
    /// - Throws: ``LndFault`` while the node does not serve.
    package func listPayments(
        _ page: PageRequest,
        includeIncomplete: Bool = false,
        on node: NodeHandle
    ) throws(LndFault) -> [PaymentRecord] {
        try checkServing(node)
        return page.select(from: nodes[node.index].payments.records) { record in
            guard let record else { return false }
            return (includeIncomplete || record.progress.status == .succeeded)
                && page.contains(record.created.unix)
        }
        .compactMap(\.self)
    }

    /// How many payments a node has ever registered, for ListPayments.
    package func paymentCount(of node: NodeHandle) -> UInt64 {
        UInt64(nodes[node.index].payments.records.count)
    }

    // MARK: - Running

    /// Does what the current call has set off, in order, until nothing is left.
    mutating func finishWork() {
        // The list may grow while it is worked off.
        var next = 0
        while next < work.count {
            let item = work[next]
            next += 1
            switch item {
            case .advance(let key): advance(key)
            case .arrive(let htlc): arrive(htlc)
            }
        }
        work.removeAll(keepingCapacity: true)
    }

    private mutating func advance(_ key: PaymentKey) {
        guard let record = nodes[key.node.index].payments[key.index], !record.isFinal else {
            return
        }
        guard record.progress.failureReason == .none else {
            return  // HTLCs are still out; the last one ends the payment
        }
        let (committedMsat, feesMsat) = record.committed
        guard committedMsat < record.terms.valueMsat else { return }
        if runningPayments[key]?.fault == .registerOnly, runningPayments[key]?.isCanceled == false {
            return
        }
        if let reason = reasonToStop(record, key) {
            giveUp(key, reason)
            return
        }
        do {
            let route = try nextRoute(
                for: record,
                key,
                remainingMsat: record.terms.valueMsat - committedMsat,
                feeLimitMsat: record.terms.feeLimitMsat - min(record.terms.feeLimitMsat, feesMsat)
            )
            send(route, for: key)
        } catch {
            switch error {
            case .noRoute: giveUp(key, .noRoute)
            case .insufficientBalance: giveUp(key, .insufficientBalance)
            }
        }
    }

    private func reasonToStop(_ record: PaymentRecord, _ key: PaymentKey) -> PaymentFailureReason? {
        if let running = runningPayments[key] {
            if case .fail(let reason)? = running.fault { return reason }
            if running.isCanceled { return .canceled }
        }
        return now > record.terms.deadline ? .timeout : nil
    }

    /// Finds a route for all that remains, else for half of it, and so on, as lnd splits.
    private func nextRoute(
        for record: PaymentRecord,
        _ key: PaymentKey,
        remainingMsat: UInt64,
        feeLimitMsat: UInt64
    ) throws(RouteSearchFailure) -> Route {
        let terms = record.terms
        let inFlight = record.progress.attempts.count { $0.status == .inFlight }
        let hintedChannels = hintedChannels(of: terms)
        var amountMsat = min(remainingMsat, terms.maximumShardMsat ?? .max)
        while true {
            do {
                return try findRoute(
                    RouteSearch(
                        source: key.node,
                        destination: handles[terms.destination],
                        amountMsat: amountMsat,
                        feeLimitMsat: feeLimitMsat,
                        finalTimeLockDelta: UInt32(terms.finalTimeLockDelta) + BlockPadding.blocks,
                        timeLockLimit: terms.timeLockLimit,
                        outgoingChannels: terms.outgoingChannels,
                        lastHop: terms.lastHop.flatMap { handles[$0] },
                        hintedChannels: hintedChannels,
                        failedMsat: runningPayments[key]?.failedMsat ?? [:]
                    )
                )
            } catch {
                guard error == .noRoute else { throw error }
                // The last part allowed must bring everything that is left.
                guard inFlight + 1 < Int(terms.maximumParts) else { throw .noRoute }
                amountMsat /= 2
                guard amountMsat >= Self.minimumShardMsat else { throw .noRoute }
            }
        }
    }

    private static let minimumShardMsat: UInt64 = 10_000_000

    private mutating func send(_ route: Route, for key: PaymentKey) {
        guard var progress = nodes[key.node.index].payments[key.index]?.progress else { return }
        let reference = HTLCReference(payment: key, attempt: progress.attempts.count)
        let fault = runningPayments[key]?.fault
        progress.attempts.append(
            HTLCAttempt(
                id: nodes[key.node.index].payments.lastAttempt + 1,
                route: route,
                started: now,
                status: .inFlight,
                isHung: fault == .hang
            )
        )
        let obstacle = obstacle(on: route)
        if obstacle == nil {
            for hop in route.hops {
                change(hop) { $0.offer(hop.arrivingMsat, from: hop.offeredBy) }
            }
        }
        commit(.paymentMoved(node: key.node, index: key.index, progress))
        tell(key)

        if let obstacle {
            let hop = route.hops[obstacle.position]
            let failed = FailedHop(channel: hop.channel, offeredBy: hop.offeredBy)
            runningPayments[key]?.failedMsat[failed] = hop.arrivingMsat
            finish(
                reference,
                .failed(
                    obstacle.code,
                    sourceIndex: UInt32(obstacle.position),
                    height: 0
                )
            )
            return
        }
        switch fault {
        case .delay(let milliseconds):
            schedule(.htlcArrives(reference), at: now.advanced(byMilliseconds: milliseconds))
        case .hang:
            break
        case .fail, .breakStream, .loseCall, .registerOnly, nil:
            work.append(.arrive(reference))
        }
        // Further parts go out without waiting for this one.
        work.append(.advance(key))
    }

    /// The first hop beyond the payer's own that can't carry a route's HTLC.
    private func obstacle(on route: Route) -> (position: Int, code: HTLCFailureCode)? {
        for (position, hop) in route.hops.enumerated().dropFirst() {
            guard let channel = channel(hop.channel), isActive(channel) else {
                return (position, .unknownNextPeer)
            }
            if channel.spendableMsat(from: hop.offeredBy) < hop.arrivingMsat {
                return (position, .temporaryChannelFailure)
            }
        }
        return nil
    }

    mutating func change(_ hop: Hop, _ change: (inout Channel) -> Void) {
        guard var channel = channel(hop.channel) else { return }
        change(&channel)
        commit(.channel(channel))
    }

    // MARK: - Resolution

    /// An HTLC of ours was settled by the payee.
    mutating func settle(_ reference: HTLCReference, with preimage: Preimage) {
        let key = reference.payment
        guard let progress = nodes[key.node.index].payments[key.index]?.progress else { return }
        for hop in progress.attempts[reference.attempt].route.hops {
            change(hop) { $0.settle(hop.arrivingMsat, from: hop.offeredBy) }
        }
        finish(reference, .succeeded, preimage: preimage)
    }

    /// An HTLC of ours was refused or given back by the payee.
    mutating func fail(_ reference: HTLCReference, _ code: HTLCFailureCode) {
        let key = reference.payment
        guard let progress = nodes[key.node.index].payments[key.index]?.progress else { return }
        let hops = progress.attempts[reference.attempt].route.hops
        for hop in hops { change(hop) { $0.fail(hop.arrivingMsat, from: hop.offeredBy) } }
        finish(
            reference,
            .failed(code, sourceIndex: UInt32(hops.count), height: blockHeight)
        )
    }

    private mutating func finish(
        _ reference: HTLCReference,
        _ status: HTLCAttempt.Status,
        preimage: Preimage? = nil
    ) {
        let key = reference.payment
        guard let record = nodes[key.node.index].payments[key.index] else { return }
        var progress = record.progress
        progress.attempts[reference.attempt].status = status
        progress.attempts[reference.attempt].resolved = now
        progress.attempts[reference.attempt].isHung = false
        progress.preimage = progress.preimage ?? preimage
        if case .failed(let code, _, _) = status, progress.failureReason == .none {
            switch code {
            case .incorrectOrUnknownPaymentDetails:
                progress.failureReason = .incorrectPaymentDetails
            // A set that came apart is not sent again: what is missing found no way before.
            case .mppTimeout: progress.failureReason = .noRoute
            case .temporaryChannelFailure, .unknownNextPeer: break
            }
        }
        // The last HTLC's news and the payment's end are one update, as in lnd.
        if !progress.attempts.contains(where: { $0.status == .inFlight }) {
            if progress.failureReason != .none {
                progress.status = .failed
            } else if progress.arrivedMsat == record.terms.valueMsat {
                progress.status = .succeeded
            }
        }
        commit(.paymentMoved(node: key.node, index: key.index, progress))
        tell(key)
        if progress.status == .inFlight {
            work.append(.advance(key))
        } else {
            runningPayments[key] = nil
        }
    }

    private mutating func giveUp(_ key: PaymentKey, _ reason: PaymentFailureReason) {
        guard let record = nodes[key.node.index].payments[key.index] else { return }
        var progress = record.progress
        progress.failureReason = reason
        if !record.attemptsInFlight { progress.status = .failed }
        commit(.paymentMoved(node: key.node, index: key.index, progress))
        if progress.status == .failed { runningPayments[key] = nil }
        tell(key)
    }

    // MARK: - News

    private mutating func tell(_ key: PaymentKey) {
        guard let ids = nodes[key.node.index].subscribers.payments[key],
            let record = nodes[key.node.index].payments[key.index]
        else { return }
        for id in ids {
            guard case .payment(_, let terminalOnly, _)? = subscriptions[id]?.topic else {
                continue
            }
            tell(record, to: id, terminalOnly: terminalOnly)
        }
    }

    private mutating func tell(
        _ record: PaymentRecord,
        to id: SubscriptionID,
        terminalOnly: Bool
    ) {
        if record.isFinal || !terminalOnly { deliver(.payment(record), to: id) }
        if record.isFinal { end(id) }
    }
}
