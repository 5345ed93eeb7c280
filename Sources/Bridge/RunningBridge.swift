import BOLT11
import BridgeProtocol
import BusAddresses
import CrashPoints
import Foundation
import GRPCNGHTTP2
import Journal
import LightningTypes
import LndRPC
import Logging
import ServiceLifecycle
import ServiceNotify
import SwiftProtobuf
import ZeroMQ

/// A bridge with its journal open and its sockets bound.
final class RunningBridge: Sendable {
    private let configuration: Bridge.Configuration
    private let logger: Logger
    private let epoch: [UInt8]
    private let startedAt: UnixTime

    private let context: Context
    private let journal: Journal
    private let identity: NodeIdentity
    private let lnd: Lnd
    private let session: LndSession
    private let rooms: [WorkerRole: WorkerRoom]
    private let payments: PaymentDesk
    private let invoices: InvoiceDesk
    private let loop: EngineLoop
    private let feeds: Feeds
    private let watches: Watches
    private let control: ControlDoor
    private let queryDoor: RequestDoor
    private let feedSockets: (messages: PubSocket, events: PubSocket)
    /// Which node lnd is, each time it is ready; for a restored journal.
    private let nodes = AsyncStream<NodeID>.makeStream(bufferingPolicy: .bufferingNewest(1))

    private static let aliveSetting = "bridge.alive"
    private static let secretSetting = "bridge.submission_secret"

    static func now() -> UnixTime {
        UnixTime(seconds: UInt64(max(0, Date().timeIntervalSince1970)))
    }

    init(_ configuration: Bridge.Configuration, logger: Logger) async throws {
        self.configuration = configuration
        self.logger = logger
        let now: @Sendable () -> UnixTime = { Self.now() }
        epoch = Array(Bytes32.random().bytes.prefix(16))
        startedAt = now()
        context = try Context()
        lnd = LndNode(configuration.lnd)
        journal = try Journal(
            path: configuration.journalPath,
            options: Journal.Options(
                network: configuration.network?.rawValue ?? "mainnet",
                durability: configuration.durability
            )
        )

        let identity = try await NodeIdentity(journal, expected: configuration.network)
        self.identity = identity

        try BusDirectory.prepare(configuration.busDirectory)
        let feeds = Feeds(
            epoch: epoch,
            nowMilliseconds: { UInt64(max(0, Date().timeIntervalSince1970 * 1_000)) }
        )
        self.feeds = feeds
        let paidJobs = PaidJobs()
        session = LndSession(
            lnd: lnd,
            journal: journal,
            settings: configuration.session,
            confirm: { try await identity.confirm($0) },
            isPaid: { paidJobs.contains(peer: $0, jobID: $1) },
            feed: { feeds.publish(BusFeedMessage($0)) },
            logger: logger,
            now: now
        )
        payments = PaymentDesk(
            lnd: lnd,
            journal: journal,
            rules: configuration.money,
            now: now,
            logger: logger
        )
        invoices = InvoiceDesk(lnd: lnd, journal: journal, now: now, logger: logger)

        func binding(_ endpoint: BusEndpoint) -> Binding {
            let path = configuration.busDirectory + "/" + endpoint.path
            return configuration.tcp?.binding(endpoint, path: path) ?? .ipc(path: path)
        }
        var rooms: [WorkerRole: WorkerRoom] = [:]
        for role in WorkerRole.allCases {
            rooms[role] = WorkerRoom(
                role: role,
                context: context,
                events: binding(.events(role)),
                replies: binding(.replies(role)),
                settings: DispatchSettings(role: role),
                epoch: epoch,
                welcome: { identity.facts },
                now: now,
                logger: logger
            )
        }
        self.rooms = rooms
        for room in rooms.values { try await room.open() }

        feedSockets = (
            try await context.pub(binding(.feedMessages)),
            try await context.pub(binding(.feedEvents))
        )
        queryDoor = RequestDoor(try await context.router(binding(.query)))
        let watches = Watches(queryDoor)
        self.watches = watches
        loop = EngineLoop(
            engine: Engine(
                limits: configuration.limits,
                paymentRule: Self.rule(configuration.money, identity)
            ),
            world: EngineLoop.World(
                journal: journal,
                session: session,
                rooms: rooms,
                payments: payments,
                invoices: invoices,
                paidJobs: paidJobs,
                changed: { key, job in
                    feeds.publish(.with { $0.job = job })
                    watches.tell(key, job)
                },
                // Without jobs it turns once a second, with the clock.
                alive: { configuration.notifier.beat() },
                now: now,
                logger: logger
            )
        )
        control = ControlDoor(
            door: RequestDoor(try await context.router(binding(.control))),
            journal: journal,
            loop: loop,
            session: session,
            secret: try await Self.secret(journal)
        )
        try BusDirectory.admitGroups(configuration.busDirectory)
    }

