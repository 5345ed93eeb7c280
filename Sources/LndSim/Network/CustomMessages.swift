package import LightningTypes

/// A custom message as SubscribeCustomMessages delivers it.
package struct CustomMessage: Equatable, Sendable {
    /// The peer that sent it.
    package let peer: NodeID
    /// Its type, 32768 or above.
    package let type: UInt16
    /// Its payload, at most 65,533 bytes.
    package let data: [UInt8]

    /// Takes sender, type and payload.
    package init(peer: NodeID, type: UInt16, data: [UInt8]) {
        self.peer = peer
        self.type = type
        self.data = data
    }
}

struct DelayedMessage: Sendable {
    let link: DirectedPair
    let connection: UInt64
    let message: CustomMessage
}

/// What a call of SendCustomMessage waits for.
package enum SendingWait: Sendable {
    /// The peer has not finished its handshake.
    case handshake
    /// The message is queued, and the peer does not read.
    case queue
}

/// What became of a call of SendCustomMessage.
package enum Sending: Equatable, Sendable {
    /// lnd's status text, which says nothing about the receiver.
    case sent(String)
    /// It waits: the end of this subscription is the end of the call, and with OK the message went.
    case waiting(SubscriptionID)
}

/// What goes wrong with messages of one direction between two nodes.
package struct LinkFaults: Equatable, Sendable {
    /// How many of the next messages vanish on the way; the sender learns nothing.
    package var dropNext: UInt64 = 0
    /// How many of the next messages arrive twice.
    package var duplicateNext: UInt64 = 0
    /// How long every message takes, in milliseconds.
    package var delayMilliseconds: UInt64 = 0
    /// What calls to send wait for; nil for nothing.
    package var wait: SendingWait?

    /// When the last delayed message arrives: no later one may overtake it.
    var lastArrival: NetworkTime?

    /// Nothing goes wrong.
    package init() {}
}

extension SimulatedNetwork {
    /// The largest payload: 65,535 bytes less the two of the type.
    package static let maximumPayload = 65_533

    /// SendCustomMessage: sends a message to a connected peer.
    ///
    /// - Parameters:
    ///   - peer: The peer's key, 33 bytes.
    ///   - type: Cut to 16 bits first, as lnd does; then 32768 or above.
    ///   - data: Up to 65,533 bytes; more makes lnd drop the peer.
    ///   - node: The sender.
    /// - Returns: What became of it.
    /// - Throws: ``LndFault`` as lnd words it.
    package mutating func sendCustomMessage(
        to peer: [UInt8],
        type: UInt32,
        data: [UInt8],
        on node: NodeHandle
    ) throws(LndFault) -> Sending {
        try checkServing(node)
        guard peer.count == 33 else {
            throw .unknown("invalid vertex length of \(peer.count), want 33")
        }
        guard let target = NodeID(peer).flatMap({ handles[$0] }),
            connections[NodePair(node, target)] != nil
        else { throw .notFound("peer is not connected") }

        let link = DirectedPair(from: node, to: target)
        let message = CustomMessage(
            peer: nodes[node.index].record.id,
            type: UInt16(truncatingIfNeeded: type),
            data: data
        )
        switch links[link]?.wait {
        case .handshake: break  // lnd looks at the message when the peer is ready for it
        case .queue, nil: try checkType(of: message)
        }
        if let wait = links[link]?.wait {
            return .waiting(open(.sending(message, over: link, wait), on: node))
        }
        try write(message, over: link)
        return .sent(Self.sentStatus)
    }

    /// What SendCustomMessage answers.
    package static let sentStatus = "message sent successfully"

    private func checkType(of message: CustomMessage) throws(LndFault) {
        guard message.type >= 32_768 else {
            throw .unknown(
                "msg type: \(message.type) not in custom range: <unknown> and not overridden"
            )
        }
    }

