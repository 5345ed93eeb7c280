import LCPWire
import LightningTypes
import LndRPC

/// Decides about each custom message that came in.
///
/// Pure, in bounded memory. In order: is the type LCP's, is the payload LCP at all, its envelope,
/// expiry, size, newness, rates, and room; a peer's flood ends here and costs its own share alone.
/// What was paid for passes the peer's rates and sizes within a small rate of the job's own.
struct MessageGate: Sendable {
    /// What to do with a message.
    enum Verdict: Hashable, Sendable {
        /// Hand it to the engine.
        case take(InboundMessage, isPaid: Bool)
        /// Hand its payload to the manifests.
        case manifest
        /// Count it.
        case drop(SessionCounter)
        /// Count it and tell the peer, by `lcp_error` rate_limited for this job.
        case refuse(SessionCounter, InboundMessage)
        /// Count it and ask lnd to disconnect the peer.
        case disconnect
    }

    /// What the gate must ask about a message.
    struct Questions {
        /// Whether a job of the peer's is being paid or is paid.
        var isPaid: (NodeID, Bytes32) -> Bool
        /// Whether the engine's queue takes one more message of the peer's.
        var hasRoom: (NodeID, _ isPaid: Bool) -> Bool
    }

    // Not private: Swift 6.3.1 emits a broken module for RateLimiter<PaidJob> then.
    struct PaidJob: Hashable, Sendable {
        var peer: NodeID
        var job: Bytes32
    }

    /// The messages that came before.
    var replay = ReplayWindow()
    /// How many quotes each peer asked for.
    private(set) var requests: RequestMeter
    private let settings: SessionSettings
    private var peers: RateLimiter<NodeID>
    private var paidJobs: RateLimiter<PaidJob>
    private var refusals: RateLimiter<NodeID>
    private var total: RateGate

    /// A gate that let nothing through yet.
    init(_ settings: SessionSettings, at now: ContinuousClock.Instant) {
        self.settings = settings
        requests = RequestMeter(limit: settings.rememberedPeers)
        peers = RateLimiter(settings.peerRate, limit: settings.rememberedPeers)
        paidJobs = RateLimiter(settings.paidJobRate, limit: settings.rememberedPeers)
        refusals = RateLimiter(settings.refusalRate, limit: settings.rememberedPeers)
        total = RateGate(at: now)
    }

    /// Decides about a message.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - now: The wall clock.
    ///   - instant: The present on the clock of rates.
    ///   - questions: What the gate can't know itself.
    /// - Returns: What to do with it.
    mutating func judge(
        _ message: PeerMessage,
        at now: UnixTime,
        instant: ContinuousClock.Instant,
        _ questions: Questions
    ) -> Verdict {
        guard let type = V01.MessageType(rawValue: message.type) else {
            // LCP v0.1 §3.1 [unknown-odd-ignored] [unknown-even-disconnects]:
            // unknown types follow BOLT #1's parity.
            guard message.type.isMultiple(of: 2) else { return .drop(.unknownOdd) }
            return settings.unknownEven == .disconnect ? .disconnect : .drop(.unknownEven)
        }
        guard Self.isLCP(message.data) else { return .drop(.notLCP) }
        guard type != .manifest else { return judgeManifest(message, at: instant) }
        guard let envelope = try? V01.Envelope.codec.decode(message.data[...]) else {
            return .drop(.malformed)
        }
        // LCP v0.1 §4.2 [expired-ignored]: the second of the expiry itself still counts.
        guard envelope.expiry >= now else { return .drop(.expired) }
        let isPaid = questions.isPaid(message.peer, envelope.jobID.bytes)
        let reserve = isPaid ? settings.replayPaidReserve : 0
        let inbound = InboundMessage(
            peer: message.peer,
            type: message.type,
            protocolVersion: envelope.protocolVersion,
            jobID: envelope.jobID.bytes,
            messageID: envelope.messageID.bytes,
            // LCP v0.1 §4.2 [expiry-window]
            effectiveExpiry: min(
                envelope.expiry,
                now.advanced(bySeconds: settings.expiryWindowSeconds)
            ),
            payload: message.data,
            replayQuota: settings.replayPerPeer + reserve
        )
        // LCP v0.1 §5.1 [own-payload-limit]
        guard isPaid || fits(message.data) else { return .drop(.tooLarge) }
        replay.sweep(at: now)
        // LCP v0.1 §4.2 [replay-ignored]
        guard !replay.holds(inbound.replayEntry) else { return .drop(.replayed) }

        if isPaid {
            let job = PaidJob(peer: message.peer, job: inbound.jobID)
            guard paidJobs.pass(job, at: instant) else { return .drop(.rateLimited) }
        } else if let counter = excess(of: message.peer, at: instant) {
            return refuse(inbound, counter, at: instant)
        }
        guard questions.hasRoom(message.peer, isPaid) else {
            return isPaid ? .drop(.queueFull) : refuse(inbound, .queueFull, at: instant)
        }
        let verdict = replay.take(
            inbound.replayEntry,
            quota: inbound.replayQuota,
            total: settings.replayTotal + reserve,
            at: now
        )
        guard verdict == .new else {
            return isPaid ? .drop(.replayFull) : refuse(inbound, .replayFull, at: instant)
        }
        if type == .quoteRequest { requests.count(message.peer, at: now) }
        return .take(inbound, isPaid: isPaid)
    }

    /// Whether the engine, which has limits of its own, may have this peer told so.
    mutating func maySayRefused(to peer: NodeID, at instant: ContinuousClock.Instant) -> Bool {
        refusals.pass(peer, at: instant)
    }

    private mutating func judgeManifest(
        _ message: PeerMessage,
        at instant: ContinuousClock.Instant
    ) -> Verdict {
        guard fits(message.data) else { return .drop(.tooLarge) }
        if let counter = excess(of: message.peer, at: instant) { return .drop(counter) }
        return .manifest
    }

    private func fits(_ payload: [UInt8]) -> Bool {
        payload.count <= Int(settings.maxPayloadBytes)
    }

    private mutating func excess(
        of peer: NodeID,
        at instant: ContinuousClock.Instant
    ) -> SessionCounter? {
        guard peers.pass(peer, at: instant) else { return .rateLimited }
        return total.pass(settings.totalRate, at: instant) ? nil : .overloaded
    }

    /// A refused quote request is answered, but not oftener than the refusals' own rate.
    private mutating func refuse(
        _ message: InboundMessage,
        _ counter: SessionCounter,
        at instant: ContinuousClock.Instant
    ) -> Verdict {
        guard message.type == V01.MessageType.quoteRequest.rawValue,
            refusals.pass(message.peer, at: instant)
        else { return .drop(counter) }
        return .refuse(counter, message)
    }

    /// Whether a payload is a canonical stream that states a version: PeerSwap's JSON is not.
    private static func isLCP(_ payload: [UInt8]) -> Bool {
        (try? protocolVersion.decode(payload[...])) != nil
    }

    private static let protocolVersion = MessageCodec<UInt16>(
        { $0 },
        TLV.required(1, "protocol_version", \.self, .version)
    )
}
