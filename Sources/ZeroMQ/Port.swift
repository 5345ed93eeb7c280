import CZeroMQ

/// Names an open socket of a reactor; never used twice.
typealias PortID = UInt64

/// An open socket and what waits for it; lives on the reactor's thread.
final class Port {
    /// Messages that a task waits to see sent.
    struct PendingSend {
        let id: UInt64
        var messages: ArraySlice<Message>
        let continuation: CheckedContinuation<Void, any Error>
    }

    let id: PortID
    let kind: SocketKind
    private(set) var socket: Socket
    let inbox: Inbox
    /// Becomes readable when something may have changed since the socket was last looked at.
    let descriptor: Int32
    /// Whether the socket must be looked at before its descriptor is waited for.
    var hasNews = true
    /// What was looked for when nothing was there.
    private var lookedFor: Int32 = 0
    var ledger: SubscriptionLedger?
    var eventsConsumer: CheckedContinuation<[SubscriptionEvent], any Error>?
    private let options: SocketOptions
    private let isAuthenticated: Bool
    private var pending: [PendingSend] = []
    private var lastSendID: UInt64 = 0
    /// The frame of `pending`'s or a direct send's first message to go next.
    private var frameIndex = 0
    /// Frames of a message whose end has not been read yet.
    private var partial: [Frame] = []
    private var isOversized = false
    private var space = ReceivingSpace()
    private var lastSender: CurvePublicKey?

    init(
        id: PortID,
        kind: SocketKind,
        socket: consuming Socket,
        inbox: Inbox,
        options: SocketOptions,
        isAuthenticated: Bool
    ) throws(ZeroMQError) {
        self.id = id
        self.kind = kind
        descriptor = try socket.number(ZMQ_FD)
        self.socket = socket
        self.inbox = inbox
        self.options = options
        self.isAuthenticated = isAuthenticated
    }

    /// What the loop must look for.
    private var interest: Int32 {
        let reads = ledger != nil || (kind.receives && inbox.hasRoom)
        return (reads ? ZMQ_POLLIN : 0) | (pending.isEmpty ? 0 : ZMQ_POLLOUT)
    }

    /// Whether anything is to be waited for.
    var isAwaited: Bool { interest != 0 }

    /// Serves the socket if it may be ready.
    ///
    /// - Returns: Whether it was, and may be still.
    func look() -> Bool {
        let interest = interest
        guard hasNews || interest & ~lookedFor != 0 else { return false }
        // A failure means the context is going; the teardown tells the waiting tasks.
        let ready = ((try? socket.number(ZMQ_EVENTS)) ?? 0) & interest
        hasNews = ready != 0
        lookedFor = hasNews ? 0 : interest
        guard hasNews else { return false }
        var isDrained = false
        if ready & ZMQ_POLLIN != 0 {
            if ledger != nil { readSubscriptions() } else { isDrained = readMessages() }
        }
        if ready & ZMQ_POLLOUT != 0 { flush() }
        guard isDrained, interest == ZMQ_POLLIN else { return true }
        // A receive that finds nothing has taken all news in: the descriptor tells of the next.
        hasNews = false
        lookedFor = interest
        return false
    }

    // MARK: - Receiving

    /// Reads one batch at most.
    ///
    /// - Returns: Whether there was nothing more.
    private func readMessages() -> Bool {
        var batch = Batch(partial: partial, isOversized: isOversized)
        partial = []
        var failure: ZeroMQError?
        var isDrained = false
        do {
            isDrained = try batch.read(from: socket, into: &space, options) { frame in
                isAuthenticated ? sender(of: frame) : nil
            }
        } catch {
            failure = error
        }
        (partial, isOversized) = (batch.partial, batch.isOversized)
        space.finish()
        inbox.put(batch.messages, bytes: batch.bytes, dropped: batch.dropped)
        if let failure { inbox.close(failure) }
        return isDrained
    }

    /// What one turn has read.
    ///
    /// A value apart from the port: each access to an object's properties is checked at run time, which
    /// a loop over small messages feels.
    private struct Batch {
        var messages: [Message] = []
        var bytes = 0
        var dropped = 0
        /// Frames of a message whose end has not been read yet.
        var partial: [Frame]
        /// Whether the message that is read has more frames than allowed.
        var isOversized: Bool

        /// Reads until the batch is full or there is nothing more.
        ///
        /// - Returns: Whether there was nothing more.
        mutating func read(
            from socket: borrowing Socket,
            into space: inout ReceivingSpace,
            _ options: SocketOptions,
            sender: (ReceivedFrame) -> CurvePublicKey?
        ) throws(ZeroMQError) -> Bool {
            while messages.count < options.batchMessages, bytes < options.batchBytes {
                guard let frame = try socket.receive(into: &space) else { return true }
                bytes += frame.count
                let more = frame.hasMore
                if isOversized || partial.count >= options.maximumFrames {
                    partial = []
                    isOversized = more
                    dropped += more ? 0 : 1
                } else if more {
                    partial.append(Frame(frame))
                } else {
                    if messages.isEmpty { messages.reserveCapacity(options.batchMessages) }
                    append(frame, sender(frame))
                }
            }
            return false
        }

