import BridgeProtocol
import CrashPoints
import Foundation
import Journal
import LightningTypes
import Logging
import SwiftProtobuf
import Synchronization

/// Runs the engine: takes inputs in, carries its outputs out, and gives clients their answers.
///
/// The one task that runs it waits for nothing but its mailbox: reads and sends run beside it, and
/// their outcomes come back as inputs.
actor EngineLoop {
    /// What the engine's outputs are carried out by.
    struct World: Sendable {
        var journal: Journal
        var session: LndSession
        var rooms: [WorkerRole: WorkerRoom]
        var payments: PaymentDesk
        var invoices: InvoiceDesk
        var paidJobs: PaidJobs
        /// Tells observers and watchers of a job that changed.
        var changed: @Sendable (JobKey, BusJob) -> Void
        /// Told at each turn of the loop.
        var alive: @Sendable () -> Void = {}
        var now: @Sendable () -> UnixTime
        var logger: Logger
    }

    /// Why the loop ended before it was asked to.
    struct Fatal: Error {
        var error: JournalError
    }

    nonisolated let inputs = Mailbox<EngineInput>()
    private nonisolated let loads = Mailbox<JobKey>()
    private nonisolated let clients = Mutex(Clients())

    private var engine: Engine
    private let world: World

    private struct Clients {
        var last: UInt64 = 0
        var waiting: [ClientTicket: CheckedContinuation<ClientAnswer, Never>] = [:]
    }

    init(engine: Engine, world: World) {
        self.engine = engine
        self.world = world
    }

    /// How many jobs are open and parked, and what was dropped or refused.
    var status: (open: Int, parked: Int, counters: [String: UInt64]) {
        (engine.jobCounts.open, engine.jobCounts.parked, engine.counts)
    }

    /// The job in memory that a peer's message to a requester is for.
    func requesterJob(peer: NodeID, jobID: Bytes32) -> JobKey? {
        engine.requesterJob(peer: peer, jobID: jobID)
    }

    /// Asks for a client, and returns when the answer's truth is on disk.
    nonisolated func ask(_ make: (ClientTicket) -> EngineInput) async -> ClientAnswer {
        await withCheckedContinuation { continuation in
            let ticket = clients.withLock { clients in
                clients.last += 1
                let ticket = ClientTicket(clients.last)
                clients.waiting[ticket] = continuation
                return ticket
            }
            inputs.put(make(ticket))
        }
    }

    /// Hands out nothing more, and ends the loop when every step that is under way has come back
    /// and everything written is confirmed.
    nonisolated func drain() { inputs.put(.drain) }

    /// Runs until it is drained or cancelled.
    ///
    /// - Throws: ``Fatal`` when the journal can't be written any more.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.load() }
            group.addTask { try await self.work() }
            try await group.next()
            group.cancelAll()
            while !group.isEmpty { try await group.next() }
        }
    }

    private func work() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            while !engine.isDrained(at: world.now()), let batch = await inputs.next() {
                let now = world.now()
                for input in batch { engine.handle(input, at: now) }
                try await carryOut(engine.takeOutputs(), &group)
                world.alive()
            }
            loads.close()
            group.cancelAll()
        }
    }

    // MARK: - Outputs

    private func carryOut(
        _ outputs: [EngineOutput],
        _ group: inout ThrowingDiscardingTaskGroup<any Error>
    ) async throws {
        var orders: [WorkerRole: [WorkOrder]] = [:]
        let peers = Self.peers(of: outputs)
        let facts = peers.isEmpty ? [:] : await world.session.facts(of: peers)
        for output in outputs {
            switch output {
            case .load(let key):
                // Mostly it is a new one, which needs no query.
                if world.journal.mayHave(key) {
                    loads.put(key)
                } else {
                    inputs.put(.loaded(key, nil))
                }
            case .commit(let step): commit(step)
            case .record(let facts, let key, let purpose):
                record(facts, key, purpose)
            case .order(let id, let key, let item):
                orders[key.role.worker, default: []].append(order(id, key, item, facts[key.peer]))
            case .compute(let id, let key, let item, let input):
                compute(id, key, item, input, &group)
            case .withdraw(let id, let role, let reason):
                // Behind the orders it may be about.
                await flush(&orders)
                CrashPoint.beforeRevoke.reach()
                await world.rooms[role]?.withdraw(id, reason: reason)
                CrashPoint.afterRevoke.reach()
            case .complain(let key, let rule):
                world.logger.warning(
                    "a worker's reply broke the rules",
                    metadata: ["lcp.job": "\(key)", "rule": "\(rule)"]
                )

            case .send(let key, let order, let message, let contents):
                group.addTask { await self.send(key, order, message, contents) }
            case .createInvoice(let key, let effect, let order):
                await world.invoices.create(order, job: key, effect: effect)
            case .cancelInvoice(let key, let effect, let hash):
                await world.invoices.cancel(hash, job: key, effect: effect)
            case .lookUpInvoices: await world.invoices.reconcile()
            case .pay(let key, let hash): await world.payments.begin(hash, job: key)
            case .withdrawPayment(let key, let hash):
                CrashPoint.beforeWithdrawPayment.reach()
                await world.payments.withdraw(hash, job: key)
            case .refuse(let message):
                await world.session.refuse(InboundMessage(message))
            case .forget(let message):
                await world.session.forget(InboundMessage(message))

            case .answer(let ticket, let answer):
                CrashPoint.beforeAnswer.reach()
                clients.withLock { $0.waiting.removeValue(forKey: ticket) }?
                    .resume(returning: answer)
                CrashPoint.afterAnswer.reach()
            case .changed(let job):
                CrashPoint.beforeNotify.reach()
                if let key = JobKey(job.key) { world.changed(key, job) }
                CrashPoint.afterNotify.reach()
            case .paid(let key, let wireIDs, let isPaid):
                world.paidJobs.set(key, wireIDs: wireIDs, isPaid)
            case .fatal(let error): throw Fatal(error: error)
            }
        }
        await flush(&orders)
    }

    private func flush(_ orders: inout [WorkerRole: [WorkOrder]]) async {
        for (role, orders) in orders {
            CrashPoint.beforeOrder.reach()
            await world.rooms[role]?.order(orders)
            CrashPoint.afterOrder.reach()
        }
        orders = [:]
    }

    private func commit(_ step: Step) {
        let version = step.version + 1
        CrashPoint.beforeCommit.reach()
        world.journal.commit(step) { [inputs, key = step.job] result in
            CrashPoint.afterCommit.reach()
            inputs.put(.committed(key, version: version, result))
        }
    }

    private func record(_ facts: [Fact], _ key: JobKey, _ purpose: RecordPurpose) {
        let (before, after) = purpose.crashPoints
        before.reach()
        world.journal.record(facts, for: key, at: world.now()) { [inputs] result in
            after.reach()
            inputs.put(.recorded(key, purpose, result))
        }
    }

    /// The peers that steps are about, each once.
    private static func peers(of outputs: [EngineOutput]) -> Set<NodeID> {
        var peers: Set<NodeID> = []
        for case .order(_, let key, _) in outputs { peers.insert(key.peer) }
        return peers
    }

    private func order(
        _ id: UInt64,
        _ key: JobKey,
        _ item: BusJobItem,
        _ facts: PeerFactsNow?
    ) -> WorkOrder {
        var item = item
        item.peer = .with {
            $0.connected = facts?.connected ?? false
            $0.hasChannel_p = facts?.hasChannel ?? false
            $0.maxPayloadBytes = facts?.maxPayloadBytes ?? 0
            $0.openJobs = engine.activeJobs(besides: key)
            $0.requestsLastMinute = facts?.requestsLastMinute ?? 0
        }
        return WorkOrder(id: id, job: key, capability: nil, body: .step(item))
    }

    private func compute(
        _ id: UInt64,
        _ key: JobKey,
        _ item: BusComputeItem,
        _ input: [UInt8]?,
        _ group: inout ThrowingDiscardingTaskGroup<any Error>
    ) {
        group.addTask { [world, inputs] in
            var item = item
            do throws(JournalError) {
                if let input {
                    item.input = Data(input)
                } else if let stored = try await world.journal.input(of: key) {
                    item.input = Data(stored.reveal("the computation's input"))
                } else {
                    let failure = BusFailure.of("no-input", "the job's input is not kept any more")
                    return inputs.put(.gaveUp(order: id, failure))
                }
            } catch {
                return inputs.put(.gaveUp(order: id, .journal(error)))
            }
            let capability = BusCapability.with {
                $0.taskKind = item.taskKind
                $0.profile = item.profile
            }
            CrashPoint.beforeCompute.reach()
            await world.rooms[.compute]?.order([
                WorkOrder(id: id, job: key, capability: capability, body: .computation(item))
            ])
            CrashPoint.afterCompute.reach()
        }
    }

    // MARK: - Reads and sends, beside the loop

    private nonisolated func load() async {
        while let keys = await loads.next() {
            for first in stride(from: 0, to: keys.count, by: Self.jobsPerRead) {
                let some = Array(keys[first..<min(first + Self.jobsPerRead, keys.count)])
                if let records = try? await world.journal.jobs(some) {
                    inputs.put(zip(some, records).map { .loaded($0, $1) })
                } else {
                    // The one that can't be read holds up no other.
                    for key in some { await load(key) }
                }
            }
        }
    }

    /// Each may have a state of a megabyte.
    private static let jobsPerRead = 32

    private nonisolated func load(_ key: JobKey) async {
        do throws(JournalError) {
            inputs.put(.loaded(key, try await world.journal.job(key)))
        } catch  where error.code == .cancelled || error.code == .closed {
            return
        } catch {
            world.logger.warning(
                "a job could not be read and is tried again",
                metadata: ["lcp.job": "\(key)", "error": "\(error)"]
            )
            try? await Task.sleep(for: .seconds(1))
            loads.put(key)
        }
    }

    private nonisolated func send(
        _ key: JobKey,
        _ order: UInt64,
        _ message: BusSendMessage,
        _ contents: JobContents
    ) async {
        do throws(JournalError) {
            let now = world.now()
            guard
                let outbound = try await OutboundMessage(
                    message,
                    to: key.peer,
                    at: now,
                    input: { () throws(JournalError) in
                        if let input = contents.input { return input }
                        return try await world.journal.input(of: key)?.reveal("a peer's message")
                    },
                    output: { () throws(JournalError) in
                        if let output = contents.output { return output }
                        return try await world.journal.answer(of: key)?.reveal("a peer's message")
                    }
                )
            else {
                // Its contents are gone with their retention: nobody waits for it any more.
                return inputs.put(.sent(key, order: order, .givenUp))
            }
            inputs.put(.sent(key, order: order, await attempt(outbound, key)))
        } catch {
            inputs.put(.sent(key, order: order, .failed))
        }
    }

    private nonisolated func attempt(_ message: OutboundMessage, _ key: JobKey) async -> SendResult
    {
        do throws(SendError) {
            CrashPoint.beforeSend.reach()
            try await world.session.send(message)
            CrashPoint.afterSend.reach()
            return .sent
        } catch {
            switch error {
            case .tooLarge: return .tooLarge
            case .peerNotConnected, .lnd:
                world.logger.debug(
                    "a message waits for the peer or lnd",
                    metadata: ["lcp.job": "\(key)", "reason": "\(error)"]
                )
                if case .peerNotConnected = error { return .blocked }
                return .failed
            }
        }
    }
}

extension RecordPurpose {
    fileprivate var crashPoints: (before: CrashPoint, after: CrashPoint) {
        switch self {
        case .event, .done, .parking, .payment: (.beforeRecord, .afterRecord)
        case .finish: (.beforeFinish, .afterFinish)
        }
    }
}
