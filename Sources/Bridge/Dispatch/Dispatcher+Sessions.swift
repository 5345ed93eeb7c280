import BridgeProtocol
import ZeroMQ

extension Dispatcher {
    // MARK: - Connections

    mutating func connect(
        _ id: ConnectionID,
        _ worker: WorkerID,
        _ key: CurvePublicKey?,
        nonce: Token
    ) {
        connections[id] = Connection(worker: worker, key: key, nonce: nonce, phase: .waiting)
        connectionsOf[worker, default: []].append(id)
        if let holder = holders[worker] { ask(holder) } else { welcome(id) }
    }

    mutating func disconnect(_ id: ConnectionID) {
        guard let connection = connections.removeValue(forKey: id) else { return }
        let worker = connection.worker
        connectionsOf[worker]?.removeAll { $0 == id }
        if connectionsOf[worker]?.isEmpty == true { connectionsOf[worker] = nil }
        if let member = members[id] { leave(id, member.isDraining ? .drained : .lost) }
        if holders[worker] == id { release(worker) }
    }

    /// Begins with a connection that nobody is in the way of.
    private mutating func welcome(_ id: ConnectionID) {
        guard let connection = connections[id] else { return }
        holders[connection.worker] = id
        connections[id]?.phase = .welcomed
        actions.append(.welcome(id, nonce: connection.nonce))
    }

    /// The worker's id is free again: the connection that waited longest has it.
    private mutating func release(_ worker: WorkerID) {
        holders[worker] = nil
        if let next = waiting(for: worker).first { welcome(next) }
    }

    private func waiting(for worker: WorkerID) -> [ConnectionID] {
        (connectionsOf[worker] ?? []).filter { connections[$0]?.phase == .waiting }
    }

    private mutating func refuse(_ id: ConnectionID, _ failure: BusFailure) {
        guard let connection = connections[id] else { return }
        connections[id]?.phase = .refused
        connections[id]?.question = nil
        actions.append(.refuse(id, failure))
        actions.append(.note(.refused(connection.worker, code: failure.code)))
    }

    // MARK: - Asking

    /// Asks a welcomed worker or a member whether it is still there.
    mutating func ask(_ id: ConnectionID) {
        guard let connection = connections[id] else { return }
        guard connection.question == nil else {
            connections[id]?.question?.mustAskAgain = true
            return
        }
        let due = now + settings.patience
        connections[id]?.question = Question(due: due)
        expect(due)
        actions.append(.welcome(id, nonce: connection.nonce))
    }

    mutating func tellFacts(_ id: ConnectionID) {
        guard let connection = connections[id], holders[connection.worker] == id else { return }
        // No question: nobody's items depend on the answer.
        actions.append(.welcome(id, nonce: connection.nonce))
    }

    /// Gives a connection up that did not answer.
    mutating func evict(_ id: ConnectionID) {
        guard let worker = connections[id]?.worker else { return }
        connections[id]?.phase = .evicted
        connections[id]?.question = nil
        for item in members[id]?.items ?? [] {
            actions.append(.revoke(id, lease: item.lease, .lapsed))
        }
        if members[id] != nil { leave(id, .evicted) }
        if holders[worker] == id { release(worker) }
    }

    // MARK: - What workers say

    mutating func hear(_ statement: Statement, from speaker: Speaker) {
        guard let id = connection(of: speaker), let phase = connections[id]?.phase else {
            return drop(.noncesStale)
        }
        switch (phase, statement) {
        case (.welcomed, .hello(let greeting)), (.member, .hello(let greeting)):
            greet(id, greeting)
        case (.evicted, .hello(let greeting)):
            guard holders[speaker.worker] == nil else {
                count(.duplicatesRefused)
                return refuse(id, .duplicateWorker)
            }
            holders[speaker.worker] = id
            greet(id, greeting)
        case (.member, .answered(let lease)): answer(lease, by: id)
        case (.member, .failed(let lease, let failure)): fail(lease, failure, by: id)
        case (.member, .progress(let lease)): progress(lease, by: id)
        case (.member, .goodbye), (.welcomed, .goodbye), (.evicted, .goodbye): drain(id)
        case (.waiting, _), (.welcomed, _), (.refused, _), (.evicted, _):
            drop(.noncesStale)
        }
    }

