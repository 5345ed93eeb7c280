import BridgeProtocol
import Journal
import LCPTesting
import LightningTypes

@testable import Bridge

/// A dispatcher with a clock and workers of a test's own, and a second opinion on what it does.
///
/// The checks are made from the actions alone: whatever the dispatcher believes, this is what the
/// workers would have seen.
struct Fleet {
    /// What one connection was told and said.
    struct Worker {
        let id: WorkerID
        var nonce: Token?
        var isMember = false
        var capacity = 0
        var concurrency = 0
        var isDraining = false
        /// Live leases in the order they were given, with whether Progress was sent.
        var leases: [(lease: Token, order: UInt64, progressed: Bool)] = []
        /// Welcomes that Hello has not answered.
        var unanswered = 0

        var started: [UInt64] {
            let parallel = concurrency == 0 ? capacity : min(concurrency, capacity)
            var parallelLeft = parallel
            return leases.compactMap { lease in
                defer { parallelLeft -= 1 }
                return parallelLeft > 0 || lease.progressed ? lease.order : nil
            }
        }
    }

    enum Violation: Error, Equatable {
        case sentTwice(UInt64)
        case sentAfterEnd(UInt64)
        case sentToStranger(UInt64)
        case aboveCredit(UInt64)
        case jobOutOfOrder(UInt64)
        case wrongAttempt(UInt64, UInt32)
        case unknownOutcome(UInt64)
        case gaveUpTooEarly(UInt64)
        case finishedByStaleReply(UInt64)
        case dismissedTooEarly(UInt64)
    }

    var dispatcher: Dispatcher
    var random: SeededGenerator
    var now = ContinuousClock.now
    var workers: [UInt64: Worker] = [:]
    /// Orders without an outcome, by job in the order they were given.
    var open: [JobKey: [UInt64]] = [:]
    var jobs: [UInt64: JobKey] = [:]
    /// Counted failures of each order, by the model's own reckoning.
    var failures: [UInt64: UInt32] = [:]
    var outcomes: [UInt64] = []
    var givenUp: [UInt64] = []
    var violations: [Violation] = []
    var lastConnection: UInt64 = 0
    var actions: [Dispatcher.Action] = []
    /// What workers had started before the event at hand.
    private var startedBefore: [UInt64: [UInt64]] = [:]
    /// The order whose live lease is being answered.
    private var answering: UInt64?
    private var deadLeases: [(connection: UInt64, lease: Token)] = []

    init(settings: DispatchSettings, seed: UInt64) {
        random = SeededGenerator(seed: seed)
        dispatcher = Dispatcher(settings: settings, at: now)
    }

    // MARK: - What can happen

    mutating func order(_ id: UInt64, job: JobKey, capability: Capability? = nil) {
        jobs[id] = job
        open[job, default: []].append(id)
        handle(.ordered(id, job: job, capability: capability))
    }

    mutating func withdraw(_ id: UInt64) {
        guard let job = jobs[id], open[job]?.contains(id) == true else { return }
        close(id)
        handle(.withdrawn(id, .cancelled))
    }

    mutating func connect(_ id: WorkerID? = nil) -> UInt64 {
        lastConnection += 1
        let worker = id ?? WorkerID(random.bytes(16)) ?? .random()
        workers[lastConnection] = Worker(id: worker)
        handle(.connected(lastConnection, worker, key: nil))
        return lastConnection
    }

    mutating func hello(
        _ connection: UInt64,
        capacity: Int = 4,
        concurrency: Int = 0,
        can capabilities: [BusCapability] = [],
        speaksVersion: Bool = true
    ) {
        guard let nonce = workers[connection]?.nonce else { return }
        if workers[connection]?.isMember == false {
            workers[connection]?.capacity = capacity
            workers[connection]?.concurrency = concurrency
        }
        workers[connection]?.isMember = true
        workers[connection]?.unanswered = 0
        let greeting = Greeting(
            program: "model",
            capacity: workers[connection]?.capacity ?? 0,
            concurrency: workers[connection]?.concurrency ?? 0,
            capabilities: capabilities,
            speaksVersion: speaksVersion,
            at: UnixTime(seconds: 0)
        )
        say(.hello(greeting), connection, nonce)
    }

    mutating func join(
        capacity: Int = 4,
        concurrency: Int = 0,
        can capabilities: [BusCapability] = [],
        speaksVersion: Bool = true
    ) -> UInt64 {
        let connection = connect()
        hello(
            connection,
            capacity: capacity,
            concurrency: concurrency,
            can: capabilities,
            speaksVersion: speaksVersion
        )
        return connection
    }

    mutating func answer(_ connection: UInt64, at index: Int = 0) {
        guard let worker = workers[connection], let nonce = worker.nonce,
            worker.leases.indices.contains(index)
        else { return }
        let (lease, order, _) = worker.leases[index]
        workers[connection]?.leases.remove(at: index)
        deadLeases.append((connection, lease))
        answering = order
        say(.answered(lease), connection, nonce)
        answering = nil
    }