        private mutating func append(_ last: ReceivedFrame, _ sender: CurvePublicKey?) {
            guard let head = partial.first else {
                messages.append(Message(head: Frame(last), tail: [], sender: sender))
                return
            }
            partial.append(Frame(last))
            messages.append(Message(head: head, tail: Array(partial[1...]), sender: sender))
            partial.removeAll(keepingCapacity: true)
        }
    }

    /// The key that the ZAP handler stated for the connection.
    private func sender(of frame: ReceivedFrame) -> CurvePublicKey? {
        guard let text = frame.property("User-Id") else { return nil }
        if let lastSender, lastSender.description == text { return lastSender }
        lastSender = CurvePublicKey(text)
        return lastSender
    }

    // MARK: - Subscriptions

    /// How many reports one turn reads, so that a flood leaves time for the other sockets.
    private static let reportsPerTurn = 10_000

    /// Reads what libzmq reports and decides about each request while libzmq's last pipe is its.
    private func readSubscriptions() {
        for _ in 0..<Self.reportsPerTurn {
            // A failure means the context is going; the teardown tells the waiting tasks.
            guard let frame = try? socket.receive(into: &space) else {
                ledger?.ranDry()
                break
            }
            // No other call on the socket may come between the receive and these.
            switch ledger?.handle(news(frame)) ?? .nothing {
            case .nothing: break
            case .accept(let address): try? socket.set(ZMQ_SUBSCRIBE, address)
            case .remove(let addresses):
                // Removing what the pipe does not have changes nothing.
                for address in addresses { try? socket.set(ZMQ_UNSUBSCRIBE, address) }
            }
        }
        guard let consumer = eventsConsumer else { return }
        let events = ledger?.takeEvents() ?? []
        guard !events.isEmpty else { return }
        eventsConsumer = nil
        consumer.resume(returning: events)
    }

    private func news(_ frame: ReceivedFrame) -> SubscriptionLedger.News {
        let bytes = Frame(frame).bytes
        // Every frame of a multipart message is reported alone; none of them is a subscription
        // unless it looks like one, exactly as libzmq sees it.
        switch bytes.first {
        case 1:
            return .subscribe(
                Array(bytes[1...]),
                sender: isAuthenticated ? sender(of: frame) : nil,
                peerAddress: frame.property("Peer-Address")
            )
        case 0: return .unsubscribe(Array(bytes[1...]))
        default: return .message
        }
    }

    // MARK: - Sending

    /// Whether a send may reach libzmq now.
    private var maySend: Bool { ledger?.isDry ?? true }

    /// Reads what there is of subscriptions; false while there is more.
    ///
    /// To be called before asking whether a subscription is live: the news may be its end.
    func isUpToDate() -> Bool {
        if !maySend { readSubscriptions() }
        return maySend
    }

    /// Hands messages to libzmq until it is full.
    ///
    /// - Returns: The messages that are left.
    func send(_ messages: ArraySlice<Message>) throws(ZeroMQError) -> ArraySlice<Message> {
        guard pending.isEmpty else { return messages }
        return try push(messages)
    }

    private func push(_ messages: ArraySlice<Message>) throws(ZeroMQError) -> ArraySlice<Message> {
        hasNews = true
        guard isUpToDate() else { return messages }
        // Local for the reason of `Batch`.
        var (index, frame) = (messages.startIndex, frameIndex)
        defer { frameIndex = frame }
        while index < messages.endIndex {
            let last = messages[index].tail.count
            while frame <= last {
                let next = frame == 0 ? messages[index].head : messages[index].tail[frame - 1]
                do {
                    guard try socket.send(next, more: frame < last) else {
                        return messages[index...]
                    }
                } catch {
                    frame = 0
                    throw error
                }
                frame += 1
            }
            frame = 0
            index += 1
        }
        return []
    }

    func wait(
        toSend messages: ArraySlice<Message>,
        as id: UInt64,
        _ continuation: CheckedContinuation<Void, any Error>
    ) {
        pending.append(PendingSend(id: id, messages: messages, continuation: continuation))
    }

    func makeSendID() -> UInt64 {
        lastSendID += 1
        return lastSendID
    }

    /// Sends what waits, in the order in which it was asked for.
    private func flush() {
        while !pending.isEmpty {
            do {
                pending[0].messages = try push(pending[0].messages)
                guard pending[0].messages.isEmpty else { return }
                pending.removeFirst().continuation.resume()
            } catch {
                pending.removeFirst().continuation.resume(throwing: error)
            }
        }
    }

    /// Gives up a waiting send; the messages that are left are not sent.
    func cancelSend(_ id: UInt64) {
        // libzmq is full only between messages, so no message is ever half sent here; should that
        // change, the half-sent one stays and is finished first.
        guard
            let index = pending.firstIndex(where: { $0.id == id }),
            index > 0 || frameIndex == 0
        else { return }
        pending.remove(at: index).continuation.resume(throwing: CancellationError())
    }

    /// Closes the socket and tells everybody who waits.
    ///
    /// At once, not with the last reference: a suspended call may still hold the port, and the
    /// context's end waits for the socket.
    func close() {
        socket.close()
        inbox.close(.closed)
        for send in pending { send.continuation.resume(throwing: ZeroMQError.closed) }
        pending = []
        eventsConsumer?.resume(throwing: ZeroMQError.closed)
        eventsConsumer = nil
    }
}