    private func connection(of speaker: Speaker) -> ConnectionID? {
        (connectionsOf[speaker.worker] ?? []).first { id in
            guard let connection = connections[id] else { return false }
            return connection.nonce == speaker.nonce && connection.key == speaker.key
        }
    }

    private mutating func greet(_ id: ConnectionID, _ greeting: Greeting) {
        guard let connection = connections[id] else { return }
        if let failure = objection(to: greeting) {
            count(.hellosRefused)
            if members[id] != nil { leave(id, .evicted) }
            refuse(id, failure)
            return release(connection.worker)
        }
        var greeting = greeting
        greeting.capacity = min(greeting.capacity, settings.maximumCapacity)
        if members[id] == nil {
            var member = Member(worker: connection.worker, greeting: greeting, at: now)
            member.isDraining = connection.saidGoodbye
            member.failuresInARow = connection.failuresInARow
            members[id] = member
            connections[id]?.phase = .member
            count(.workersJoined)
            actions.append(.note(.joined(connection.worker, program: greeting.program)))
            actions.append(.membersChanged)
            dismissIfDrained(id)
        } else if let old = members[id]?.greeting {
            members[id]?.greet(greeting, at: now)
            if !old.offersTheSame(as: greeting) { actions.append(.membersChanged) }
        }
        // The answer to our question, if there was one.
        let mustAskAgain = connection.question?.mustAskAgain ?? false
        connections[id]?.question = nil
        if mustAskAgain { ask(id) }
        for newcomer in waiting(for: connection.worker) {
            count(.duplicatesRefused)
            refuse(newcomer, .duplicateWorker)
        }
    }

    private func objection(to greeting: Greeting) -> BusFailure? {
        let capabilities = greeting.capabilities
        if capabilities.count > settings.maximumCapabilities {
            return .helloTooLarge("\(capabilities.count) capabilities")
        }
        let largest = capabilities.map(\.size).max() ?? 0
        return largest > settings.maximumTemplateBytes
            ? .helloTooLarge("a capability of \(largest) bytes") : nil
    }

    private mutating func drain(_ id: ConnectionID) {
        connections[id]?.saidGoodbye = true
        guard members[id]?.isDraining == false else { return }
        members[id]?.isDraining = true
        actions.append(.membersChanged)
        dismissIfDrained(id)
    }

    /// Tells a draining worker that nothing of its is on the way any more.
    ///
    /// Its end and its last replies come on different sockets, in any order: a worker that exits
    /// without waiting for this may have done its last item for nothing.
    mutating func dismissIfDrained(_ id: ConnectionID) {
        guard let member = members[id], member.isDraining, member.items.isEmpty else { return }
        actions.append(.dismiss(id))
    }

    /// A session ends: what the worker had started counts unless it was draining, the rest is
    /// handed on as it was.
    private mutating func leave(_ id: ConnectionID, _ departure: Departure) {
        guard let member = members.removeValue(forKey: id) else { return }
        switch departure {
        case .drained: count(.workersDrained)
        case .lost: count(.workersLost)
        case .evicted: count(.workersEvicted)
        }
        connections[id]?.failuresInARow = member.failuresInARow
        actions.append(.note(.left(member.worker, departure, items: member.items.count)))
        actions.append(.membersChanged)
        for item in member.items {
            if departure == .drained || item.startedAt == nil {
                handOn(item.order)
            } else {
                retry(item.order, after: .workerGone(departure), on: member.worker)
            }
        }
    }
}

extension Greeting {
    func offersTheSame(as other: Greeting) -> Bool {
        capabilities == other.capabilities && capacity == other.capacity
            && concurrency == other.concurrency
    }
}

extension BusCapability {
    fileprivate var size: Int {
        taskKind.utf8.count + profile.utf8.count + templateParams.count
    }
}
