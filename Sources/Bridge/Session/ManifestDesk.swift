import BridgeProtocol
import Journal
import LCPWire
import LightningTypes
import SwiftProtobuf

/// Whose manifests are known, whom ours was sent, and what it says (LCP v0.1 §5.1).
///
/// Pure, in bounded memory. A connection gets our manifest once: when it begins, or in answer. One
/// exception, at most once in ten minutes: ours is sent again to a peer that seems to have missed
/// it, since lnd keeps nothing for a bridge that is not there. Its sign is a manifest that is
/// repeated, or comes late, or comes over a connection whose beginning we missed ourselves.
struct ManifestDesk: Sendable {
    /// What became of a manifest.
    struct Reception: Hashable, Sendable {
        /// Whether the journal must keep it: it is new or differs.
        var isNew: Bool
        /// The peer whose manifest was given up to make room.
        var forgotten: NodeID?
        /// Whether to send ours now.
        var wantsOurs: Bool
    }

    private struct Record: Sendable {
        var manifest: V01.Manifest
        var kept: PeerManifest
    }

    /// What was said over one connection.
    private struct Connection: Sendable {
        var isSent = false
        var hasHeard = false
        var sentAt: UnixTime?
        /// Whether both sides were told when it began.
        var sawBeginning = false
    }

    /// Who is there when a connection begins speaks within so many seconds.
    private static let promptSeconds: UInt64 = 10

    private let settings: SessionSettings
    private var records: [NodeID: Record] = [:]
    private var connections: [NodeID: Connection] = [:]
    /// The tasks we sell; nil until a provider worker or the journal has said.
    private(set) var templates: [V01.TaskTemplate]?
    /// Peers whose manifest waits for the task set; nil when nothing waits any more.
    private var held: Set<NodeID>? = []
    /// Peers of whom a quote was asked; they get no task set.
    private var sellers: Set<NodeID> = []

    /// Knows nobody yet.
    init(_ settings: SessionSettings) { self.settings = settings }

    // MARK: Peers

    /// Takes manifests as they stand in the journal.
    ///
    /// - Parameter manifests: Some of them.
    /// - Returns: The peers whose manifest can't be read or has no room, to be forgotten.
    mutating func load(_ manifests: [PeerManifest]) -> [NodeID] {
        manifests.compactMap { kept in
            guard records.count < settings.rememberedPeers,
                let manifest = try? V01.Manifest.codec.decode(kept.bytes[...])
            else { return kept.peer }
            records[kept.peer] = Record(manifest: manifest, kept: kept)
            return nil
        }
    }

    /// Takes note of a connection.
    ///
    /// - Parameters:
    ///   - peer: The peer.
    ///   - arrival: What is known of its beginning. One that may be known counts as new only if
    ///     ours was not sent in the last ten minutes.
    ///   - now: The wall clock.
    /// - Returns: Whether to send ours now.
    mutating func connected(
        _ peer: NodeID,
        _ arrival: PeerDirectory.Arrival,
        at now: UnixTime
    ) -> Bool {
        var connection = Connection(sawBeginning: arrival == .now)
        if arrival == .perhaps, let before = connections[peer] {
            connection.sentAt = before.sentAt
            connection.isSent = before.isSent && !isOver(before.sentAt, at: now)
        }
        connections[peer] = connection
        // LCP v0.1 §5.1 [manifest-once]
        guard settings.sendsManifestFirst, !connection.isSent else { return false }
        return wantToSend(peer, at: now)
    }

    /// Takes note that a peer is gone; its manifest stays.
    mutating func disconnected(_ peer: NodeID) {
        connections[peer] = nil
        held?.remove(peer)
    }

    /// Takes a peer's manifest; the last one counts.
    ///
    /// - Parameters:
    ///   - payload: The message's payload.
    ///   - peer: Who sent it.
    ///   - now: The wall clock.
    /// - Returns: What became of it; nil when it can't be read.
    mutating func received(
        _ payload: [UInt8],
        from peer: NodeID,
        at now: UnixTime
    ) -> Reception? {
        guard let manifest = try? V01.Manifest.codec.decode(payload[...]) else { return nil }
        let before = records[peer]
        var reception = Reception(
            isNew: before?.kept.bytes != payload,
            forgotten: before == nil ? makeRoom() : nil,
            wantsOurs: false
        )
        records[peer] = Record(
            manifest: manifest,
            kept: PeerManifest(
                peer: peer,
                receivedAt: now,
                answeredAt: before?.kept.answeredAt,
                bytes: payload
            )
        )
        let connection = connections[peer] ?? Connection()
        connections[peer, default: Connection()].hasHeard = true
        let isLate = connection.sentAt.map {
            now >= $0.advanced(bySeconds: Self.promptSeconds)
        }
        let hasMissedOurs = connection.hasHeard || !connection.sawBeginning || isLate == true
        let mayRepeat = hasMissedOurs && isOver(before?.kept.answeredAt, at: now)
        if !connection.isSent || mayRepeat {
            reception.wantsOurs = wantToSend(peer, at: now)
            records[peer]?.kept.answeredAt = now
            reception.isNew = true
        }
        return reception
    }

    /// Takes back that ours was sent.
    mutating func notSent(to peer: NodeID) {
        connections[peer]?.isSent = false
        connections[peer]?.sentAt = nil
    }

    /// A peer's manifest as the journal keeps it.
    func kept(_ peer: NodeID) -> PeerManifest? { records[peer]?.kept }

