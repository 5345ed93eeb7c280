import CZeroMQ

/// What a send does when the high-water mark is reached.
package enum WhenFull: Sendable {
    /// Waits until there is room.
    case wait
    /// Throws ``ZeroMQError`` `full` at once.
    case fail
}

/// What every socket has.
package protocol BusSocket: Sendable {
    /// Keeps the socket open.
    var handle: SocketHandle { get }
}

extension BusSocket {
    /// Where the socket is bound or connected, with the port that was taken for port 0.
    package var endpoint: String { handle.opened.endpoint }

    /// Closes the socket; whoever waits on it gets ``ZeroMQError`` `closed`.
    ///
    /// What was sent lingers in libzmq as the options say. Messages that arrived and were not
    /// taken can still be taken. Safe to repeat.
    package func close() async { await handle.reactor.close(handle.opened.id) }
}

/// A socket that messages arrive on.
package protocol ReceivingSocket: BusSocket {}

extension ReceivingSocket {
    /// Takes what has arrived, or waits for it: at least one message.
    ///
    /// One task at a time. While nobody takes the batch the socket is not read: libzmq queues up
    /// to the high-water mark for each peer, then the peers wait; other sockets go on.
    /// A cancelled call takes nothing; the messages wait for the next call.
    ///
    /// - Returns: One batch, in the order of arrival: usually at most
    ///   ``SocketOptions/batchMessages``, never more than twice that.
    /// - Throws: `CancellationError`; ``ZeroMQError`` `closed` or `busy`.
    package func receive() async throws -> [Message] { try await handle.opened.inbox.take() }

    /// The batches as a sequence, which ends when the socket is closed.
    package var batches: MessageBatches { MessageBatches(handle: handle) }

    /// How many messages were dropped because they had more frames than allowed.
    package var droppedMessages: Int { handle.opened.inbox.dropped }
}

/// The batches of messages that arrive on a socket; see ``ReceivingSocket/receive()``.
package struct MessageBatches: AsyncSequence, AsyncIteratorProtocol, Sendable {
    let handle: SocketHandle

    /// The sequence is its own iterator.
    package func makeAsyncIterator() -> MessageBatches { self }

    /// The next batch; nil when the socket is closed.
    package func next() async throws -> [Message]? {
        do {
            return try await handle.opened.inbox.take()
        } catch let error as ZeroMQError where error.code == .closed {
            return nil
        }
    }
}

/// A socket that sends to whom it is connected with.
package protocol SendingSocket: BusSocket {}

extension SendingSocket {
    /// Sends messages in order; returns when libzmq has taken all of them.
    ///
    /// Taken does not mean arrived: who must know asks the other side. When the call throws, the
    /// messages before the failing one have been taken and none of the others ever will be; a
    /// cancelled call does the same. A message is sent with all its frames or not at all.
    ///
    /// - Parameters:
    ///   - messages: What to send.
    ///   - whenFull: What to do while no peer is connected or all are at the high-water mark.
    /// - Throws: `CancellationError`; ``ZeroMQError`` `full` or `closed`.
    package func send(_ messages: [Message], whenFull: WhenFull = .wait) async throws {
        try await handle.reactor.send(messages, on: handle.opened.id, whenFull: whenFull)
    }

    /// Sends one message; see ``send(_:whenFull:)-(_,_)``.
    ///
    /// - Parameters:
    ///   - message: What to send.
    ///   - whenFull: What to do while no peer is connected or all are at the high-water mark.
    /// - Throws: As for several messages.
    package func send(_ message: Message, whenFull: WhenFull = .wait) async throws {
        try await send([message], whenFull: whenFull)
    }
}

/// Receives from all its peers in turn.
package struct PullSocket: ReceivingSocket {
    /// Keeps the socket open.
    package let handle: SocketHandle
}

/// Sends to its peer; waits while it is not connected.
package struct PushSocket: SendingSocket {
    /// Keeps the socket open.
    package let handle: SocketHandle
}

/// Sends to its peer and receives from it; waits while it is not connected.
package struct DealerSocket: SendingSocket, ReceivingSocket {
    /// Keeps the socket open.
    package let handle: SocketHandle
}

