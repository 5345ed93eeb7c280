import Bridge
import Foundation
import GRPCNGHTTP2
import Journal
import LightningTypes
import LndRPC
import LndSim
import Logging
import Synchronization

/// A simulated network in this process, and what a test of a session at one of its nodes needs.
struct SessionNet: Sendable {
    let simnet: Simnet
    let nodes: [String: Simnet.Node]
    let clients: [String: Lnd]
    let directory: String

    struct Missing: Error {}

    func client(_ name: String) throws -> Lnd {
        guard let client = clients[name] else { throw Missing() }
        return client
    }

    func id(_ name: String) throws -> NodeID {
        guard let id = nodes[name].flatMap({ NodeID(hex: $0.pubkey) }) else { throw Missing() }
        return id
    }

    func address(_ name: String) throws -> String {
        guard let node = nodes[name] else { throw Missing() }
        return node.p2pAddress
    }

    /// Changes the network as a fault would.
    func change<Result: Sendable>(
        _ name: String,
        _ body: @escaping @Sendable (inout SimulatedNetwork, NodeHandle) -> Result
    ) async throws -> Result {
        let id = try id(name)
        guard
            let result = await simnet.change({ network -> Result? in
                guard let node = network.node(id) else { return nil }
                return body(&network, node)
            })
        else { throw Missing() }
        return result
    }

    /// Returns when so many server streams of a node are open: lnd acknowledges none.
    func streams(_ count: Int, of name: String) async throws {
        while try await change(name, { $0.streamCount(of: $1) }) != count { await Task.yield() }
    }

    /// Returns when somebody reads the custom messages of a node.
    func sends(_ payload: [UInt8], _ type: UInt16, from: String, to: String) async throws {
        let message = PeerMessage(peer: try id(to), type: type, data: payload)
        try await client(from).sendCustomMessage(message)
    }

    func openJournal(_ name: String = "journal") throws -> Journal {
        try Journal(
            path: "\(directory)/\(name)",
            options: Journal.Options(network: "regtest")
        )
    }
}

/// Serves a network, with a client connected to each node, for the time of a test.
func withSessionNet(
    _ nodes: [String] = ["alice", "bob"],
    _ channels: [String] = ["alice:bob:1000000"],
    _ body: @escaping @Sendable (SessionNet) async throws -> Void
) async throws {
    let directory =
        "\(FileManager.default.temporaryDirectory.path)/session-\(UUID().uuidString.prefix(8))"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let simnet = try await Simnet(
        SimnetOptions(
            directory: directory,
            nodes: nodes,
            channels: channels.compactMap(ChannelOption.init)
        )
    )
    let (summaries, ready) = AsyncStream<Simnet.Summary>.makeStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await simnet.run { ready.yield($0) } }
        group.addTask {
            for await summary in summaries {
                try await withClients(of: simnet, summary, directory, body)
                return
            }
        }
        // Whichever ends first, test or server, ends the other.
        try await group.next()
        group.cancelAll()
    }
}

private func withClients(
    of simnet: Simnet,
    _ summary: Simnet.Summary,
    _ directory: String,
    _ body: @escaping @Sendable (SessionNet) async throws -> Void
) async throws {
    var nodes: [String: Simnet.Node] = [:]
    var clients: [String: Lnd] = [:]
    for node in summary.nodes {
        nodes[node.name] = node
        clients[node.name] = Lnd(
            try LndConnection(
                address: node.rpcAddress,
                certificatePath: node.tlsCert,
                macaroonPath: node.macaroon
            )
        )
    }
    let net = SessionNet(simnet: simnet, nodes: nodes, clients: clients, directory: directory)
    try await withThrowingTaskGroup(of: Void.self) { group in
        for client in clients.values { group.addTask { try await client.run() } }
        for client in clients.values { try await client.waitUntilReady { _ in } }
        try await body(net)
        group.cancelAll()
        while await group.nextResult() != nil {}
    }
}

/// A session under test, with what it told.
struct SessionUnderTest: Sendable {
    let session: LndSession
    let journal: Journal
    let feed: FeedLog

    /// Reads events until one is what was waited for.
    func first<Found: Sendable>(_ pick: @Sendable (SessionEvent) -> Found?) async throws -> Found {
        for await event in session.events {
            if let found = pick(event) { return found }
        }
        throw CancellationError()
    }

    func ready() async throws -> NodeInfo {
        try await first { event -> NodeInfo? in
            if case .ready(let node) = event { node } else { nil }
        }
    }

    func message() async throws -> InboundMessage {
        try await first { event -> InboundMessage? in
            if case .message(let message) = event { message } else { nil }
        }
    }

    func count(_ counter: SessionCounter) async -> UInt64 {
        await session.counters[counter.rawValue] ?? 0
    }

    /// Returns when a counter has come so far.
    func reaches(_ count: UInt64, _ counter: SessionCounter) async {
        while await self.count(counter) < count { await Task.yield() }
    }
}

/// What a session told observers, and a way to wait for it.
final class FeedLog: Sendable {
    private let log = Mutex<[FeedRecord]>([])

    func add(_ record: FeedRecord) { log.withLock { $0.append(record) } }

    var records: [FeedRecord] { log.withLock { $0 } }
}

/// Runs a session at a node for the time of a closure.
func withSession(
    at name: String,
    of net: SessionNet,
    journal: Journal? = nil,
    settings: SessionSettings = .quick,
    isPaid: @escaping @Sendable (NodeID, Bytes32) -> Bool = { _, _ in false },
    now: @escaping @Sendable () -> UnixTime = { SessionSample.now },
    _ body: @escaping @Sendable (SessionUnderTest) async throws -> Void
) async throws {
    let feed = FeedLog()
    let journal = try journal ?? net.openJournal("journal-\(name)")
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let identity = try await NodeIdentity(journal, expected: nil)
    let session = LndSession(
        lnd: try net.client(name),
        journal: journal,
        settings: settings,
        confirm: { try await identity.confirm($0) },
        isPaid: isPaid,
        feed: { feed.add($0) },
        logger: logger,
        now: now
    )
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await session.run() }
        group.addTask {
            try await body(SessionUnderTest(session: session, journal: journal, feed: feed))
        }
        try await group.next()
        group.cancelAll()
        while await group.nextResult() != nil {}
    }
}

extension SessionSettings {
    /// Settings that wait for nothing a test does not mean.
    static var quick: SessionSettings {
        var settings = SessionSettings()
        settings.firstPause = .milliseconds(5)
        settings.longestPause = .milliseconds(50)
        settings.offersPatience = .zero
        return settings
    }
}