    /// Answers an item that was answered or taken away before.
    mutating func repeatStaleReply(_ choices: inout SeededGenerator) {
        guard let (connection, lease) = deadLeases.randomElement(using: &choices),
            let nonce = workers[connection]?.nonce
        else { return }
        say(.answered(lease), connection, nonce)
    }

    mutating func fail(_ connection: UInt64, at index: Int = 0) {
        guard let worker = workers[connection], let nonce = worker.nonce,
            worker.leases.indices.contains(index)
        else { return }
        let (lease, order, _) = worker.leases[index]
        workers[connection]?.leases.remove(at: index)
        failures[order, default: 0] += 1
        var failure = BusFailure()
        failure.code = "model"
        say(.failed(lease, failure), connection, nonce)
    }

    mutating func progress(_ connection: UInt64, at index: Int = 0) {
        guard let worker = workers[connection], let nonce = worker.nonce,
            worker.leases.indices.contains(index)
        else { return }
        workers[connection]?.leases[index].progressed = true
        say(.progress(worker.leases[index].lease), connection, nonce)
    }

    mutating func goodbye(_ connection: UInt64) {
        guard let worker = workers[connection], let nonce = worker.nonce, worker.isMember else {
            return
        }
        workers[connection]?.isDraining = true
        say(.goodbye, connection, nonce)
    }

    /// The process is gone.
    mutating func kill(_ connection: UInt64) {
        guard let worker = workers.removeValue(forKey: connection) else { return }
        if !worker.isDraining { for order in worker.started { failures[order, default: 0] += 1 } }
        handle(.disconnected(connection))
    }

    mutating func advance(by duration: Duration) {
        let end = now + duration
        while let due = dispatcher.wakeAt, due <= end {
            now = max(now, due)
            handle(.woke)
        }
        now = end
    }

    mutating func say(
        _ statement: Dispatcher.Statement,
        _ connection: UInt64,
        _ nonce: Token
    ) {
        guard let worker = workers[connection]?.id else { return }
        handle(.said(statement, by: .init(worker: worker, nonce: nonce, key: nil)))
    }

    mutating func handle(_ event: Dispatcher.Event) {
        startedBefore = workers.mapValues(\.started)
        actions = dispatcher.handle(event, at: now, using: &random)
        for action in actions { check(action) }
    }

    // MARK: - What the workers see

    private mutating func check(_ action: Dispatcher.Action) {
        switch action {
        case .welcome(let connection, let nonce):
            workers[connection]?.nonce = nonce
            workers[connection]?.unanswered += 1
        case .refuse(let connection, _):
            workers[connection]?.nonce = nil
            workers[connection]?.isMember = false
        case .send(let order, let connection, let lease, let attempt):
            checkSend(order, connection, attempt)
            workers[connection]?.leases.append((lease, order, false))
        case .dismiss(let connection):
            guard let worker = workers[connection] else { return }
            if !worker.isDraining || !worker.leases.isEmpty {
                violations.append(.dismissedTooEarly(connection))
            }
        case .revoke(let connection, let lease, let reason):
            guard let worker = workers[connection],
                let index = worker.leases.firstIndex(where: { $0.lease == lease })
            else { return }
            let order = worker.leases[index].order
            if reason == .lapsed, startedBefore[connection]?.contains(order) == true {
                failures[order, default: 0] += 1
            }
            workers[connection]?.leases.remove(at: index)
            deadLeases.append((connection, lease))
        case .finished(let order):
            if jobs[order] == nil { violations.append(.unknownOutcome(order)) }
            if answering != order { violations.append(.finishedByStaleReply(order)) }
            outcomes.append(order)
            close(order)
        case .gaveUp(let order, _):
            if failures[order, default: 0] < dispatcher.settings.maximumAttempts {
                violations.append(.gaveUpTooEarly(order))
            }
            givenUp.append(order)
            close(order)
        case .membersChanged, .note: break
        }
    }

    private mutating func checkSend(_ order: UInt64, _ connection: UInt64, _ attempt: UInt32) {
        let holders = workers.values.filter { $0.leases.contains { $0.order == order } }
        if !holders.isEmpty { violations.append(.sentTwice(order)) }
        guard let job = jobs[order], let orders = open[job], orders.contains(order) else {
            return violations.append(.sentAfterEnd(order))
        }
        if orders.first != order { violations.append(.jobOutOfOrder(order)) }
        guard let worker = workers[connection], worker.isMember, !worker.isDraining,
            worker.unanswered == 0
        else { return violations.append(.sentToStranger(order)) }
        if worker.leases.count >= worker.capacity { violations.append(.aboveCredit(order)) }
        if attempt != failures[order, default: 0] + 1 {
            violations.append(.wrongAttempt(order, attempt))
        }
    }

    private mutating func close(_ order: UInt64) {
        guard let job = jobs[order] else { return }
        open[job]?.removeAll { $0 == order }
        if open[job]?.isEmpty == true { open[job] = nil }
    }
}
