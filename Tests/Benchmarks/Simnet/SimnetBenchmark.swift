import ArgumentParser
import BenchmarkReport
import Foundation
import GRPCNGHTTP2
import LightningTypes
import LndRPC
import LocalNetwork

/// `simnet-benchmark`: what the simulated network costs, against a bare call to the same server.
///
/// A call of GetInfo takes the same way through TLS, HTTP/2 and macaroon and then does nothing: so the
/// ratios say what the network itself costs, on whatever machine.
@main
struct SimnetBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rounds of invoice, payment and settlement, and custom messages, per second.",
        discussion: """
            Starts an lcp-simnet of its own with two nodes, and is a client of both.

            GOALS
              a round costs at most 12 bare calls, a message 3; memory is flat over the messages
            """
    )

    @Option(help: "How many bare calls are made.") var calls = 20_000
    @Option(help: "How many invoices are made, paid and seen settled.") var rounds = 5_000
    @Option(help: "How many custom messages are sent and received.") var messages = 50_000
    @Option(help: "How many calls are under way at once.") var concurrency = 64
    @Option(help: "Bytes in each custom message.") var size = 200

    func run() async throws {
        let directory = "/tmp/lcp-simnet-bench-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let plan = LocalNetworkPlan(
            nodes: [.bare("alice"), .bare("bob")],
            channels: ["alice:bob:100000000"],
            providerConfiguration: ""
        )
        let isMet = try await LocalNetwork.run(plan, in: directory) { try await measure($0) }
        if !isMet { throw ExitCode(1) }
    }

    private func measure(_ network: LocalNetwork) async throws -> Bool {
        let (alice, bob) = (
            try Self.client(try await network.node("alice")),
            try Self.client(try await network.node("bob"))
        )
        let bobID = try await network.node("bob").id
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await alice.run() }
            group.addTask { try await bob.run() }
            try await alice.waitUntilReady { _ in }
            try await bob.waitUntilReady { _ in }
            // The machine's speed drifts: bare calls before and after.
            let before = try await measureCalls(bob)
            let round = try await measureRounds(alice, bob)
            let memory = try await residentKiB(network)
            let message = try await measureMessages(alice, bob, bobID)
            let growth = try await residentKiB(network) / memory
            let call = (before + (try await measureCalls(bob))) / 2
            alice.beginGracefulShutdown()
            bob.beginGracefulShutdown()
            return [
                Self.judge("simnet: a round / a bare call", round / call, goal: 12),
                Self.judge("simnet: a message / a bare call", message / call, goal: 3),
                Self.judge("simnet: memory after the messages / before", growth, goal: 1.2),
            ].allSatisfy { $0 }
        }
    }

    typealias Client = LndNode<HTTP2ClientTransport>

    private func measureRounds(_ alice: Client, _ bob: Client) async throws -> Double {
        let opened = AsyncStream<Void>.makeStream()
        return try await withThrowingTaskGroup(of: Void.self) { group in
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
            return Self.report("rounds", rounds, clock.now - start)
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

    private func measureMessages(
        _ alice: Client,
        _ bob: Client,
        _ bobID: NodeID
    ) async throws -> Double {
        let opened = AsyncStream<Void>.makeStream()
        return try await withThrowingTaskGroup(of: Void.self) { group in
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
            return Self.report("messages", messages, clock.now - start)
        }
    }

    private func measureCalls(_ bob: Client) async throws -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        try await withThrowingTaskGroup(of: Void.self) { callers in
            for worker in 0..<concurrency {
                let share = share(of: calls, worker)
                callers.addTask { for _ in 0..<share { _ = try await bob.getInfo() } }
            }
            try await callers.waitForAll()
        }
        return Self.report("bare calls", calls, clock.now - start)
    }

    private func residentKiB(_ network: LocalNetwork) async throws -> Double {
        let pid = await network.process(ProcessName("", .simnet))?.pid ?? 0
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return Double(line.filter(\.isNumber)) ?? .nan
    }

    private func share(of total: Int, _ worker: Int) -> Int {
        total / concurrency + (worker < total % concurrency ? 1 : 0)
    }

    private static func client(_ node: LocalNode) throws -> Client {
        Client(
            try LndConnection(
                address: node.lndAddress,
                certificatePath: node.certificate,
                macaroonPath: node.macaroon
            )
        )
    }

    /// Prints a rate.
    ///
    /// - Returns: Seconds for each.
    private static func report(_ what: String, _ count: Int, _ time: Duration) -> Double {
        let seconds = time / .seconds(1)
        print("\(count) \(what) in \(seconds) s: \(Int(Double(count) / seconds)) per second")
        return seconds / Double(count)
    }

    private static func judge(_ name: String, _ ratio: Double, goal: Double) -> Bool {
        print(String(format: "%@: %.2f, goal %.1f", name, ratio, goal))
        RatioLine.print(name, ratio, better: .lower)
        return ratio <= goal
    }
}
