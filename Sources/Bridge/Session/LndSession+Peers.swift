import CrashPoints
import Journal
import LCPWire
import LightningTypes
import LndRPC
import Logging

extension LndSession {
    /// What is to be written to the journal.
    struct Unkept: Sendable {
        var manifests: Set<NodeID> = []
        var offers: [UInt8]?
    }

    /// Takes a peer event from lnd's stream; never waits.
    func received(_ event: PeerEvent) {
        lively.insert(.peers)
        switch event.kind {
        case .online:
            if let news = directory.online(event.nodeID, at: .now) { took([news]) }
        case .offline:
            directory.offline(event.nodeID)
            happened(.doubted, of: link.life)
        }
    }

    /// Asks lnd for peers and channels and tells what changed.
    func look() async throws(LndError) {
        let life = link.life
        let number = directory.ask()
        let peers = try await lnd.listPeers()
        let channels = Set(try await lnd.listChannels().map(\.peer))
        guard life == link.life else { return }
        let news = directory.take(
            peers,
            channels: channels,
            number: number,
            isFirst: !link.isReady,
            at: .now
        )
        // At the first look of a life `ready` says it all, and goes first.
        took(news, tellsCame: link.isReady)
    }

    /// Acts on what changed among the peers.
    func took(_ news: [PeerDirectory.News], tellsCame: Bool = true) {
        for change in news {
            switch change {
            case .came(let peer, let arrival):
                if tellsCame { queue.post(.peerOnline(peer)) }
                if desk.connected(peer, arrival, at: now()) { begin(.sendManifest(peer)) }
            case .went(let peer):
                desk.disconnected(peer)
                queue.post(.peerOffline(peer))
            }
        }
    }

    // MARK: Peers that are kept

    /// Connects to the peers that are to be kept, whenever one is away.
    func keepPeers() async throws {
        guard !keptPeers.peers.isEmpty else { return }
        try await withThrowingDiscardingTaskGroup { group in
            while true {
                if link.isReady {
                    let due = keptPeers.due(at: .now) { directory.isConnected($0) }
                    for peer in due { group.addTask { await self.connect(toKept: peer) } }
                }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func connect(toKept peer: PeerAddress) async {
        counts.count(.connectTried)
        var failure: LndError?
        do throws(LndError) {
            _ = try await lnd.connectPeer(peer.peer, address: peer.address)
            try await look()
        } catch {
            failure = error
            counts.count(.connectFailed)
        }
        let attempts = keptPeers.tried(peer.peer, at: .now, jitter: .random(in: 0..<1))
        // One line a spell of failures: an absent provider is not news every minute.
        guard let failure, attempts == 1 else { return }
        logger.notice(
            "peer not reached; trying on",
            metadata: ["peer.node_id": "\(peer.peer)", "lnd.error": "\(failure)"]
        )
    }

    // MARK: Manifests

    func receivedManifest(_ payload: [UInt8], from peer: NodeID) {
        guard let reception = desk.received(payload, from: peer, at: now()) else {
            counts.count(.manifestMalformed)
            return
        }
        counts.count(.manifestReceived)
        unkept.manifests.formUnion([peer, reception.forgotten].compactMap(\.self))
        if reception.isNew { writes.yield() }
        if reception.wantsOurs { begin(.sendManifest(peer)) }
    }

    func sendManifest(to peer: NodeID) async {
        do throws(SendError) {
            CrashPoint.beforeSendManifest.reach()
            try await send(manifest(for: peer))
            CrashPoint.afterSendManifest.reach()
            counts.count(.manifestSent)
        } catch {
            desk.notSent(to: peer)
            logger.debug("manifest not sent", metadata: ["peer.node_id": "\(peer)"])
        }
    }

    /// Our manifest as a peer gets it now.
    func manifest(for peer: NodeID) -> OutboundMessage {
        OutboundMessage(
            peer: peer,
            type: V01.MessageType.manifest.rawValue,
            jobID: .zero,
            payload: desk.payload(for: peer)
        )
    }

    // MARK: The journal

    /// Reads what the journal kept from the last run.
    func load() async throws(JournalError) {
        var entries: [ReplayEntry] = []
        repeat {
            entries = try await journal.replayEntries(at: now(), after: entries.last)
            for entry in entries { gate.replay.load(entry) }
        } while !entries.isEmpty
        var manifests: [PeerManifest] = []
        repeat {
            manifests = try await journal.manifests(after: manifests.last?.peer)
            unkept.manifests.formUnion(desk.load(manifests))
        } while !manifests.isEmpty
        if !unkept.manifests.isEmpty { writes.yield() }
        if let offers = try await journal.setting(Self.offersSetting) { desk.loadOffers(offers) }
        if desk.templates == nil { works.yield(.awaitOffers) }
    }

    /// Writes what changed, one thing after the other.
    func keepRecords() async {
        for await _ in writeStream {
            let offers = unkept.offers.take()
            let peers = unkept.manifests
            unkept.manifests = []
            do throws(JournalError) {
                if let offers {
                    CrashPoint.beforeKeepOffers.reach()
                    try await journal.keep(offers, asSetting: Self.offersSetting)
                    CrashPoint.afterKeepOffers.reach()
                }
                for peer in peers.sorted() {
                    CrashPoint.beforeKeepManifest.reach()
                    defer { CrashPoint.afterKeepManifest.reach() }
                    if let manifest = desk.kept(peer) {
                        try await journal.keep(manifest)
                    } else {
                        try await journal.forgetManifest(of: peer)
                    }
                }
            } catch {
                // Costs a restart some knowledge, no money; the engine minds a failing journal.
                counts.count(.notKept)
                logger.warning("manifests not kept", metadata: ["journal.error": "\(error)"])
            }
        }
    }

    private static let offersSetting = "session.offers"
}
