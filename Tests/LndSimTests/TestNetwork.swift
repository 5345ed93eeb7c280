import BOLT11
import LCPTesting
import LightningTypes
import LndSim
import Testing

/// A network under a seed, with what it said on each stream and everything it wrote down.
struct TestNetwork {
    var network: SimulatedNetwork
    var random: SeededGenerator
    var changes: [Change] = []
    private var news: [SubscriptionID: [Delivery]] = [:]
    private var ends: [SubscriptionID: LndFault?] = [:]
    /// Every result, change and event in order, as text.
    var transcript: [String] = []

    static let start = UnixTime(seconds: 1_750_000_000)

    /// Nodes by name, each running, and channels between them.
    init(_ names: [String], seed: UInt64 = 1) {
        network = SimulatedNetwork(now: NetworkTime(Self.start))
        random = SeededGenerator(seed: seed)
        for name in names { add(name) }
        collect()
    }

    @discardableResult
    mutating func add(_ name: String) -> NodeHandle {
        while true {
            let record = NodeRecord(
                name: name,
                secretKey: Redacted(bytes32()),
                address: "127.0.0.1:\(9735 + network.allNodes.count)",
                created: network.now.unix
            )
            // Hardly any 32 bytes are no private key.
            guard let record else { continue }
            let node = network.addNode(record, rootKey: Redacted(bytes32()))
            network.startNode(node)
            return node
        }
    }

    subscript(name: String) -> NodeHandle {
        guard let node = network.node(named: name) else { preconditionFailure("no node \(name)") }
        return node
    }

    func id(_ name: String) -> NodeID { network.record(of: self[name]).id }

    mutating func bytes32() -> Bytes32 {
        guard let bytes = Bytes32(random.bytes(32)) else { preconditionFailure("32 are 32") }
        return bytes
    }

    mutating func open(
        _ opener: String,
        _ acceptor: String,
        _ capacitySat: UInt64 = 1_000_000,
        pushed: UInt64 = 0
    ) throws {
        try network.openChannel(
            from: self[opener],
            to: self[acceptor],
            capacitySat: capacitySat,
            pushedSat: pushed
        )
        collect()
    }

    // MARK: - What was said

    mutating func collect() {
        let output = network.takeOutput()
        changes += output.changes
        for event in output.events {
            transcript.append("\(event)")
            switch event {
            case .deliver(let id, let delivery): news[id, default: []].append(delivery)
            case .end(let id, let fault): ends[id] = .some(fault)
            case .phase: continue
            }
        }
    }

    /// What came on a stream since the last time.
    mutating func take(_ id: SubscriptionID) -> [Delivery] {
        collect()
        return news.removeValue(forKey: id) ?? []
    }

    mutating func invoices(_ id: SubscriptionID) -> [InvoiceRecord] {
        take(id).compactMap { if case .invoice(let record) = $0 { record } else { nil } }
    }

    mutating func payments(_ id: SubscriptionID) -> [PaymentRecord] {
        take(id).compactMap { if case .payment(let record) = $0 { record } else { nil } }
    }

    mutating func messages(_ id: SubscriptionID) -> [CustomMessage] {
        take(id).compactMap { if case .customMessage(let message) = $0 { message } else { nil } }
    }

    mutating func peerEvents(_ id: SubscriptionID) -> [PeerEvent] {
        take(id).compactMap { if case .peerEvent(let event) = $0 { event } else { nil } }
    }

    /// Whether a stream is over, and with which fault.
    mutating func end(of id: SubscriptionID) -> LndFault?? {
        collect()
        return ends[id]
    }

    mutating func pass(milliseconds: UInt64) {
        network.advance(to: network.now.advanced(byMilliseconds: milliseconds))
        collect()
    }

    mutating func pass(seconds: UInt64) { pass(milliseconds: seconds * 1000) }

    // MARK: - What tests do all the time

    @discardableResult
    mutating func invoice(
        _ node: String,
        msat: Int64,
        _ change: (inout LndSim.InvoiceDraft) -> Void = { _ in }
    ) throws -> AddedInvoice {
        var draft = LndSim.InvoiceDraft()
        draft.valueMsat = msat
        change(&draft)
        let signed = try draft.signed(
            by: network.record(of: self[node]),
            created: network.now.unix,
            entropy: InvoiceEntropy(preimage: bytes32(), secret: bytes32())
        )
        defer { collect() }
        return try network.addInvoice(signed, on: self[node])
    }

    @discardableResult
    mutating func pay(
        _ paymentRequest: String,
        from node: String,
        feeLimitMsat: Int64 = 100_000,
        _ change: (inout PaymentDraft) -> Void = { _ in }
    ) throws -> SubscriptionID {
        var draft = PaymentDraft()
        draft.paymentRequest = paymentRequest
        draft.feeLimitMsat = feeLimitMsat
        change(&draft)
        let record = network.record(of: self[node])
        let terms = try draft.terms(payer: record, now: network.now)
        defer { collect() }
        return try network.sendPayment(terms, terminalOnly: draft.terminalOnly, on: self[node])
    }

    func lookUp(_ hash: PaymentHash, on node: String) throws -> InvoiceRecord {
        try network.lookUpInvoice(hash: hash.bytes.bytes, on: self[node])
    }

    func localMsat(_ node: String) throws -> UInt64 {
        try network.channelBalance(of: self[node]).localMsat
    }

    /// All money of all channels, wherever it is, in msat.
    var totalMsat: UInt64 {
        network.allNodes.flatMap { node in
            network.channels(of: node).filter { $0.ends.opener == node }
        }
        .reduce(0) { sum, channel in
            sum + channel.balanceMsat.opener + channel.balanceMsat.acceptor
                + channel.pendingMsat.opener + channel.pendingMsat.acceptor
        }
    }
}

/// Expects a refusal with lnd's code and text.
func expectFault<Result>(
    _ code: Int,
    _ text: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Result
) {
    #expect(throws: LndFault(code: code, text: text), sourceLocation: sourceLocation) {
        _ = try body()
    }
}
