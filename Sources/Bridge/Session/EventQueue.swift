import DequeModule
import LightningTypes
import LndRPC
import Synchronization

/// What waits between the session and the engine, in bounded memory.
///
/// Only messages can be refused. Of everything else the newest is kept: the last word on lnd, the
/// last word on each peer, and one note that a stream began anew. Settlements beyond the bound
/// become such a note, since a lookup finds them.
final class EventQueue: Sendable {
    /// How much may wait.
    struct Bounds: Sendable {
        var messagesPerPeer: Int
        var messages: Int
        var paidReserve: Int
        var invoices: Int
    }

    private struct Waiting: Sendable {
        var link: SessionEvent?
        var peers: [NodeID: Bool] = [:]
        var messagesReopened = false
        var invoicesReopened = false
        var invoices: Deque<Invoice> = []
        var messages: Deque<InboundMessage> = []
        var counts: [NodeID: Int] = [:]
        var isFinished = false
        var reader: CheckedContinuation<SessionEvent?, Never>?
    }

    private let bounds: Bounds
    private let waiting = Mutex(Waiting())

    /// An empty queue.
    init(_ bounds: Bounds) { self.bounds = bounds }

    /// Whether a message of a peer's would be taken.
    func hasRoom(for peer: NodeID, isPaid: Bool) -> Bool {
        waiting.withLock { hasRoom($0, peer, isPaid) }
    }

    /// Takes a message if there is room.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - isPaid: Whether its job is paid: then the peer's share does not count.
    /// - Returns: Whether it was taken.
    func offer(_ message: InboundMessage, isPaid: Bool) -> Bool {
        let (isTaken, reader) = waiting.withLock {
            waiting -> (Bool, CheckedContinuation<SessionEvent?, Never>?) in
            guard hasRoom(waiting, message.peer, isPaid), !waiting.isFinished else {
                return (false, nil)
            }
            if let reader = waiting.reader.take() { return (true, reader) }
            waiting.messages.append(message)
            waiting.counts[message.peer, default: 0] += 1
            return (true, nil)
        }
        reader?.resume(returning: .message(message))
        return isTaken
    }

    /// Takes what can't be refused.
    ///
    /// - Parameter event: Anything but a message.
    /// - Returns: False when a settlement found no room and became `invoicesReopened`.
    @discardableResult
    func post(_ event: SessionEvent) -> Bool {
        let (hadRoom, reader) = waiting.withLock {
            waiting -> (Bool, CheckedContinuation<SessionEvent?, Never>?) in
            if waiting.isFinished { return (true, nil) }
            if let reader = waiting.reader.take() { return (true, reader) }
            return (keep(event, &waiting), nil)
        }
        reader?.resume(returning: event)
        return hadRoom
    }

    /// Ends the queue: what waits is still delivered, nothing more is taken.
    func finish() {
        let reader = waiting.withLock { waiting in
            waiting.isFinished = true
            return waiting.reader.take()
        }
        reader?.resume(returning: nil)
    }

    /// The next event, as soon as there is one; nil at the end and when the task is cancelled.
    ///
    /// One reader at a time: a second one ends the first.
    func next() async -> SessionEvent? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (event, replaced) = waiting.withLock {
                    waiting -> (SessionEvent??, CheckedContinuation<SessionEvent?, Never>?) in
                    if Task.isCancelled { return (.some(nil), nil) }
                    if let event = Self.take(&waiting) { return (event, nil) }
                    if waiting.isFinished { return (.some(nil), nil) }
                    let replaced = waiting.reader
                    waiting.reader = continuation
                    return (.none, replaced)
                }
                replaced?.resume(returning: nil)
                if let event { continuation.resume(returning: event) }
            }
        } onCancel: {
            waiting.withLock { $0.reader.take() }?.resume(returning: nil)
        }
    }

    private func hasRoom(_ waiting: Waiting, _ peer: NodeID, _ isPaid: Bool) -> Bool {
        if isPaid { return waiting.messages.count < bounds.messages + bounds.paidReserve }
        return waiting.messages.count < bounds.messages
            && waiting.counts[peer] ?? 0 < bounds.messagesPerPeer
    }

    private func keep(_ event: SessionEvent, _ waiting: inout Waiting) -> Bool {
        switch event {
        case .ready, .lost: waiting.link = event
        case .peerOnline(let peer): waiting.peers[peer] = true
        case .peerOffline(let peer): waiting.peers[peer] = false
        case .messagesReopened: waiting.messagesReopened = true
        case .invoicesReopened: waiting.invoicesReopened = true
        case .invoice(let invoice):
            guard waiting.invoices.count < bounds.invoices else {
                waiting.invoicesReopened = true
                return false
            }
            waiting.invoices.append(invoice)
        // Comes through `offer`, which can refuse it.
        case .message: break
        }
        return true
    }

    /// Takes out the most urgent: what the bridge stands on first, then money, then messages.
    private static func take(_ waiting: inout Waiting) -> SessionEvent? {
        if let link = waiting.link.take() { return link }
        if let (peer, isOnline) = waiting.peers.popFirst() {
            return isOnline ? .peerOnline(peer) : .peerOffline(peer)
        }
        if waiting.messagesReopened {
            waiting.messagesReopened = false
            return .messagesReopened
        }
        if waiting.invoicesReopened {
            waiting.invoicesReopened = false
            return .invoicesReopened
        }
        if let invoice = waiting.invoices.popFirst() { return .invoice(invoice) }
        guard let message = waiting.messages.popFirst() else { return nil }
        let count = (waiting.counts[message.peer] ?? 1) - 1
        waiting.counts[message.peer] = count > 0 ? count : nil
        return .message(message)
    }
}

/// The session's events, for one reader; ends with the session.
package struct SessionEvents: AsyncSequence, Sendable {
    /// What the sequence gives.
    package typealias Element = SessionEvent
    /// It never fails.
    package typealias Failure = Never

    let queue: EventQueue

    /// Reads the events; there is one queue, whoever reads it.
    package func makeAsyncIterator() -> Iterator { Iterator(queue: queue) }

    /// The reader.
    package struct Iterator: AsyncIteratorProtocol {
        let queue: EventQueue

        /// The next event; nil at the end and when the task is cancelled.
        package mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async -> SessionEvent? {
            await queue.next()
        }
    }
}