    /// The key of submissions' hashes: drawn once, kept with the journal.
    private static func secret(_ journal: Journal) async throws -> Redacted<[UInt8]> {
        if let known = try await journal.setting(secretSetting) { return Redacted(known) }
        let secret = Bytes32.random().bytes
        CrashPoint.beforeKeepSecret.reach()
        try await journal.keep(secret, asSetting: secretSetting)
        CrashPoint.afterKeepSecret.reach()
        return Redacted(secret)
    }

    /// The money rules, on the network that lnd is on.
    private static func rule(_ money: MoneyRules, _ identity: NodeIdentity) -> Engine.PaymentRule {
        { pay, job, ceiling, now in
            guard let network = identity.network else {
                let failure = BusFailure.of("no-lnd", "lnd has not been reached yet")
                return .failure(PaymentRuleRefusal(failure))
            }
            var rules = money
            rules.network = network
            return rules.decide(pay, job: job, ceiling: ceiling, now: now)
                .mapError { PaymentRuleRefusal($0) }
        }
    }

    // MARK: - Running

    /// Runs until a graceful shutdown has drained it.
    func run() async throws {
        try await restore()
        do {
            try await withGracefulShutdownHandler {
                // The parts talk to each other all the time and compute little, so they share one
                // thread with the sockets: a message passes through without waking another. The
                // disk and lnd's connection have threads of their own.
                try await withTaskExecutorPreference(context.executor) { try await runParts() }
            } onGracefulShutdown: {
                self.configuration.notifier.stop("finishing the steps that are under way")
                self.loop.drain()
            }
        } catch let fatal as EngineLoop.Fatal {
            await context.shutDown()
            throw fatal.error
        }
        try await journal.close()
        await context.shutDown()
        logger.info("drained")
    }

    private func runParts() async throws {
        try await withThrowingTaskGroup(of: Part.self) { group in
            var parts: [@Sendable () async throws -> Void] = [
                { try await self.lnd.run() },
                { try await self.session.run() },
                { try await self.followSession() },
                { await self.payments.run() },
                { await self.followPayments() },
                { await self.invoices.run() },
                { await self.followInvoices() },
                { try await self.control.run() },
                { try await self.query.run() },
                { await self.watches.run() },
                {
                    try await self.feeds.run(
                        messages: self.feedSockets.messages,
                        events: self.feedSockets.events
                    )
                },
                { try await self.keepTime() },
                { try await self.keepHouse() },
            ]
            for room in rooms.values {
                parts.append { try await room.run() }
                parts.append { await self.followRoom(room) }
            }
            for part in parts {
                group.addTask {
                    try await part()
                    return .other
                }
            }
            group.addTask {
                await self.followOffers()
                return .other
            }
            group.addTask {
                try await self.reconcile()
                try await self.loop.run()
                return .loop
            }
            // The loop ends when it is drained. Whatever else fails ends the process: half a bridge
            // would take money and not answer.
            while let part = try await group.next(), part == .other {}
            group.cancelAll()
            while let _ = try? await group.next() {}
        }
    }

    private enum Part { case loop, other }