/// Receives what its topics cover.
package struct SubSocket: ReceivingSocket {
    /// Keeps the socket open.
    package let handle: SocketHandle

    /// Subscribes to a prefix of topics.
    ///
    /// - Parameter topic: The prefix; empty means all.
    /// - Throws: ``ZeroMQError`` `closed`.
    package func subscribe(_ topic: [UInt8]) async throws(ZeroMQError) {
        try await handle.reactor.change(ZMQ_SUBSCRIBE, topic, on: handle.opened.id)
    }

    /// Takes a subscription back.
    ///
    /// - Parameter topic: The prefix as it was subscribed to.
    /// - Throws: ``ZeroMQError`` `closed`.
    package func unsubscribe(_ topic: [UInt8]) async throws(ZeroMQError) {
        try await handle.reactor.change(ZMQ_UNSUBSCRIBE, topic, on: handle.opened.id)
    }
}

/// Sends to all who subscribed, by the first frame; drops what a slow one has no room for.
package struct PubSocket: SendingSocket {
    /// Keeps the socket open.
    package let handle: SocketHandle
}

/// Talks with many peers, each known by its routing ID.
///
/// The first frame of a received message is the sender's routing ID. It is the peer's own claim
/// unless the peer stated none; two peers with one claim: the second is refused by libzmq.
package struct RouterSocket: ReceivingSocket {
    /// Keeps the socket open.
    package let handle: SocketHandle

    /// Sends a message to one peer; never waits.
    ///
    /// - Parameters:
    ///   - frames: The message after the routing ID, at least one frame.
    ///   - routingID: The first frame of a message received from the peer.
    /// - Throws: ``ZeroMQError`` `unknownPeer` when no such peer is connected, `full` when it does
    ///   not take what it got, `closed`.
    package func send(_ frames: [Frame], to routingID: Frame) async throws {
        let message = Message(head: routingID, tail: frames)
        try await handle.reactor.send([message], on: handle.opened.id, whenFull: .fail)
    }
}

/// Sends to single accepted subscriptions and tells when they start and end.
package struct XPubSocket: BusSocket {
    /// Keeps the socket open.
    package let handle: SocketHandle

    /// Takes what happened to the subscriptions, or waits for it.
    ///
    /// One task at a time. Nothing is lost when nobody asks: a subscription that started and ended
    /// meanwhile is left out. A cancelled call takes nothing. The death of a process is told
    /// within milliseconds, that of a machine after the heartbeat's timeout.
    ///
    /// - Returns: At least one event, in order.
    /// - Throws: `CancellationError`; ``ZeroMQError`` `closed` or `busy`.
    package func events() async throws -> [SubscriptionEvent] {
        try await handle.reactor.events(on: handle.opened.id)
    }

    /// Sends a message to one subscription.
    ///
    /// libzmq drops it silently when the peer's queue is full (``SocketOptions/sendHighWaterMark``):
    /// who sends must count what is outstanding.
    ///
    /// - Parameters:
    ///   - frames: The message after its topic frame.
    ///   - subscription: Where to; its ``Subscription/deliveryTopic`` becomes frame 0.
    /// - Throws: ``ZeroMQError`` `unknownPeer` when the subscription has ended, `full` while a
    ///   flood of subscriptions is being read, `closed`.
    package func send(_ frames: [Frame], to subscription: Subscription) async throws {
        try await handle.reactor.send(frames, to: subscription, on: handle.opened.id)
    }

    /// Sends messages to single subscriptions, in order, with one hop for all of them.
    ///
    /// Those for subscriptions that have ended are left out: their end is told by ``events()``. For
    /// full queues the same holds as for ``send(_:to:)``.
    ///
    /// - Parameter deliveries: What to send.
    /// - Returns: How many of them, counted from the first, are done with. Fewer than given only
    ///   while a flood of subscriptions is being read; the others are the caller's to send again.
    /// - Throws: ``ZeroMQError`` `closed`.
    package func send(_ deliveries: ArraySlice<Delivery>) async throws -> Int {
        try await handle.reactor.send(deliveries, on: handle.opened.id)
    }

    /// What the socket turned away so far.
    package var counts: SubscriptionCounts {
        get async { await handle.reactor.subscriptionCounts(on: handle.opened.id) }
    }
}