    /// The largest payload a peer said it can receive; nil when it didn't say.
    func maxPayloadBytes(of peer: NodeID) -> UInt32? { records[peer]?.manifest.maxPayloadBytes }

    /// The peers whose manifests are known, in no order.
    var peers: [NodeID] { Array(records.keys) }

    /// Fills in what a peer's manifest says.
    func describe(_ peer: NodeID, in bus: inout BusPeer) {
        guard let record = records[peer] else { return }
        bus.protocolVersion = UInt32(record.manifest.protocolVersion)
        bus.maxPayloadBytes = record.manifest.maxPayloadBytes ?? 0
        bus.manifestUnix = record.kept.receivedAt.seconds
        bus.offers = (record.manifest.supportedTasks ?? []).map { template in
            .with {
                $0.taskKind = template.taskKind
                $0.profile = template.chatParams?.profile ?? ""
            }
        }
    }

    // MARK: Ours

    /// Takes the task set of the live provider workers.
    ///
    /// An empty one changes nothing: workers that restart have not stopped selling. Peers who have
    /// our manifest hear of a change with the next connection or repeated manifest.
    ///
    /// - Parameter offers: What the workers sell; those that make no valid template are left out.
    /// - Returns: The bytes to keep for the next start, and who may be sent ours now; nil when the
    ///   set is as before.
    mutating func advertise(_ offers: [BusCapability]) -> (kept: [UInt8], waiting: [NodeID])? {
        var seen: Set<[UInt8]> = []
        let templates: [(bytes: [UInt8], template: V01.TaskTemplate)] = offers.compactMap { offer in
            let params = offer.templateParams.isEmpty ? nil : [UInt8](offer.templateParams)
            guard let template = try? V01.TaskTemplate(taskKind: offer.taskKind, params: params),
                let bytes = try? V01.TaskTemplate.codec.encode(template),
                seen.insert(bytes).inserted
            else { return nil }
            return (bytes, template)
        }
        // The order in which workers came must not show.
        let sorted = templates.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
            .map(\.template)
        guard !sorted.isEmpty, sorted != self.templates,
            let kept = try? V01.Manifest.codec.encode(V01.Manifest(supportedTasks: sorted))
        else { return nil }
        self.templates = sorted
        return (kept, stopHolding())
    }

    /// Takes the task set as ``advertise(_:)`` gave it to keep.
    mutating func loadOffers(_ kept: [UInt8]) {
        guard let manifest = try? V01.Manifest.codec.decode(kept[...]) else { return }
        templates = manifest.supportedTasks
        _ = stopHolding()
    }

    /// Waits no longer for a task set.
    ///
    /// - Returns: Who may be sent ours now.
    mutating func stopHolding() -> [NodeID] {
        let waiting = held ?? []
        held = nil
        return waiting.sorted()
    }

    /// Our manifest's payload for a peer.
    ///
    /// - Parameters:
    /// - Parameter peer: Who gets it.
    /// - Returns: The payload; without tasks when it would be too large with them, or when we buy
    ///   from the peer.
    func payload(for peer: NodeID) -> [UInt8] {
        var manifest = V01.Manifest(maxPayloadBytes: settings.maxPayloadBytes)
        if !sellers.contains(peer), let templates {
            manifest.supportedTasks = templates
            let limit = min(Int(maxPayloadBytes(of: peer) ?? .max), 65_533)
            if let payload = try? V01.Manifest.codec.encode(manifest), payload.count <= limit {
                return payload
            }
            manifest.supportedTasks = nil
        }
        // Two numbers are always written.
        return (try? V01.Manifest.codec.encode(manifest)) ?? []
    }

    /// Takes note that a quote is asked of a peer.
    ///
    /// The reference checks a request against the task set of who *asks*, so a peer we buy from must
    /// not have one of ours in mind. This manifest over the same connection is the second exception
    /// to "once": a peer turns out to be a seller only now.
    ///
    /// - Parameter peer: Who is asked.
    /// - Returns: Whether to send our manifest first.
    mutating func willBuy(from peer: NodeID) -> Bool {
        guard !sellers.contains(peer) else { return false }
        // Who is given up here gets one manifest more.
        if sellers.count >= settings.rememberedPeers { sellers.removeAll() }
        sellers.insert(peer)
        return templates != nil
    }

    /// Takes back that a quote is asked of a peer: the manifest before it was not sent.
    mutating func willNotBuy(from peer: NodeID) { sellers.remove(peer) }

    // MARK: Inside

    private mutating func wantToSend(_ peer: NodeID, at now: UnixTime) -> Bool {
        connections[peer, default: Connection()].isSent = true
        connections[peer]?.sentAt = now
        guard held != nil else { return true }
        held?.insert(peer)
        return false
    }

    private func isOver(_ time: UnixTime?, at now: UnixTime) -> Bool {
        guard let time else { return true }
        return now >= time.advanced(bySeconds: settings.manifestAnswerSeconds)
    }

    /// Gives up the oldest manifest of a peer that is not connected, or else the oldest of all.
    private mutating func makeRoom() -> NodeID? {
        guard records.count >= settings.rememberedPeers else { return nil }
        let oldest = records.values.min { left, right in
            let ages = [left, right].map {
                (connections[$0.kept.peer] == nil ? 0 : 1, $0.kept.receivedAt.seconds)
            }
            return ages[0] < ages[1]
        }
        guard let peer = oldest?.kept.peer else { return nil }
        records[peer] = nil
        return peer
    }
}
