import LCPTesting
import LightningCrypto
import LightningTypes
import LndSim
import Testing

/// Does one random thing to a network; remembers what later things need.
struct RandomOperator {
    var test: TestNetwork
    private var requests: [String] = []
    private var hashes: [(node: String, hash: [UInt8])] = []
    private var held: [(node: String, preimage: [UInt8])] = []
    private var streams: [SubscriptionID] = []
    private let names = ["alice", "bob", "carol", "dave"]

    init(seed: UInt64) throws {
        test = TestNetwork(names, seed: seed)
        try test.open("alice", "bob", 200_000)
        try test.open("alice", "carol", 100_000, pushed: 40_000)
        try test.open("carol", "bob", 150_000, pushed: 70_000)
        try test.open("bob", "dave", 100_000, pushed: 50_000)
        try test.open("alice", "bob", 50_000)
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.randomElement(using: &test.random)
    }

    private mutating func number(_ range: ClosedRange<Int64>) -> Int64 {
        Int64.random(in: range, using: &test.random)
    }

    mutating func act() {
        guard let name = pick(names), let other = pick(names) else { return }
        let node = test[name]
        do {
            switch number(0...22) {
            case 0...3:
                let msat = number(0...4) == 0 ? 0 : number(1...130_000_000)
                requests.append(try test.invoice(name, msat: msat).paymentRequest)
            case 4:
                let preimage = test.bytes32().bytes
                let added = try test.invoice(name, msat: number(1000...60_000_000)) {
                    $0.secret = .hash(SHA256.hash(preimage).bytes)
                    $0.expirySeconds = 3600
                }
                requests.append(added.paymentRequest)
                held.append((name, preimage))
                hashes.append((name, added.hash.bytes.bytes))
            case 5...10:
                guard let request = pick(requests) else { return }
                let amount = number(0...3) == 0 ? number(1000...1_000_000) : 0
                let isCancelable = number(0...3) == 0
                streams.append(
                    try test.pay(request, from: name, feeLimitMsat: number(0...20_000)) {
                        $0.amountMsat = amount
                        $0.isCancelable = isCancelable
                    }
                )
            case 11:
                guard let (owner, preimage) = pick(held) else { return }
                try test.network.settleInvoice(preimage: preimage, on: test[owner])
            case 12:
                guard let (owner, hash) = pick(hashes) else { return }
                try test.network.cancelInvoice(hash: hash, on: test[owner])
            case 13: test.pass(milliseconds: UInt64(number(0...200_000)))
            case 14:
                guard
                    let fault = pick([
                        PaymentFault.hang, .delay(5000), .fail(.noRoute),
                        .breakStream(afterUpdates: 2), .registerOnly,
                    ])
                else { return }
                test.network.failNextPayments(fault, of: node)
            case 15: test.network.releaseHungPayments(of: node, succeed: number(0...1) == 0)
            case 16 where name != other:
                test.network.separatePeers(node, test[other], staysDown: number(0...1) == 0)
            case 17 where name != other: test.network.joinPeers(node, test[other])
            case 18:
                let id = test.id(other)
                let sending = try test.network.sendCustomMessage(
                    to: id.bytes,
                    type: 42_081,
                    data: test.random.bytes(3),
                    on: node
                )
                if case .waiting(let call) = sending { streams.append(call) }
            case 19:
                streams.append(try test.network.subscribeInvoices(on: node))
                streams.append(try test.network.subscribeCustomMessages(on: node))
                if let stream = pick(streams) { test.network.close(stream) }
            case 20:
                test.network.restartNode(node, downMilliseconds: 100, millisecondsPerState: 10)
            case 21: test.network.jumpSettleIndex(by: 3, of: node)
            case 22 where name != other:
                var faults = LinkFaults()
                faults.wait = pick([.handshake, .queue, nil]) ?? nil
                test.network.setLinkFaults(faults, from: node, to: test[other])
            default: return
            }
        } catch {
            test.transcript.append("\(error)")
        }
        test.collect()
    }
}

