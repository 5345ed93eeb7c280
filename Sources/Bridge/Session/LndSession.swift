package import BridgeProtocol
package import Journal
import LCPWire
package import LightningTypes
package import LndRPC
package import Logging
import SwiftProtobuf

/// The bridge's session with lnd: its streams, its peers, and which of their messages count.
///
/// Everything lnd tells goes through here. Decisions are made by the pure parts (``LndLink``,
/// ``PeerDirectory``, ``MessageGate``, ``ManifestDesk``, ``SendLanes``); this actor asks lnd, keeps
/// their state and never waits in between, so that a reader of a stream does nothing but hand over.
package actor LndSession {
    /// What the engine hears, in bounded memory; for one reader, and ends with ``run()``.
    package nonisolated let events: SessionEvents

    let lnd: Lnd
    let journal: Journal
    let settings: SessionSettings
    let feed: @Sendable (FeedRecord) -> Void
    let isPaid: @Sendable (NodeID, Bytes32) -> Bool
    let confirm: @Sendable (NodeInfo) async throws -> Void
    let logger: Logger
    let now: @Sendable () -> UnixTime
    let queue: EventQueue

    var link: LndLink
    var directory = PeerDirectory()
    var keptPeers: KeptPeers
    var desk: ManifestDesk
    var gate: MessageGate
    var lanes: SendLanes
    var turns: [SendLanes.Ticket: CheckedContinuation<Void, Never>] = [:]
    var counts = SessionCounters()
    /// What is to be written to the journal, each thing once.
    var unkept = Unkept()
    /// Manifests, refusals and disconnections of the session's own that are under way.
    var ownWork = 0
    /// The streams that gave something since they were opened.
    var lively: Set<LndLink.Stream> = []

    nonisolated let works: AsyncStream<Work>.Continuation
    private let workStream: AsyncStream<Work>
    nonisolated let writes: AsyncStream<Void>.Continuation
    let writeStream: AsyncStream<Void>

    /// Takes what the session needs; nothing happens before ``run()``.
    ///
    /// - Parameters:
    ///   - lnd: The client, whose own `run()` is the caller's to keep running.
    ///   - journal: Where manifests, offers and the replay window are kept.
    ///   - settings: What an operator may set.
    ///   - confirm: Throws when this is not the journal's node; asked before anything else of lnd
    ///     is used.
    ///   - isPaid: Whether a job of a peer's, by its job_id on the wire, is being paid or is paid;
    ///     asked for every message, must return at once and not call back.
    ///   - feed: Told every custom message in and out; must return at once.
    ///   - logger: Where notices go.
    ///   - now: The wall clock.
    package init(
        lnd: Lnd,
        journal: Journal,
        settings: SessionSettings,
        confirm: @escaping @Sendable (NodeInfo) async throws -> Void,
        isPaid: @escaping @Sendable (NodeID, Bytes32) -> Bool = { _, _ in false },
        feed: @escaping @Sendable (FeedRecord) -> Void,
        logger: Logger,
        now: @escaping @Sendable () -> UnixTime
    ) {
        self.lnd = lnd
        self.journal = journal
        self.settings = settings
        self.confirm = confirm
        self.isPaid = isPaid
        self.feed = feed
        self.logger = logger
        self.now = now
        queue = EventQueue(
            EventQueue.Bounds(
                messagesPerPeer: settings.queuedPerPeer,
                messages: settings.queuedTotal,
                paidReserve: settings.queuedPaidReserve,
                invoices: settings.queuedInvoices
            )
        )
        events = SessionEvents(queue: queue)
        link = LndLink(firstPause: settings.firstPause, longestPause: settings.longestPause)
        keptPeers = KeptPeers(settings.keptPeers)
        desk = ManifestDesk(settings)
        gate = MessageGate(settings, at: .now)
        lanes = SendLanes(
            callsPerPeer: settings.sendsPerPeer,
            waitingPerPeer: settings.waitingSendsPerPeer
        )
        (workStream, works) = AsyncStream.makeStream()
        // One signal stands for everything unwritten.
        (writeStream, writes) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Keeps the session until the task is cancelled; once only.
    ///
    /// - Throws: What `confirm` throws about another node; `JournalError` when
    ///   the journal can't be read; `LndError` with code `closed` when the client was shut down;
    ///   `CancellationError`.
    package func run() async throws {
        defer { queue.finish() }
        do {
            try await load()
            try await work()
        } catch {
            // Whatever ends first when the task is cancelled, it is the cancellation that counts.
            try Task.checkCancellation()
            throw error
        }
        try Task.checkCancellation()
    }

    private func work() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await self.keepRecords() }
            group.addTask { try await self.lookNowAndThen() }
            group.addTask { try await self.keepPeers() }
            works.yield(.link(LndLink.first, life: link.life))
            for await work in workStream {
                if case .happened(let event, let life) = work {
                    happened(event, of: life)
                    continue
                }
                group.addTask {
                    do {
                        try await self.perform(work)
                    } catch {
                        // A child's error cancels its siblings, but not this loop.
                        self.works.finish()
                        throw error
                    }
                }
            }
            group.cancelAll()
        }
    }

    // MARK: What is known

    /// Where the connection to lnd stands, in words.
    package var state: LndLinkStatus { link.status }

    /// Who the node is; nil until lnd has said, and while it is away.
    package var node: NodeInfo? { link.node }

    /// Everything counted since the start, by its stable name.
    package var counters: [String: UInt64] { counts.byName }

    /// What is known of a peer at this moment.
    package func facts(of peer: NodeID) -> PeerFactsNow {
        PeerFactsNow(
            connected: directory.isConnected(peer),
            hasChannel: directory.hasChannel(with: peer),
            maxPayloadBytes: desk.maxPayloadBytes(of: peer),
            requestsLastMinute: gate.requests.requests(of: peer, at: now())
        )
    }

    /// What is known of several peers at this moment.
    package func facts(of peers: Set<NodeID>) -> [NodeID: PeerFactsNow] {
        var facts: [NodeID: PeerFactsNow] = [:]
        for peer in peers { facts[peer] = self.facts(of: peer) }
        return facts
    }

    /// The peers that are connected and those whose manifest is known, by their ids, part by part.
    ///
    /// Each has as many offers as its manifest holds, and strangers send manifests.
    ///
    /// - Parameters:
    ///   - last: The last peer of the part before; nil for the first part.
    ///   - bytes: About how many bytes to end at.
    /// - Returns: The next peers, and whether there are more.
    package func peers(after last: NodeID?, bytes: Int) -> (peers: [BusPeer], hasMore: Bool) {
        var peers: [BusPeer] = []
        var size = 0
        for peer in Set(directory.connected).union(desk.peers).sorted() {
            if let last, peer <= last { continue }
            guard size < bytes else { return (peers, true) }
            let known = describe(peer)
            size += known.roughSize
            peers.append(known)
        }
        return (peers, false)
    }

    /// A peer that is connected or whose manifest is known; nil for any other.
    package func peer(_ peer: NodeID) -> BusPeer? {
        guard directory.isConnected(peer) || desk.kept(peer) != nil else { return nil }
        return describe(peer)
    }

    /// Counts a message that turned out to be for no job of ours.
    package func countUnknownJob() { counts.count(.unknownJob) }

    // MARK: What the engine orders

    /// Takes the task set of the live provider workers, for manifests.
    ///
    /// It is kept for the next start. An empty one changes nothing: workers that restart have not
    /// stopped selling.
    ///
    /// - Parameter offers: What the workers sell; those that make no valid template are left out.
    package func advertise(_ offers: [BusCapability]) {
        guard let (kept, waiting) = desk.advertise(offers) else { return }
        unkept.offers = kept
        writes.yield()
        for peer in waiting { begin(.sendManifest(peer)) }
    }

    /// Connects to a peer; one that is connected already is no error.
    ///
    /// - Parameters:
    ///   - peer: The peer.
    ///   - address: `host` or `host:port`.
    /// - Returns: The peer as it is then.
    /// - Throws: `LndError`.
    package func connect(_ peer: NodeID, address: String) async throws(LndError) -> BusPeer {
        keptPeers.want(peer)
        _ = try await lnd.connectPeer(peer, address: address)
        try await look()
        return describe(peer)
    }

    /// Disconnects a peer, and does not connect to it again by itself.
    ///
    /// - Parameter peer: The peer.
    /// - Returns: The peer as it is then.
    /// - Throws: `LndError`: `hasActiveChannels`, `peerNotConnected`.
    package func disconnect(_ peer: NodeID) async throws(LndError) -> BusPeer {
        keptPeers.leaveAlone(peer)
        do throws(LndError) {
            try await lnd.disconnectPeer(peer)
        } catch {
            // One that is away anyhow is still to be left alone.
            if error.code != .peerNotConnected { keptPeers.want(peer) }
            throw error
        }
        try await look()
        return describe(peer)
    }

    private func describe(_ peer: NodeID) -> BusPeer {
        var bus = BusPeer.with {
            $0.id = .init(peer.bytes)
            $0.address = directory.address(of: peer)
            $0.connected = directory.isConnected(peer)
            $0.hasChannel_p = directory.hasChannel(with: peer)
        }
        desk.describe(peer, in: &bus)
        return bus
    }
}

extension BusPeer {
    /// At least as many bytes as it has when it is written.
    fileprivate var roughSize: Int {
        offers.reduce(256 + address.utf8.count) {
            $0 + $1.taskKind.utf8.count + $1.profile.utf8.count + 16
        }
    }
}
