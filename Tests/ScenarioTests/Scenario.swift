import Bridge
import BridgeProtocol
import Foundation
import Journal
import LCPCore
import LCPTesting
import LCPWire
import LightningCrypto
import LightningTypes
import SwiftProtobuf

/// Two nodes, their lnds and what is between them, in one task under a seed.
///
/// The same seed makes the same moves: nothing here reads a clock, draws a random number of its own
/// or walks a set in the order of its hashes.
final class Scenario {
    /// How unkind the world is, each in one of so many moves; 0 for never.
    struct Faults {
        /// A message vanishes; lnd says "sent" all the same.
        var loss = 0
        /// A message arrives twice.
        var repetition = 0
        /// A message or an HTLC takes minutes.
        var delay = 0
        /// A message can't be sent now: the peer or lnd is away.
        var blocking = 0
        /// A payment fails on its way.
        var failure = 0
        /// A node is killed, and stays away for up to half a minute.
        var crash = 0
        /// A worker dies with its work.
        var workerDeath = 0
        /// A write finds no room on the disk.
        var fullDisk = 0
        /// A connection comes back, and the peer may have missed something.
        var reconnection = 0

        static let none = Faults()
        static let all = Faults(
            loss: 8,
            repetition: 10,
            delay: 12,
            blocking: 20,
            failure: 10,
            crash: 60,
            workerDeath: 20,
            fullDisk: 80,
            reconnection: 200
        )
    }

    /// Something on its way between the nodes, or inside lnd; survives the nodes.
    enum Transit {
        case message(from: NodeID, to: NodeID, OutboundMessage)
        case payment(PaymentHash)
    }

    let buyer: ScenarioNode
    let seller: ScenarioNode
    /// Both, the buyer first.
    let nodes: [ScenarioNode]
    var lightning = SimulatedLightning()
    /// What is on its way, and when it can arrive at the earliest.
    var transit: [(item: Transit, at: UnixTime)] = []
    var now = UnixTime(seconds: 1_800_000_000)
    var faults: Faults
    var random: SeededGenerator
    /// What happened, for the digest and for the proof that the interesting cases did.
    var trace = ScenarioTrace()
    /// What must never be and was, in words.
    var violations: [String] = []
    /// Jobs a client was told of, and may count on.
    var acknowledged: Set<JobKey> = []
    /// The answers that went out for a paid job, without their envelopes.
    var outcomes: [JobKey: Set<[UInt8]>] = [:]
    private var lastTicket: UInt64 = 0

    init(
        seed: UInt64,
        faults: Faults,
        stores: (buyer: MemoryStore, seller: MemoryStore),
        paymentRule: @escaping Engine.PaymentRule
    ) throws {
        random = SeededGenerator(seed: seed)
        self.faults = faults
        let prices = PriceList(
            profiles: [
                ChatProfile(
                    name: "test",
                    price: TokenPrice(
                        inputMsatPerMillion: 1_000_000,
                        outputMsatPerMillion: 2_000_000
                    )
                )
            ]
        )
        let rules = ProviderRules(prices: prices)
        buyer = try ScenarioNode(
            name: "buyer",
            secret: 7,
            store: stores.buyer,
            random: SeededGenerator(seed: seed &+ 1),
            rules: rules,
            paymentRule: paymentRule
        )
        seller = try ScenarioNode(
            name: "seller",
            secret: 9,
            store: stores.seller,
            random: SeededGenerator(seed: seed &+ 2),
            rules: rules,
            paymentRule: paymentRule
        )
        nodes = [buyer, seller]
    }

    // MARK: - Clients

    /// Submits a job as a client would.
    func submit(ceiling: MilliSatoshi?, prompt: String) throws -> (ClientTicket, JobKey) {
        lastTicket += 1
        let ticket = ClientTicket(lastTicket)
        let key = JobKey(
            role: .requester,
            peer: seller.id,
            id: try need(Bytes32(random.bytes(32)), "32 bytes")
        )
        let params = try V01.LLMChatParams(profile: "test").encoded()
        let submit = BusSubmit.with {
            $0.key = Data("\(lastTicket)".utf8)
            $0.peer = Data(seller.id.bytes)
            $0.taskKind = "llm.chat"
            $0.input = Data(prompt.utf8)
            $0.params = Data(params)
            if let ceiling { $0.maxPriceMsat = ceiling.msat }
        }
        let client = ClientKey(
            identity: Array("test".utf8),
            key: Array("\(lastTicket)".utf8),
            contentHash: SHA256.hash(Array(prompt.utf8))
        )
        buyer.pending.append(.input(.submit(ticket, key, client, submit)))
        return (ticket, key)
    }