    /// Holds all jobs back until a restored journal knows what lnd has paid since the backup.
    ///
    /// A shutdown or lnd's absence ends no wait but the process; the next start begins anew.
    private func reconcile() async throws {
        guard let backup = try await journal.restoredFrom() else { return }
        logger.warning(
            "the journal was restored from a backup: nothing is paid before lnd was asked",
            metadata: ["journal.backup_unix": "\(backup)"]
        )
        let reconciliation = Reconciliation(lnd: lnd, journal: journal, logger: logger)
        do {
            try await cancelWhenGracefulShutdown { [nodes] in
                for await node in nodes.stream {
                    try await reconciliation.finish(on: node, since: backup)
                    return
                }
            }
        } catch is CancellationError {
            // The next start asks again.
        }
    }

    /// Counts open jobs in and takes up those that something is to be done for.
    private func restore() async throws {
        let now = Self.now()
        let alive = try await journal.setting(Self.aliveSetting).map { bytes in
            bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        let downtime = alive.map { now.seconds > $0 ? now.seconds - $0 : 0 } ?? 0
        var place: Int64?
        while true {
            let page = try await journal.openJobs(after: place, limit: 1_000)
            loop.inputs.put(page.map { .restored($0, downtimeSeconds: downtime) })
            guard page.count == 1_000, let last = page.last else { break }
            place = last.summary.place
        }
    }

    // MARK: - What happens outside

    private func followSession() async throws {
        var wasReady = false
        for await event in session.events {
            switch event {
            case .ready(let node):
                logger.info(
                    "lnd is ready",
                    metadata: ["lnd.node_id": "\(node.nodeID)", "lnd.network": "\(node.network)"]
                )
                nodes.continuation.yield(node.nodeID)
                for room in rooms.values { await room.announceNode() }
                loop.inputs.put(.unblocked(nil))
                await payments.resume()
                await invoices.reconcile()
                // After a start the jobs have been told already.
                if wasReady { try await askAgain(nil) }
                wasReady = true
            case .lost(let error):
                logger.warning("lnd is away", metadata: ["error": "\(error)"])
            case .message(let message): await deliver(message)
            case .messagesReopened: try await askAgain(nil)
            case .invoice(let invoice): await invoices.observe(invoice)
            case .invoicesReopened: await invoices.reconcile()
            case .peerOnline(let peer):
                loop.inputs.put(.unblocked(peer))
                try await askAgain(peer)
                await tell(peer)
            case .peerOffline(let peer): await tell(peer)
            }
        }
    }

    /// Tells a message to its job: errors go to the requester's, cancels to the provider's.
    private func deliver(_ message: InboundMessage) async {
        let inbound = JobMessage(message)
        switch message.type {
        case 42_083, 42_095:
            let key = JobKey(role: .provider, peer: message.peer, id: message.jobID)
            loop.inputs.put(.message(inbound, key))
        default:
            var key = await loop.requesterJob(peer: message.peer, jobID: message.jobID)
            if key == nil {
                // A read that fails loses a message, and the peer is asked again.
                key = try? await journal.job(withWireID: message.jobID, from: message.peer)
            }
            if let key { loop.inputs.put(.message(inbound, key)) }
        }
    }

    /// The requester's jobs of a peer, or of all, may have missed something.
    private func askAgain(_ peer: NodeID?) async throws {
        var place: Int64?
        let stages: [BusJobStage] = [.quoting, .paying, .running, .unanswered]
        while true {
            let page = try await journal.jobs(
                JobFilter(
                    role: .requester,
                    peer: peer,
                    stages: Set(stages.map { UInt8(clamping: $0.rawValue) }),
                    onlyOpen: true
                ),
                before: place,
                limit: 1_000
            )
            loop.inputs.put(page.map { .peerReturned($0.key) })
            guard page.count == 1_000, let last = page.last else { return }
            place = last.place
        }
    }

    private func publishSettlement(_ job: JobKey, _ hash: PaymentHash, _ paid: MilliSatoshi) {
        feeds.publish(
            .with { event in
                event.settlement = .with {
                    $0.job = job.bus
                    $0.paymentHash = Data(hash.bytes.bytes)
                    $0.amountMsat = paid.msat
                }
            }
        )
    }

    private func tell(_ peer: NodeID) async {
        let id = Data(peer.bytes)
        for known in await session.peers() where known.id == id {
            feeds.publish(.with { $0.peer = known })
        }
    }

    private func followPayments() async {
        for await outcome in payments.outcomes {
            switch outcome.result {
            case .inFlight:
                loop.inputs.put(.paymentInFlight(outcome.job, outcome.hash))
            case .succeeded(let preimage, let fee):
                CrashPoint.afterPay.reach()
                loop.inputs.put(
                    .paymentSucceeded(outcome.job, outcome.hash, preimage, fee: fee)
                )
                publish(outcome, succeeded: true, fee: fee, nil)
            case .notIntended:
                loop.inputs.put(.paymentFailed(outcome.job, outcome.hash, .withdrawn, nil))
            case .failed(let cause, let failure):
                let point = cause == .withdrawn ? CrashPoint.afterWithdrawPayment : .afterPay
                point.reach()
                loop.inputs.put(.paymentFailed(outcome.job, outcome.hash, cause, failure))
                publish(outcome, succeeded: false, fee: .zero, failure)
            }
        }
    }

    private func publish(
        _ outcome: PaymentOutcome,
        succeeded: Bool,
        fee: MilliSatoshi,
        _ failure: BusFailure?
    ) {
        feeds.publish(
            .with { event in
                event.payment = .with {
                    $0.job = outcome.job.bus
                    $0.paymentHash = Data(outcome.hash.bytes.bytes)
                    $0.succeeded = succeeded
                    $0.amountMsat = outcome.amount.msat
                    $0.feeMsat = fee.msat
                    if let failure { $0.failure = failure }
                }
            }
        )
    }

    private func followInvoices() async {
        for await outcome in invoices.outcomes {
            switch outcome.result {
            case .created(let added, let terms):
                guard let effect = outcome.effect else { continue }
                loop.inputs.put(
                    .invoiceCreated(
                        outcome.job,
                        effect: effect,
                        terms,
                        paymentRequest: added.paymentRequest
                    )
                )
            case .refused(let failure):
                guard let effect = outcome.effect else { continue }
                loop.inputs.put(.invoiceRefused(outcome.job, effect: effect, failure))
            case .settled(let hash, let amount):
                loop.inputs.put(.invoiceSettled(outcome.job, hash, paid: amount))
                publishSettlement(outcome.job, hash, amount)
            case .notOurs(let hash): loop.inputs.put(.invoiceForeign(outcome.job, hash))
            case .cancelled(let hash): loop.inputs.put(.invoiceCancelled(outcome.job, hash))
            }
        }
    }

    private func followRoom(_ room: WorkerRoom) async {
        for await outcomes in room.outcomes {
            loop.inputs.put(
                outcomes.map { outcome in
                    switch outcome {
                    case .step(let order, let reply): .stepped(order: order, reply)
                    case .computed(let order, let reply): .computed(order: order, reply)
                    case .failed(let order, let failure): .gaveUp(order: order, failure)
                    }
                }
            )
        }
    }

    /// What live provider workers sell is what peers are told.
    private func followOffers() async {
        guard let providers = rooms[.provider] else { return }
        for await offers in providers.capabilityChanges { await session.advertise(offers) }
    }

    // MARK: - Time and upkeep

    private func keepTime() async throws {
        while true {
            let due = try await journal.due(at: Self.now())
            loop.inputs.put([.due(wake: due.wake, answer: due.answer), .tick])
            configuration.notifier.tell(await condition())
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// What the service manager shows: without lnd the bridge is degraded, not failed.
    private func condition() async -> String {
        let link = await session.state
        guard link.name != "ready" else { return "lnd is ready" }
        return "waiting for lnd: \(link.detail.isEmpty ? link.name : link.detail)"
    }

    private func keepHouse() async throws {
        while true {
            let now = Self.now()
            do {
                try await tidy(now)
            } catch {
                guard error.code == .diskFull || error.code == .overloaded else { throw error }
                // The steps that fail for the same reason wait too; room may come back.
                logger.warning("the journal waits for room", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: .seconds(10))
        }
    }

    private func tidy(_ now: UnixTime) async throws(JournalError) {
        let seconds = withUnsafeBytes(of: now.seconds.bigEndian) { Array($0) }
        CrashPoint.beforeKeepAlive.reach()
        try await journal.keep(seconds, asSetting: Self.aliveSetting)
        CrashPoint.afterKeepAlive.reach()
        var isTidy = false
        while !isTidy {
            CrashPoint.beforePrune.reach()
            isTidy = try await journal.prune(configuration.retention, now: now).isEmpty
            CrashPoint.afterPrune.reach()
        }
    }

    // MARK: - Status

    private var query: QueryDoor {
        QueryDoor(
            door: queryDoor,
            watches: watches,
            journal: journal,
            status: { await self.status() },
            peers: { await self.session.peers() },
            workers: {
                var workers: [BusWorker] = []
                for role in WorkerRole.allCases {
                    workers += await self.rooms[role]?.workers() ?? []
                }
                return workers
            }
        )
    }

    private func status() async -> BusStatus {
        let now = Self.now()
        let engine = await loop.status
        let day = UnixTime(seconds: now.seconds > 86_400 ? now.seconds - 86_400 : 0)
        let spending = try? await journal.spending(since: day)
        let link = await session.state
        let node = await session.node
        var counters = engine.counters
        counters.merge(await session.counters) { $0 + $1 }
        counters.merge(await payments.counters) { $0 + $1 }
        counters.merge(await invoices.counters) { $0 + $1 }
        var queued = 0
        for (role, room) in rooms {
            queued += await room.queued
            for (name, count) in await room.counters {
                counters["\(role.rawValue).\(name)"] = count
            }
        }
        counters["feed.dropped"] = feeds.dropped
        counters["journal.not_reconciled"] = journal.isRestored ? 1 : 0
        let (malformed, busy) = queryDoor.counts
        let (malformedControl, busyControl) = control.door.counts
        counters["request.malformed"] = malformed + malformedControl
        counters["request.busy"] = busy + busyControl
        return .with {
            $0.program = configuration.program
            $0.epoch = Data(epoch)
            $0.startedUnix = startedAt.seconds
            $0.lndState = link.name
            $0.lndDetail = link.detail
            if let node {
                $0.nodeID = Data(node.nodeID.bytes)
                $0.network = node.network
            }
            $0.openJobs = UInt32(clamping: engine.open)
            $0.parkedJobs = UInt32(clamping: engine.parked)
            $0.queuedItems = UInt32(clamping: queued)
            $0.spentTodayMsat = spending?.committed.msat ?? 0
            $0.dailyBudgetMsat = configuration.money.dailyBudget.msat
            $0.reservedMsat = spending?.reserved.msat ?? 0
            $0.counters = counters.filter { $0.value > 0 }
        }
    }
}

extension JobMessage {
    fileprivate init(_ message: InboundMessage) {
        self.init(
            peer: message.peer,
            type: message.type,
            protocolVersion: message.protocolVersion,
            jobID: message.jobID,
            messageID: message.messageID,
            expiresAt: message.effectiveExpiry,
            payload: message.payload
        )
    }
}

extension InboundMessage {
    /// The message as the session gave it, for an answer to it.
    init(_ message: JobMessage) {
        self.init(
            peer: message.peer,
            type: message.type,
            protocolVersion: message.protocolVersion,
            jobID: message.jobID,
            messageID: message.messageID,
            effectiveExpiry: message.expiresAt,
            payload: message.payload,
            replayQuota: .max
        )
    }
}

extension BusFeedMessage {
    fileprivate init(_ record: FeedRecord) {
        self = .with {
            $0.peer = Data(record.peer.bytes)
            $0.outbound = record.isOutbound
            $0.type = UInt32(record.type)
            $0.payload = Data(record.payload)
        }
    }
}
