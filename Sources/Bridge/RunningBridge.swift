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
    let configuration: Bridge.Configuration
    let logger: Logger
    let epoch: [UInt8]
    let startedAt: UnixTime

    let context: Context
    let journal: Journal
    let identity: NodeIdentity
    let lnd: Lnd
    let session: LndSession
    let rooms: [WorkerRole: WorkerRoom]
    let payments: PaymentDesk
    let invoices: InvoiceDesk
    let loop: EngineLoop
    let feeds: Feeds
    let watches: Watches
    let control: ControlDoor
    let queryDoor: RequestDoor
    let feedSockets: (messages: PubSocket, events: PubSocket)
    /// Which node lnd is, each time it is ready; for a restored journal.
    let nodes = AsyncStream<NodeID>.makeStream(bufferingPolicy: .bufferingNewest(1))

    static let aliveSetting = "bridge.alive"
    static let secretSetting = "bridge.submission_secret"

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
    static func secret(_ journal: Journal) async throws -> Redacted<[UInt8]> {
        if let known = try await journal.setting(secretSetting) { return Redacted(known) }
        let secret = Bytes32.random().bytes
        CrashPoint.beforeKeepSecret.reach()
        try await journal.keep(secret, asSetting: secretSetting)
        CrashPoint.afterKeepSecret.reach()
        return Redacted(secret)
    }

    /// The money rules, on the network that lnd is on.
    static func rule(_ money: MoneyRules, _ identity: NodeIdentity) -> Engine.PaymentRule {
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

    func runParts() async throws {
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
    func reconcile() async throws {
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
    func restore() async throws {
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
}