@Suite struct PropertyTests {
    @Test(arguments: UInt64(0)..<20)
    func `no order of commands makes or loses money`(_ seed: UInt64) throws {
        var random = try RandomOperator(seed: seed)
        let total = random.test.totalMsat
        for step in 0..<400 {
            random.act()
            #expect(random.test.totalMsat == total, "seed \(seed), step \(step)")
        }
        var settledMsat: UInt64 = 0
        for node in random.test.network.allNodes {
            for channel in random.test.network.channels(of: node) {
                // Unsigned amounts trap below zero, so reaching this line says none did.
                #expect(
                    channel.balanceMsat.opener + channel.balanceMsat.acceptor
                        + channel.pendingMsat.opener + channel.pendingMsat.acceptor
                        == channel.capacityMsat
                )
                settledMsat += channel.sentMsat.opener
            }
        }
        #expect(settledMsat > 0, "seed \(seed) paid nothing, so it proved nothing")
    }

    @Test(arguments: UInt64(0)..<5)
    func `the same seed gives the same transcript`(_ seed: UInt64) throws {
        func transcript() throws -> [String] {
            var random = try RandomOperator(seed: seed)
            for _ in 0..<330 { random.act() }
            return random.test.transcript
        }
        let once = try transcript()
        #expect(once.count > 300)
        #expect(try transcript() == once)
    }

    @Test(arguments: UInt64(0)..<10)
    func `a network killed at any moment is rebuilt from its log, and from a snapshot`(
        _ seed: UInt64
    ) throws {
        var random = try RandomOperator(seed: seed)
        for _ in 0..<200 { random.act() }
        let network = random.test.network
        let log = ChangeLog.encode(random.test.changes)
        let (changes, length) = try ChangeLog.decode(log)
        #expect(length == log.count)
        let replayed = SimulatedNetwork(replaying: changes, now: network.now)
        #expect(replayed.snapshot == network.snapshot)
        let snapshot = try ChangeLog.decode(ChangeLog.encode(network.snapshot)).changes
        #expect(
            SimulatedNetwork(replaying: snapshot, now: network.now).snapshot == network.snapshot
        )
    }

    @Test(arguments: UInt64(0)..<10)
    func `after a restart every payment that is not held comes to an end`(_ seed: UInt64) throws {
        var random = try RandomOperator(seed: seed)
        for _ in 0..<200 { random.act() }
        var network = SimulatedNetwork(
            replaying: random.test.network.snapshot,
            now: random.test.network.now
        )
        for node in network.allNodes { network.startNode(node) }
        for node in network.allNodes { network.releaseHungPayments(of: node, succeed: true) }
        network.advance(to: network.now.advanced(bySeconds: 100 * 600))
        var ended = 0
        for node in network.allNodes {
            var page = PageRequest()
            page.maximum = .max
            for payment in try network.listPayments(page, includeIncomplete: true, on: node) {
                #expect(payment.progress.status != .inFlight)
                ended += 1
            }
            #expect(try network.channelBalance(of: node).pendingLocalMsat == 0)
        }
        #expect(ended > 5)
    }

    @Test func `a batch that was not written whole is as if it had never been`() throws {
        var test = TestNetwork(["alice", "bob"])
        try test.open("alice", "bob")
        let first = ChangeLog.encode(test.changes)
        test.changes = []
        try test.invoice("bob", msat: 1000)
        let second = ChangeLog.encode(test.changes)
        let whole = try ChangeLog.decode(first).changes
        for cut in 0..<second.count {
            let (changes, length) = try ChangeLog.decode(first + second.prefix(cut))
            #expect(changes == whole && length == first.count)
        }
        var flipped = second
        flipped[20] ^= 1
        #expect(try ChangeLog.decode(first + flipped).length == first.count)
        #expect(throws: ChangeLogError.self) {
            // A batch with a good checksum that holds what no version wrote.
            let body: [UInt8] = [99]
            let checksum = SHA256.hash(body).bytes.prefix(8)
            _ = try ChangeLog.decode([0, 0, 0, 1] + checksum + body)
        }
    }
}
