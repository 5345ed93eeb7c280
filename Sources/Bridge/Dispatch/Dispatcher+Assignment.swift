import BridgeProtocol

extension Dispatcher {
    private struct Assignment {
        let entry: OrderQueue.Entry
        let connection: ConnectionID
    }

    /// Hands out what waits for as long as somebody has credit for it, the oldest first.
    mutating func assign(using random: inout some RandomNumberGenerator) {
        while let next = nextAssignment() {
            give(next.entry, to: next.connection, lease: Token(using: &random))
        }
    }

    private func nextAssignment() -> Assignment? {
        var best: Assignment?
        for (capability, queue) in queues {
            guard let next = first(in: queue, capability) else { continue }
            if let found = best, found.entry.sequence < next.entry.sequence { continue }
            best = next
        }
        return best
    }

    /// The first order of a queue that may go to a worker with credit.
    private func first(in queue: OrderQueue, _ capability: Capability?) -> Assignment? {
        // Looked up once: it is also the answer for every order that failed on nobody.
        guard let anybody = leastLoaded(for: capability) else { return nil }
        for entry in queue.returned {
            let failedOn = orders[entry.order]?.failedOn ?? []
            let connection = failedOn.isEmpty ? anybody : leastLoaded(for: capability, failedOn)
            if let connection { return Assignment(entry: entry, connection: connection) }
        }
        return queue.firstFresh.map { Assignment(entry: $0, connection: anybody) }
    }

    /// The least loaded worker with credit.
    ///
    /// An order that failed waits for a worker it has not failed on, if there is one at all, with
    /// or without credit; if there is none, one of the others has to do.
    private func leastLoaded(
        for capability: Capability?,
        _ failedOn: [WorkerID] = []
    ) -> ConnectionID? {
        var best: (id: ConnectionID, member: Member)?
        var isBestOther = false
        for (id, member) in members where member.can(capability) {
            let isOther = !failedOn.contains(member.worker)
            if isOther, !isBestOther {
                isBestOther = true
                best = nil
            }
            guard isOther == isBestOther, hasCredit(id, member) else { continue }
            if let found = best, !isBetter(id, member, than: found) { continue }
            best = (id, member)
        }
        return best?.id
    }

    private func hasCredit(_ id: ConnectionID, _ member: Member) -> Bool {
        connections[id]?.question == nil
            && member.hasCredit(probingAfter: settings.failuresBeforeProbing)
    }

    private func isBetter(
        _ id: ConnectionID,
        _ member: Member,
        than found: (id: ConnectionID, member: Member)
    ) -> Bool {
        if member.isLessLoaded(than: found.member) { return true }
        return !found.member.isLessLoaded(than: member) && id < found.id
    }

    private mutating func give(
        _ entry: OrderQueue.Entry,
        to connection: ConnectionID,
        lease: Token
    ) {
        guard let order = orders[entry.order] else { return }
        dequeue(order)
        lastGiven += 1
        members[connection]?.lastGiven = lastGiven
        members[connection]?.add(entry.order, lease: lease, at: now)
        orders[entry.order]?.place = .sent(connection, lease: lease)
        expect(now + min(settings.lease, settings.handlingLimit))
        actions.append(
            .send(entry.order, to: connection, lease: lease, attempt: order.failures + 1)
        )
    }

    mutating func dequeue(_ order: Order) {
        queues[order.capability]?.remove(sequence: order.sequence)
        if queues[order.capability]?.isEmpty == true { queues[order.capability] = nil }
    }
}
