import BOLT11
import Bridge
import BridgeProtocol
import Foundation
import Journal
import LCPTesting
import LightningTypes
import LndRPC
import LndSim
import Logging
import Synchronization
import Testing

/// A clock that tests put forward; it stands still otherwise.
final class MoneyClock: Sendable {
    private let seconds: Mutex<UInt64>

    init(_ start: UInt64 = systemTime().unix.seconds) { seconds = Mutex(start) }

    var now: UnixTime { UnixTime(seconds: seconds.withLock { $0 }) }

    func advance(bySeconds delta: UInt64) { seconds.withLock { $0 += delta } }
}

/// Two simulated nodes, alice who pays and bob who is paid, and a journal.
struct MoneyBench: Sendable {
    let simnet: Simnet
    let alice: Lnd
    let bob: Lnd
    let aliceNode: Simnet.Node
    let bobID: NodeID
    let clock: MoneyClock
    let journalPath: String

    /// Serves the network for the time of a test.
    static func run(_ body: @escaping @Sendable (MoneyBench) async throws -> Void) async throws {
        let directory = "\(FileManager.default.temporaryDirectory.path)/money-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let clock = MoneyClock()
        let simnet = try await Simnet(
            SimnetOptions(
                directory: directory,
                nodes: ["alice", "bob"],
                channels: [try #require(ChannelOption("alice:bob:10000000"))]
            ),
            clock: { NetworkTime(clock.now) }
        )
        let (summaries, ready) = AsyncStream<Simnet.Summary>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await simnet.run { ready.yield($0) } }
            group.addTask {
                for await summary in summaries {
                    try await serve(summary, simnet, clock, directory, body)
                    return
                }
            }
            // Whichever ends first, test or server, ends the other.
            try await group.next()
            group.cancelAll()
        }
    }

    private static func serve(
        _ summary: Simnet.Summary,
        _ simnet: Simnet,
        _ clock: MoneyClock,
        _ directory: String,
        _ body: @escaping @Sendable (MoneyBench) async throws -> Void
    ) async throws {
        let (alice, bob) = (try client(of: summary.nodes[0]), try client(of: summary.nodes[1]))
        let bench = MoneyBench(
            simnet: simnet,
            alice: alice,
            bob: bob,
            aliceNode: summary.nodes[0],
            bobID: try #require(NodeID(hex: summary.nodes[1].pubkey)),
            clock: clock,
            journalPath: directory + "/journal"
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in [alice, bob] { group.addTask { try await client.run() } }
            for client in [alice, bob] { try await client.waitUntilReady { _ in } }
            try await body(bench)
            for client in [alice, bob] { client.beginGracefulShutdown() }
        }
    }

    static func client(of node: Simnet.Node, macaroon: String? = nil) throws -> Lnd {
        Lnd(
            try LndConnection(
                address: node.rpcAddress,
                certificatePath: node.tlsCert,
                macaroonPath: macaroon ?? node.macaroon
            )
        )
    }

    // MARK: The network

    /// Changes one node of the network.
    func change(
        _ name: String = "alice",
        _ body: @Sendable (inout SimulatedNetwork, NodeHandle) -> Void
    ) async throws {
        try await simnet.change { network throws(LndFault) in
            guard let node = network.node(named: name) else { throw .unavailable }
            body(&network, node)
        }
    }

    func fail(_ fault: PaymentFault, count: Int = 1) async throws {
        try await change { $0.failNextPayments(fault, count: count, of: $1) }
    }

    func release(succeed: Bool) async throws {
        try await change { $0.releaseHungPayments(of: $1, succeed: succeed) }
    }

    /// How often alice was asked to pay, refused calls included.
    func sends() async -> UInt64 {
        await simnet.calls(of: "alice")["/routerrpc.Router/SendPaymentV2"] ?? 0
    }

    /// Waits until a payment of alice's is on its way.
    func untilInFlight() async throws {
        try await until {
            try await alice.listPayments(includesIncomplete: true)
                .elements.contains { $0.status == .inFlight }
        }
    }

    // MARK: The journal

    func openJournal() throws -> Journal {
        try Journal(path: journalPath, options: Journal.Options(network: "regtest"))
    }

    static func job(_ number: Int, peer: NodeID, role: JobKey.Role = .requester) -> JobKey {
        var random = SeededGenerator(seed: UInt64(number))
        return JobKey(role: role, peer: peer, id: Bytes32(random.bytes(32)) ?? .zero)
    }

    /// Some node that nobody talks to.
    static let samplePeer: NodeID = {
        guard let peer = NodeID([2] + Bytes32.zero.bytes) else {
            preconditionFailure("33 bytes that begin with 2")
        }
        return peer
    }()

    func add(_ job: JobKey, to journal: Journal) async throws {
        let consent = Fact.authorised(.totalSupply)
        try await journal.commit(
            Step(job: job, version: 0, at: clock.now, state: [1], facts: [consent])
        )
    }

    // MARK: Buying

    var rules: MoneyRules { MoneyRules(network: .regtest) }

    /// An invoice of bob's and the order to pay it.
    func order(_ msat: UInt64 = 5000, seconds: UInt64 = 600) async throws -> BusPay {
        let terms = Bytes32.zero
        let added = try await bob.addInvoice(
            NewInvoice(
                amount: MilliSatoshi(msat: msat),
                description: .hash(terms),
                expirySeconds: UInt32(seconds)
            )
        )
        var pay = BusPay()
        pay.paymentRequest = added.paymentRequest.reveal("the test pays it")
        pay.amountMsat = msat
        pay.paymentHash = Data(added.paymentHash.bytes.bytes)
        pay.descriptionHash = Data(terms.bytes)
        pay.expiryUnix = clock.now.seconds + seconds
        pay.notAfterUnix = clock.now.seconds + seconds / 2
        pay.profile = "test"
        return pay
    }

    /// Commits the intent to pay a new invoice of bob's, for a new job.
    func intend(
        _ number: Int = 1,
        _ journal: Journal,
        seconds: UInt64 = 600
    ) async throws -> (job: JobKey, hash: PaymentHash, pay: BusPay) {
        let job = Self.job(number, peer: bobID)
        let pay = try await order(seconds: seconds)
        try await add(job, to: journal)
        let decision = try rules.decide(
            pay,
            job: job,
            ceiling: MilliSatoshi(msat: pay.amountMsat),
            now: clock.now
        ).get()
        try await journal.record([decision.fact], for: job, at: clock.now)
        return (job, decision.intent.hash, pay)
    }

    var deskSettings: PaymentDesk.Settings {
        var settings = PaymentDesk.Settings()
        settings.asksPerSecond = 500
        settings.backoff = RetryBackoff(first: .milliseconds(5), limit: .milliseconds(20))
        settings.noticeAfter = .milliseconds(20)
        return settings
    }

    /// Runs a payment desk for the time of a closure: one life of the bridge's process.
    func withDesk(
        _ journal: Journal,
        rules: MoneyRules? = nil,
        lnd: Lnd? = nil,
        _ body: @escaping @Sendable (PaymentDesk, inout News<PaymentOutcome>) async throws -> Void
    ) async throws {
        let desk = PaymentDesk(
            lnd: lnd ?? alice,
            journal: journal,
            rules: rules ?? self.rules,
            settings: deskSettings,
            now: { clock.now },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await desk.run() }
            var news = News(desk.outcomes)
            try await body(desk, &news)
            group.cancelAll()
        }
    }

    /// Runs an invoice desk on bob for the time of a closure.
    func withInvoiceDesk(
        _ journal: Journal,
        now: (@Sendable () -> UnixTime)? = nil,
        _ body:
            @escaping @Sendable (InvoiceDesk, inout News<InvoiceOutcome>) async throws -> Void
    ) async throws {
        var settings = InvoiceDesk.Settings()
        settings.lookupsPerSecond = 500
        settings.backoff = RetryBackoff(first: .milliseconds(5), limit: .milliseconds(20))
        let desk = InvoiceDesk(
            lnd: bob,
            journal: journal,
            settings: settings,
            now: now ?? { clock.now },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await desk.run() }
            var news = News(desk.outcomes)
            try await body(desk, &news)
            group.cancelAll()
        }
    }
}

/// Reads a desk's news one by one.
struct News<Element: Sendable> {
    private var iterator: AsyncStream<Element>.AsyncIterator

    init(_ stream: AsyncStream<Element>) { iterator = stream.makeAsyncIterator() }

    /// The next one; the suite's time limit ends a wait in vain.
    mutating func next(sourceLocation: SourceLocation = #_sourceLocation) async throws -> Element {
        try #require(await iterator.next(), sourceLocation: sourceLocation)
    }
}

extension News<PaymentOutcome> {
    /// The next one that is an end, however slow this machine is.
    mutating func ending(
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> PaymentOutcome {
        while true {
            let outcome = try await next(sourceLocation: sourceLocation)
            if outcome.result != .inFlight { return outcome }
        }
    }
}

/// Waits for what another task is about to bring about.
func until(_ condition: () async throws -> Bool) async throws {
    while try await !condition() {
        try Task.checkCancellation()
        await Task.yield()
    }
}