    func accept(_ key: JobKey, ceiling: MilliSatoshi) {
        lastTicket += 1
        buyer.pending.append(.input(.accept(ClientTicket(lastTicket), key, ceiling: ceiling)))
    }

    func cancel(_ key: JobKey) {
        lastTicket += 1
        buyer.pending.append(.input(.cancel(ClientTicket(lastTicket), key)))
    }

    // MARK: - Moves

    /// Makes one move of those that are possible.
    ///
    /// - Returns: Whether there was one.
    func move() async throws -> Bool {
        let arrivals = transit.indices.filter { transit[$0].at <= now }
        // Writes are made in their order, whatever else happens.
        var choice = nodes.reduce(arrivals.count) {
            $0 + $1.pending.count + ($1.writes.isEmpty ? 0 : 1)
        }
        guard choice > 0 else { return false }
        for node in nodes where happens(faults.crash) {
            try await crash(node)
            return true
        }
        if happens(faults.reconnection) {
            reconnect()
            return true
        }
        choice = Int.random(in: 0..<choice, using: &random)
        for node in nodes {
            if choice < node.pending.count {
                try await perform(node.pending.remove(at: choice), node)
                return true
            }
            choice -= node.pending.count
            guard !node.writes.isEmpty else { continue }
            if choice == 0 {
                try await write(node.writes.removeFirst(), node)
                return true
            }
            choice -= 1
        }
        try await arrive(transit.remove(at: arrivals[choice]).item)
        return true
    }

    /// Whether a fault happens now.
    func happens(_ oneIn: Int) -> Bool {
        oneIn > 0 && Int.random(in: 0..<oneIn, using: &random) == 0
    }

    /// Ends a node at any point between two moves, and starts it again.
    private func crash(_ node: ScenarioNode) async throws {
        trace.note("crash", node.name)
        let downtime = UInt64.random(in: 0...30, using: &random)
        now = now.advanced(bySeconds: downtime)
        try await node.crash(downtime: downtime)
        try await reconcile(node)
    }

    /// Lets the requester's jobs ask again, as after a connection was lost.
    private func reconnect() {
        trace.note("reconnection")
        for key in buyer.times.keys.sorted() where key.role == .requester {
            buyer.pending.append(.input(.peerReturned(key)))
        }
        for node in nodes { node.pending.append(.input(.unblocked(nil))) }
    }

    // MARK: - Time

    /// Moves until nothing moves and the time is over.
    func run(seconds: UInt64) async throws {
        let end = now.advanced(bySeconds: seconds)
        while true {
            var count = 0
            while try await move() {
                count += 1
                guard count < 20_000 else { throw ScenarioError("the nodes never come to rest") }
            }
            guard now < end else { return }
            // The tick of a second records what was sent; after that, only what is due moves.
            try await pass(to: count > 0 ? now.advanced(bySeconds: 1) : nextInstant(before: end))
        }
    }

    /// Puts the clock forward and does what is due by then.
    private func pass(to time: UnixTime) async throws {
        now = time
        for node in nodes {
            let isDue = node.times.values.contains { times in
                [times.wake, times.answer].contains { $0.map { $0 <= now } ?? false }
            }
            if isDue {
                let due = try await node.journal.due(at: now)
                node.pending.append(.input(.due(wake: due.wake, answer: due.answer)))
            }
            try await feed(.tick, node)
            try await feed(.unblocked(nil), node)
        }
    }

    /// When something is due next; the end when nothing is.
    private func nextInstant(before end: UnixTime) -> UnixTime {
        var next = end
        for node in nodes {
            for times in node.times.values {
                for time in [times.wake, times.answer].compactMap({ $0 }) {
                    // What was due and is still there is tried again, as by the bridge.
                    next = min(next, time > now ? time : now.advanced(bySeconds: 30))
                }
            }
        }
        for (_, time) in transit where time > now { next = min(next, time) }
        return next
    }
}
