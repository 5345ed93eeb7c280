import BridgeProtocol
import BusClient
import Foundation
import Glibc
import LCPWire
import LightningTypes
import LndRPC
import LocalNetwork
import Subprocess
import Synchronization
import SystemPackage
import Testing

/// A network of real processes in a directory of its own, and what a test does with it.
///
/// At most four run at the same time, however many tests wait; so a suite's limit is for all of them.
struct Market: Sendable {
    let network: LocalNetwork
    let directory: String

    /// Runs a network beside a closure.
    ///
    /// - Parameters:
    ///   - plan: Makes the plan, from the directory that the network will have.
    ///   - programs: Where the programs are, from the same directory.
    ///   - body: The test.
    /// - Throws: What `body` throws.
    static func run(
        _ plan: (String) throws -> LocalNetworkPlan = { _ in .market() },
        programs: (String) -> String = { _ in Market.programs },
        _ body: @escaping @Sendable (Market) async throws -> Void
    ) async throws {
        await permits.enter()
        defer { permits.leave() }
        let directory = "/tmp/lcp-e2e-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var plan = try plan(directory)
        plan.programs = programs(directory)
        // For what hangs: a process that dies is noticed at once, and a busy machine is no fault.
        plan.patience = .seconds(300)
        do {
            try await LocalNetwork.run(plan, in: directory) { network in
                try await body(Market(network: network, directory: directory))
            }
        } catch let error as LocalNetworkError {
            Issue.record("\(error)")
        }
    }

    private static let permits = Permits(4)

    /// Where the programs are: `swift test` runs the bundle from the directory of the products.
    static let programs = LocalNetworkPlan.directory(of: CommandLine.arguments[0])

    // MARK: - Programs

    /// What a finished program left behind.
    struct Outcome: Sendable {
        /// The exit code; nil after a signal.
        var exit: Int32?
        var output: String
        var errors: String

        /// Standard output as one JSON object.
        func object() throws -> NSDictionary {
            let value = try? JSONSerialization.jsonObject(with: Data(output.utf8))
            return try #require(value as? NSDictionary, "\(output)\(errors)")
        }
    }

    /// Runs `lcp` against a node's bridge.
    func lcp(_ node: String, _ arguments: [String]) async throws -> Outcome {
        let bus = try await network.node(node).busDirectory
        return try await Self.run("lcp", arguments + ["--bus-dir", bus])
    }

    /// Runs `lcp ask --json` at alice.
    func ask(
        _ prompt: String,
        of seller: String = "bob",
        profile: String = "demo",
        _ more: [String] = ["--max-price", "1000"]
    ) async throws -> Outcome {
        let peer = try await network.node(seller).id.hex
        return try await lcp(
            "alice",
            ["ask", "--json", "--peer", peer, "--profile", profile, prompt] + more
        )
    }

    /// Orders something of the simulated network: `lcp-simnet ctl`.
    @discardableResult
    func control(_ arguments: String...) async throws -> String {
        let outcome = try await Self.run(
            "lcp-simnet",
            ["ctl"] + arguments + ["--dir", "\(directory)/simnet"]
        )
        try #require(outcome.exit == 0, "\(arguments): \(outcome.errors)")
        return outcome.output
    }

    /// How often a method of a node's lnd was called.
    func calls(of method: String, at node: String) async throws -> Int {
        try await network.lndCalls(of: node)[method, default: 0]
    }

    /// Runs one of the programs to its end.
    static func run(_ program: String, _ arguments: [String]) async throws -> Outcome {
        let result = try await Subprocess.run(
            .path(FilePath("\(programs)/\(program)")),
            arguments: Arguments(arguments),
            input: .none,
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        var exit: Int32?
        if case .exited(let code) = result.terminationStatus { exit = code }
        return Outcome(
            exit: exit,
            output: result.standardOutput,
            errors: result.standardError
        )
    }

    // MARK: - Jobs

    /// Submits a job at alice; without a ceiling it waits for an acceptance.
    func submit(
        _ prompt: String,
        to seller: String = "bob",
        profile: String = "demo",
        ceiling: MilliSatoshi? = MilliSatoshi(msat: 1_000_000)
    ) async throws -> BusJobKey {
        let order = JobSubmission(
            to: try await network.node(seller).id,
            taskKind: V01.llmChat,
            input: Redacted(Array(prompt.utf8)),
            params: try V01.LLMChatParams(profile: profile).encoded(),
            ceiling: ceiling
        )
        return try await network.client(of: "alice").submit(order).key
    }

    /// Waits until a job of a node is as a test wants it.
    @discardableResult
    func wait(
        for key: BusJobKey,
        at node: String = "alice",
        until isReached: @Sendable (BusJob) -> Bool
    ) async throws -> BusJob {
        let job = try await network.client(of: node).watch([key]) { states in
            try await states.first(where: isReached)
        }
        return try #require(job)
    }

    /// Waits until a job of alice's has ended.
    func end(of key: BusJobKey) async throws -> BusJob {
        try await wait(for: key) {
            [.done, .failed, .cancelled, .unanswered, .paidFailed].contains($0.view.stage)
        }
    }

    /// What a job of alice's has bought, as text.
    func output(of key: BusJobKey) async throws -> String? {
        let result = try await network.client(of: "alice").result(of: key)
        return result.output.map {
            String(decoding: $0.reveal("the test compares it"), as: UTF8.self)
        }
    }

    /// Waits until every channel is quiet and each ledger says what its node's balance says.
    func expectBalancedBooks(
        spent: UInt64? = nil,
        before: [String: MilliSatoshi] = [:]
    ) async throws {
        for node in await network.nodes {
            guard let client = try? await network.client(of: node.name) else { continue }
            try await eventually("the books of \(node.name) balance") {
                let balance = try await node.balance()
                let ledger = try await client.ledger(limit: 1)
                guard let start = before[node.name] else { return !balance.isMoving }
                return !balance.isMoving
                    && Int64(balance.local.msat) - Int64(start.msat)
                        == Int64(ledger.earnedMsat) - Int64(ledger.spentMsat)
                        - Int64(ledger.feesMsat)
            }
            if let spent, node.name == "alice" {
                #expect(try await client.ledger(limit: 1).spentMsat == spent)
            }
        }
    }

    /// The balances of all nodes.
    func balances() async throws -> [String: MilliSatoshi] {
        var balances: [String: MilliSatoshi] = [:]
        for node in await network.nodes { balances[node.name] = try await node.balance().local }
        return balances
    }
}

extension LocalNetworkPlan {
    /// A market whose buyer waits for a quote for as long as one may take.
    ///
    /// By itself it asks again when a quote is late, under another job: who counts messages or
    /// invoices, or answers by hand, must not depend on how busy the machine is.
    static func patientMarket() -> LocalNetworkPlan {
        var plan = market()
        plan.arguments["lcp-requester"] = ["--quote-wait-seconds", "600"]
        return plan
    }
}

/// Asks until something is so; the suite's time limit is the only deadline.
func eventually(_ what: String, _ isSo: () async throws -> Bool) async throws {
    while try await !isSo() {
        // Each question costs a program or a call: a loop without a pause would starve what it asks.
        try await Task.sleep(for: .milliseconds(50))
    }
}

/// Lets so many in at a time.
private final class Permits: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(free: count)) }

    func enter() async {
        await withCheckedContinuation { continuation in
            let isIn = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isIn { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
