import ArgumentParser
import FoundationEssentials
import GRPCNGHTTP2
import LightningTypes
import LndRPC
import LndSim

/// Measures a running lcp-simnet with our own client, from another process.
@main
struct SimnetBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rounds of invoice, payment and settlement, and custom messages, per second.",
        discussion: """
            The network needs nodes alice and bob with a channel from alice, large enough for one \
            satoshi a round: --channel alice:bob:100000000

            GOALS
              1500 rounds and 10000 messages per second; memory flat over 200000 messages
            """
    )

    @Option(help: "The directory of the running network.") var dir: String
    @Option(help: "How many invoices are made, paid and seen settled.") var rounds = 10_000
    @Option(help: "How many custom messages are sent and received.") var messages = 50_000
    @Option(help: "How many calls are under way at once.") var concurrency = 64
    @Option(help: "Bytes in each custom message.") var size = 200
    @Option(help: "The network's process, to show its memory.") var pid: Int32?

    func run() async throws {
        let json = try Data(contentsOf: URL(filePath: "\(dir)/simnet.json"))
        let summary = try JSONDecoder().decode(Simnet.Summary.self, from: json)
        let nodes = try ["alice", "bob"].map { name in
            guard let node = summary.nodes.first(where: { $0.name == name }) else {
                throw ValidationError("no node is called \(name)")
            }
            return node
        }
        let (alice, bob) = (try Self.client(nodes[0]), try Self.client(nodes[1]))
        guard let bobID = NodeID(hex: nodes[1].pubkey) else {
            throw ValidationError("bob has no key")
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await alice.run() }
            group.addTask { try await bob.run() }
            try await alice.waitUntilReady { _ in }
            try await bob.waitUntilReady { _ in }
            try reportMemory("at the start")
            if rounds > 0 {
                try await measureRounds(alice, bob)
                try reportMemory("after the rounds")
            }
            if messages > 0 {
                try await measureMessages(alice, bob, bobID)
                try reportMemory("after the messages")
            }
            alice.beginGracefulShutdown()
            bob.beginGracefulShutdown()
        }
    }

    typealias Client = LndNode<HTTP2ClientTransport>

    private func measureRounds(_ alice: Client, _ bob: Client) async throws {
        let opened = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [rounds] in
                try await bob.subscribeInvoices {
                    opened.continuation.yield()
                } _: { invoices in
                    var settled = 0
                    for try await invoice in invoices where invoice.state == .settled {
                        settled += 1
                        if settled == rounds { break }
                    }
                }
            }
            for await _ in opened.stream { break }
            _ = try await bob.getInfo()
            let clock = ContinuousClock()
            let start = clock.now
            try await withThrowingTaskGroup(of: Void.self) { payers in
                for worker in 0..<concurrency {
                    let share = share(of: rounds, worker)
                    payers.addTask {
                        for _ in 0..<share { try await Self.round(alice, bob) }
                    }
                }
                try await payers.waitForAll()
            }
            try await group.waitForAll()
            Self.report("rounds", rounds, clock.now - start)
        }
    }

    private static func round(_ alice: Client, _ bob: Client) async throws {
        let added = try await bob.addInvoice(
            NewInvoice(
                amount: MilliSatoshi(msat: 1000),
                description: .hash(.zero),
                expirySeconds: 600
            )
        )
        let order = PaymentOrder(
            paymentRequest: added.paymentRequest,
            feeLimit: .zero,
            timeoutSeconds: 30
        )
        let payment = try await alice.sendPaymentV2(order, onlyFinalState: true) {
            try await $0.finalState()
        }
        guard case .succeeded = payment.status else {
            throw ValidationError("a payment failed: \(payment.status)")
        }
    }

    private func measureMessages(_ alice: Client, _ bob: Client, _ bobID: NodeID) async throws {
        let opened = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [messages] in
                try await bob.subscribeCustomMessages {
                    opened.continuation.yield()
                } _: { stream in
                    var received = 0
                    for try await _ in stream {
                        received += 1
                        if received == messages { break }
                    }
                }
            }
            for await _ in opened.stream { break }
            _ = try await bob.getInfo()
            let clock = ContinuousClock()
            let start = clock.now
            let data = [UInt8](repeating: 7, count: size)
            let message = PeerMessage(peer: bobID, type: 42_081, data: data)
            try await withThrowingTaskGroup(of: Void.self) { senders in
                for worker in 0..<concurrency {
                    let share = share(of: messages, worker)
                    senders.addTask {
                        for _ in 0..<share { try await alice.sendCustomMessage(message) }
                    }
                }
                try await senders.waitForAll()
            }
            try await group.waitForAll()
            Self.report("messages", messages, clock.now - start)
        }
    }

    private func reportMemory(_ moment: String) throws {
        guard let pid else { return }
        let status = try String(contentsOf: URL(filePath: "/proc/\(pid)/status"), encoding: .utf8)
        for line in status.split(separator: "\n") where line.hasPrefix("VmRSS:") {
            print("\(moment): \(line.split(separator: " ")[1]) KiB resident")
        }
    }

    private func share(of total: Int, _ worker: Int) -> Int {
        total / concurrency + (worker < total % concurrency ? 1 : 0)
    }

    private static func client(_ node: Simnet.Node) throws -> Client {
        let connection = try LndConnection(
            address: node.rpcAddress,
            certificatePath: node.tlsCert,
            macaroonPath: node.macaroon
        )
        let transport = HTTP2ClientTransport(
            target: .dns(host: connection.host, port: connection.port),
            security: .tls(trust: .certificateFile(node.tlsCert))
        )
        return LndNode(transport: transport, macaroonPath: node.macaroon)
    }

    private static func report(_ what: String, _ count: Int, _ time: Duration) {
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        print("\(count) \(what) in \(seconds) s: \(Int(Double(count) / seconds)) per second")
    }
}
