import LightningTypes

/// Who may call SendCustomMessage now, and who waits.
///
/// Pure. Two calls at once have no order in lnd, so messages of one job and peer go one after the
/// other; those of other jobs don't wait for them. Each peer has a few calls at a time, so that one
/// that does not read holds up nobody else.
struct SendLanes: Sendable {
    /// A place in the queue.
    typealias Ticket = UInt64

    /// What to do with a message.
    enum Admission: Hashable, Sendable {
        /// Send it now; ``leave(_:_:)`` afterwards.
        case go
        /// Wait for the ticket.
        case wait(Ticket)
        /// Too many wait already.
        case full
    }

    private struct Peer: Sendable {
        var busy: Set<Bytes32> = []
        var waiting: [(ticket: Ticket, lane: Bytes32)] = []
    }

    private let callsPerPeer: Int
    private let waitingPerPeer: Int
    private var peers: [NodeID: Peer] = [:]
    private var lastTicket: Ticket = 0

    init(callsPerPeer: Int, waitingPerPeer: Int) {
        self.callsPerPeer = callsPerPeer
        self.waitingPerPeer = waitingPerPeer
    }

    /// Asks for a call.
    ///
    /// - Parameters:
    ///   - peer: Who gets the message.
    ///   - lane: The message's job_id; zeros for what belongs to none.
    /// - Returns: Whether to go, wait or give up.
    mutating func enter(_ peer: NodeID, _ lane: Bytes32) -> Admission {
        var state = peers[peer] ?? Peer()
        defer { peers[peer] = state }
        // Whoever waits does so for a busy job, or all calls are taken: nobody is overtaken.
        if state.busy.count < callsPerPeer, !state.busy.contains(lane) {
            state.busy.insert(lane)
            return .go
        }
        guard state.waiting.count < waitingPerPeer else { return .full }
        lastTicket += 1
        state.waiting.append((lastTicket, lane))
        return .wait(lastTicket)
    }

    /// Gives a call back.
    ///
    /// - Returns: Whose turn it is; they go at once.
    mutating func leave(_ peer: NodeID, _ lane: Bytes32) -> [Ticket] {
        guard var state = peers[peer] else { return [] }
        state.busy.remove(lane)
        var turns: [Ticket] = []
        // The first of each job in the order of arrival.
        var index = 0
        while index < state.waiting.count, state.busy.count < callsPerPeer {
            let next = state.waiting[index]
            if state.busy.insert(next.lane).inserted {
                turns.append(next.ticket)
                state.waiting.remove(at: index)
            } else {
                index += 1
            }
        }
        peers[peer] = state.busy.isEmpty && state.waiting.isEmpty ? nil : state
        return turns
    }
}
