import BridgeProtocol
import Journal

extension Dispatcher {
    // MARK: - From the engine

    /// Takes an order; one that is known already is left as it is.
    mutating func take(_ id: UInt64, _ job: JobKey, _ capability: Capability?) {
        guard orders[id] == nil else { return }
        orders[id] = Order(job: job, capability: capability)
        if current[job] == nil {
            current[job] = id
            enqueue(id)
        } else {
            behind[job, default: []].append(id)
        }
    }

    mutating func withdraw(_ id: UInt64, _ reason: BusRevoke.Reason) {
        guard let order = orders[id] else { return }
        switch order.place {
        case .behind:
            behind[order.job]?.removeAll { $0 == id }
            if behind[order.job]?.isEmpty == true { behind[order.job] = nil }
        case .queued: dequeue(order)
        case .delayed: delayed.removeAll { $0 == id }
        case .sent(let connection, let lease):
            _ = removeItem(lease, from: connection)
            revoke(lease, from: connection, reason)
        }
        end(id)
    }

    // MARK: - From workers

    mutating func answer(_ lease: Token, by id: ConnectionID) {
        guard let item = takeItem(lease, from: id) else { return drop(.leasesStale) }
        members[id]?.failuresInARow = 0
        members[id]?.done += 1
        count(.itemsDone)
        actions.append(.finished(item.order))
        end(item.order)
    }

    mutating func fail(_ lease: Token, _ failure: BusFailure, by id: ConnectionID) {
        guard let item = takeItem(lease, from: id), let worker = members[id]?.worker else {
            return drop(.leasesStale)
        }
        blame(id)
        retry(item.order, after: failure, on: worker)
    }

    mutating func progress(_ lease: Token, by id: ConnectionID) {
        guard let index = members[id]?.index(of: lease) else { return drop(.leasesStale) }
        members[id]?.progressed(at: index, now: now)
    }

    private mutating func takeItem(_ lease: Token, from id: ConnectionID) -> Member.Item? {
        members[id]?.moved(at: now)
        defer { dismissIfDrained(id) }
        return removeItem(lease, from: id)
    }

    private mutating func removeItem(_ lease: Token, from id: ConnectionID) -> Member.Item? {
        guard let index = members[id]?.index(of: lease) else { return nil }
        // The next one's handling begins.
        expect(now + min(settings.lease, settings.handlingLimit))
        return members[id]?.remove(at: index, at: now)
    }

    private mutating func blame(_ id: ConnectionID) {
        members[id]?.failuresInARow += 1
        members[id]?.failed += 1
    }

    // MARK: - From the clock

    /// Takes away what a member has not reported on in time.
    mutating func lapse(_ id: ConnectionID) {
        guard let member = members[id] else { return }
        for item in member.items where member.deadline(of: item, settings) <= now {
            _ = removeItem(item.lease, from: id)
            count(.leasesLapsed)
            revoke(item.lease, from: id, .lapsed)
            if item.startedAt == nil {
                handOn(item.order)
            } else {
                blame(id)
                retry(item.order, after: .leaseLapsed, on: member.worker)
            }
        }
    }

    private mutating func revoke(
        _ lease: Token,
        from id: ConnectionID,
        _ reason: BusRevoke.Reason
    ) {
        actions.append(.revoke(id, lease: lease, reason))
        ask(id)
        dismissIfDrained(id)
    }

    // MARK: - To other workers

    /// Puts an item back that nobody had started.
    mutating func handOn(_ id: UInt64) {
        count(.itemsHandedOn)
        putBack(id)
    }

    /// Counts a failed attempt, and puts the item back or gives it up.
    mutating func retry(_ id: UInt64, after failure: BusFailure, on worker: WorkerID) {
        guard var order = orders[id] else { return }
        count(.attemptsFailed)
        order.failures += 1
        if !order.failedOn.contains(worker) { order.failedOn.append(worker) }
        orders[id] = order
        actions.append(
            .note(
                .attemptFailed(
                    id,
                    order.job,
                    worker,
                    code: failure.code,
                    failures: order.failures
                )
            )
        )
        if order.failures >= settings.maximumAttempts {
            count(.itemsGivenUp)
            actions.append(.gaveUp(id, failure))
            end(id)
        } else if let delay = settings.delay(afterFailures: order.failures) {
            orders[id]?.place = .delayed(now + delay)
            delayed.append(id)
            expect(now + delay)
        } else {
            putBack(id)
        }
    }

    mutating func putBack(_ id: UInt64) {
        guard let order = orders[id] else { return }
        orders[id]?.place = .queued
        queues[order.capability, default: OrderQueue()].putBack(id, sequence: order.sequence)
    }

    private mutating func enqueue(_ id: UInt64) {
        guard let order = orders[id] else { return }
        lastSequence += 1
        orders[id]?.sequence = lastSequence
        orders[id]?.place = .queued
        queues[order.capability, default: OrderQueue()].append(id, sequence: lastSequence)
    }

    /// Forgets an order and lets the next of its job go ahead.
    private mutating func end(_ id: UInt64) {
        guard let order = orders.removeValue(forKey: id), current[order.job] == id else { return }
        guard let next = behind[order.job]?.first else {
            current[order.job] = nil
            return
        }
        behind[order.job]?.removeFirst()
        if behind[order.job]?.isEmpty == true { behind[order.job] = nil }
        current[order.job] = next
        enqueue(next)
    }
}