    private mutating func write(
        _ message: CustomMessage,
        over link: DirectedPair
    ) throws(LndFault) {
        guard message.data.count <= Self.maximumPayload else {
            // The failed write ends the peer's write loop, and with it the connection.
            drop(NodePair(link.from, link.to))
            throw .unknown(
                "message payload is too large - encoded \(message.data.count) bytes, "
                    + "but maximum message payload is \(Self.maximumPayload) bytes"
            )
        }
        transmit(message, over: link)
    }

    /// Calls that waited go on, oldest first: they send, or wait for something else.
    mutating func continueSending(over link: DirectedPair) {
        for (id, message, _) in sendings(over: link) where subscriptions[id] != nil {
            if let wait = links[link]?.wait {
                subscriptions[id]?.topic = .sending(message, over: link, wait)
                continue
            }
            // A message that costs the connection ends with its own refusal, not with the loss.
            nodes[link.from.index].subscribers.sendings.removeAll { $0 == id }
            do {
                try checkType(of: message)
                try write(message, over: link)
                end(id)
            } catch {
                end(id, error)
            }
        }
    }

    /// The connection broke under calls that waited.
    mutating func failSending(between pair: NodePair) {
        for link in [
            DirectedPair(from: pair.first, to: pair.second),
            DirectedPair(from: pair.second, to: pair.first),
        ] {
            for (id, _, wait) in sendings(over: link) {
                switch wait {
                case .handshake:
                    let peer = nodes[link.to.index].record.id
                    end(id, .unknown("peer \(peer) disconnected"))
                case .queue: end(id, .unknown("peer exiting"))
                }
            }
        }
    }

    private func sendings(
        over link: DirectedPair
    ) -> [(SubscriptionID, CustomMessage, SendingWait)] {
        nodes[link.from.index].subscribers.sendings.compactMap { id in
            guard case .sending(let message, link, let wait)? = subscriptions[id]?.topic else {
                return nil
            }
            return (id, message, wait)
        }
    }

    /// Opens a SubscribeCustomMessages stream: what arrives from now on.
    ///
    /// - Parameter node: The node asked.
    /// - Returns: The stream.
    /// - Throws: ``LndFault`` while the node does not serve.
    package mutating func subscribeCustomMessages(
        on node: NodeHandle
    ) throws(LndFault) -> SubscriptionID {
        try checkServing(node)
        return open(.customMessages, on: node)
    }

    private mutating func transmit(_ message: CustomMessage, over link: DirectedPair) {
        let pair = NodePair(link.from, link.to)
        let size = UInt64(message.data.count + 2)
        if link.from == pair.first {
            connections[pair]?.bytesForth += size
        } else {
            connections[pair]?.bytesBack += size
        }
        guard var faults = links[link] else {
            receive(message, at: link.to)
            return
        }
        defer { links[link] = faults }
        if faults.dropNext > 0 {
            faults.dropNext -= 1
            return
        }
        let copies = faults.duplicateNext > 0 ? 2 : 1
        if copies == 2 { faults.duplicateNext -= 1 }

        var arrival = now.advanced(byMilliseconds: faults.delayMilliseconds)
        if let last = faults.lastArrival, last > now { arrival = max(arrival, last) }
        guard arrival > now, let connection = connections[pair] else {
            for _ in 0..<copies { receive(message, at: link.to) }
            return
        }
        faults.lastArrival = arrival
        let delayed = DelayedMessage(link: link, connection: connection.number, message: message)
        for _ in 0..<copies { schedule(.customMessage(delayed), at: arrival) }
    }

    mutating func deliverDelayed(_ delayed: DelayedMessage) {
        // What was on the way when the connection broke is lost.
        let pair = NodePair(delayed.link.from, delayed.link.to)
        guard connections[pair]?.number == delayed.connection else { return }
        receive(delayed.message, at: delayed.link.to)
    }

    private mutating func receive(_ message: CustomMessage, at node: NodeHandle) {
        for id in nodes[node.index].subscribers.customMessages {
            deliver(.customMessage(message), to: id)
        }
    }
}
