import LightningTypes

/// Names one open server stream of one node.
package struct SubscriptionID: Hashable, Sendable, Comparable {
    /// Counts from 1 in the order in which streams were opened.
    package let number: UInt64

    /// Streams opened earlier come first.
    package static func < (left: SubscriptionID, right: SubscriptionID) -> Bool {
        left.number < right.number
    }
}

/// News for a stream, or its end.
package enum NetworkEvent: Equatable, Sendable {
    /// One message on a stream.
    case deliver(SubscriptionID, Delivery)
    /// The stream is over: with OK when there is no fault.
    case end(SubscriptionID, LndFault?)
    /// The node's process ended or came up: connections to it break while it is stopped.
    case phase(NodeHandle, NodePhase)
}

/// One message on a server stream.
package enum Delivery: Equatable, Sendable {
    /// On SubscribeCustomMessages.
    case customMessage(CustomMessage)
    /// On SubscribePeerEvents.
    case peerEvent(PeerEvent)
    /// On SubscribeInvoices and SubscribeSingleInvoice.
    case invoice(InvoiceRecord)
    /// On SendPaymentV2 and TrackPaymentV2.
    case payment(PaymentRecord)
    /// On SubscribeState.
    case walletState(WalletState)
}

/// The kinds of server stream, for faults that concern all streams of one kind.
package enum StreamKind: String, CaseIterable, Sendable {
    /// SubscribeCustomMessages.
    case customMessages
    /// SubscribePeerEvents.
    case peerEvents
    /// SubscribeInvoices.
    case invoices
    /// SubscribeSingleInvoice.
    case singleInvoice
    /// SendPaymentV2 and TrackPaymentV2.
    case payments
    /// SubscribeState.
    case state
}

struct Subscription: Sendable {
    enum Topic: Sendable {
        case customMessages
        case peerEvents
        case invoices(addIndex: UInt64, settleIndex: UInt64)
        case singleInvoice(PaymentHash)
        case payment(PaymentKey, terminalOnly: Bool, cancelsPayment: Bool)
        case state
        /// A call of SendCustomMessage that waits; delivers nothing.
        case sending(CustomMessage, over: DirectedPair, SendingWait)
    }

    let node: NodeHandle
    var topic: Topic
    /// After how many further messages the stream breaks; nil for never.
    var breaksAfter: Int?
    /// What a stalled stream has not delivered yet; nil when it flows.
    var heldBack: [NetworkEvent]?

    /// Nil for a call that is no stream.
    var kind: StreamKind? {
        switch topic {
        case .customMessages: .customMessages
        case .peerEvents: .peerEvents
        case .invoices: .invoices
        case .singleInvoice: .singleInvoice
        case .payment: .payments
        case .state: .state
        case .sending: nil
        }
    }
}

/// A node's open streams by what they wait for, each list in the order of opening.
struct Subscribers: Sendable {
    var customMessages: [SubscriptionID] = []
    var peerEvents: [SubscriptionID] = []
    var invoices: [SubscriptionID] = []
    var state: [SubscriptionID] = []
    var sendings: [SubscriptionID] = []
    var singleInvoice: [PaymentHash: [SubscriptionID]] = [:]
    var payments: [PaymentKey: [SubscriptionID]] = [:]
}

extension SimulatedNetwork {
    /// Closes a stream because its caller went away.
    ///
    /// A payment started as cancelable by this stream makes no further attempts.
    package mutating func close(_ id: SubscriptionID) {
        guard let subscription = forget(id) else { return }
        if case .payment(let key, _, cancelsPayment: true) = subscription.topic {
            runningPayments[key]?.isCanceled = true
            work.append(.advance(key))
            finishWork()
        }
    }

    /// How many server streams of a node are open, and calls that wait.
    package func streamCount(of node: NodeHandle) -> Int {
        subscriptions.values.count { $0.node == node }
    }

    mutating func open(_ topic: Subscription.Topic, on node: NodeHandle) -> SubscriptionID {
        lastSubscription += 1
        let id = SubscriptionID(number: lastSubscription)
        var subscription = Subscription(node: node, topic: topic)
        if let kind = subscription.kind, nodes[node.index].faults.stalled.contains(kind) {
            subscription.heldBack = []
        }
        subscriptions[id] = subscription
        switch topic {
        case .customMessages: nodes[node.index].subscribers.customMessages.append(id)
        case .peerEvents: nodes[node.index].subscribers.peerEvents.append(id)
        case .invoices: nodes[node.index].subscribers.invoices.append(id)
        case .state: nodes[node.index].subscribers.state.append(id)
        case .sending: nodes[node.index].subscribers.sendings.append(id)
        case .singleInvoice(let hash):
            nodes[node.index].subscribers.singleInvoice[hash, default: []].append(id)
        case .payment(let key, _, _):
            nodes[node.index].subscribers.payments[key, default: []].append(id)
        }
        return id
    }

    mutating func deliver(_ delivery: Delivery, to id: SubscriptionID) {
        guard let subscription = subscriptions[id] else { return }
        if subscription.heldBack != nil {
            subscriptions[id]?.heldBack?.append(.deliver(id, delivery))
            return
        }
        emit(.deliver(id, delivery))
        if let remaining = subscription.breaksAfter {
            subscriptions[id]?.breaksAfter = remaining - 1
            if remaining <= 1 { end(id, .unavailable) }
        }
    }

    mutating func end(_ id: SubscriptionID, _ fault: LndFault? = nil) {
        // A stalled stream's end waits behind its messages; a fault overtakes them.
        if fault == nil, subscriptions[id]?.heldBack != nil {
            subscriptions[id]?.heldBack?.append(.end(id, nil))
            return
        }
        if forget(id) != nil { emit(.end(id, fault)) }
    }

    @discardableResult
    mutating func forget(_ id: SubscriptionID) -> Subscription? {
        guard let subscription = subscriptions.removeValue(forKey: id) else { return nil }
        let node = subscription.node.index
        switch subscription.topic {
        case .customMessages: nodes[node].subscribers.customMessages.removeAll { $0 == id }
        case .peerEvents: nodes[node].subscribers.peerEvents.removeAll { $0 == id }
        case .invoices: nodes[node].subscribers.invoices.removeAll { $0 == id }
        case .state: nodes[node].subscribers.state.removeAll { $0 == id }
        case .sending: nodes[node].subscribers.sendings.removeAll { $0 == id }
        case .singleInvoice(let hash):
            nodes[node].subscribers.singleInvoice[hash]?.removeAll { $0 == id }
            if nodes[node].subscribers.singleInvoice[hash]?.isEmpty == true {
                nodes[node].subscribers.singleInvoice[hash] = nil
            }
        case .payment(let key, _, _):
            nodes[node].subscribers.payments[key]?.removeAll { $0 == id }
            if nodes[node].subscribers.payments[key]?.isEmpty == true {
                nodes[node].subscribers.payments[key] = nil
            }
        }
        return subscription
    }

    /// The open streams of a node, oldest first; nil kind for all kinds.
    func streams(of node: NodeHandle, kind: StreamKind?) -> [SubscriptionID] {
        subscriptions
            .filter { $0.value.node == node && (kind == nil || $0.value.kind == kind) }
            .map(\.key)
            .sorted()
    }
}
