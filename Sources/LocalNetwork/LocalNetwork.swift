import BridgeProtocol
package import BusClient
import FoundationEssentials
import Glibc
import LightningTypes

/// A simulated Lightning network with a bridge and workers on each node, as separate processes.
///
/// Everything lives in one directory: `simnet/`, a directory for each node with its bus and its
/// journal, and `logs/`. Processes end with the closure they were started for, and with this
/// process, however it ends.
package actor LocalNetwork {
    /// The directory.
    package nonisolated let directory: String
    /// What the network consists of.
    package nonisolated let plan: LocalNetworkPlan
    /// The nodes, in the plan's order.
    package internal(set) var nodes: [LocalNode] = []
    /// Every process that was started, in order, the newest of each name.
    package private(set) var processes: [(name: ProcessName, process: ChildProcess)] = []

    private var clients: [String: BusClient] = [:]

    private init(_ plan: LocalNetworkPlan, in directory: String) {
        self.plan = plan
        self.directory = directory
    }

    /// Runs a network beside a closure, from the moment that jobs can be bought; then ends it.
    ///
    /// - Parameters:
    ///   - plan: What the network consists of.
    ///   - directory: An existing directory, whose path is short: it holds Unix sockets.
    ///   - report: Told of each step of the start.
    ///   - body: Uses the network.
    /// - Returns: What `body` returns.
    /// - Throws: ``LocalNetworkError``, and what `body` throws.
    package static func run<Result: Sendable>(
        _ plan: LocalNetworkPlan,
        in directory: String,
        report: @escaping @Sendable (LocalNetworkStep) -> Void = { _ in },
        _ body: @escaping @Sendable (LocalNetwork) async throws -> Result
    ) async throws -> Result {
        let network = LocalNetwork(plan, in: directory)
        do {
            let result = try await network.serve(report, body)
            await network.shutDown()
            return result
        } catch {
            // Not a child of this task: a cancelled caller must still leave no process behind.
            await Task { await network.shutDown() }.value
            throw error
        }
    }

    private func serve<Result: Sendable>(
        _ report: @escaping @Sendable (LocalNetworkStep) -> Void,
        _ body: @escaping @Sendable (LocalNetwork) async throws -> Result
    ) async throws -> Result {
        try await startNodes(report)
        var settings = BusClientSettings()
        // While things start we look for dead processes in between; later nothing is hurried.
        settings.connectTimeout = .milliseconds(250)
        settings.answerTimeout = plan.patience
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            for node in bridgedNodes {
                let client = try await BusClient(directory: node.busDirectory, settings: settings)
                clients[node.name] = client
                group.addTask {
                    try await client.run()
                    return nil
                }
            }
            group.addTask {
                try await self.becomeReady(report)
                return try await body(self)
            }
            defer { group.cancelAll() }
            while let ended = try await group.next() {
                if let result = ended { return result }
            }
            throw CancellationError()
        }
    }

    var bridgedNodes: [LocalNode] {
        nodes.filter { node in plan.nodes.contains { $0.name == node.name && $0.hasBridge } }
    }

    // MARK: - Use

    /// A node by its name.
    ///
    /// - Throws: ``LocalNetworkError`` `notReady` when the plan has no such node.
    package func node(_ name: String) throws(LocalNetworkError) -> LocalNode {
        guard let node = nodes.first(where: { $0.name == name }) else {
            throw LocalNetworkError(.notReady, "there is no node \(name)")
        }
        return node
    }

    /// The client of a node's bridge; it outlives restarts of the bridge.
    ///
    /// - Throws: ``LocalNetworkError`` `notReady` when the plan has no such node with a bridge.
    package func client(of node: String) throws(LocalNetworkError) -> BusClient {
        guard let client = clients[node] else {
            throw LocalNetworkError(.notReady, "there is no node \(node)")
        }
        return client
    }

    /// Kills a process with SIGKILL and waits for its end.
    ///
    /// - Parameter name: The process; nothing happens when it does not run.
    package func kill(_ name: ProcessName) async {
        guard let process = process(name) else { return }
        process.signal(SIGKILL)
        _ = await process.wait()
    }

    /// Starts a process of the plan, again or for the first time.
    ///
    /// - Parameters:
    ///   - name: The process, whose node exists.
    ///   - arguments: More arguments than the plan's, for this start alone; the last of an option
    ///     counts.
    ///   - environment: Variables it has besides ours, or instead of them.
    /// - Throws: ``LocalNetworkError``.
    package func start(
        _ name: ProcessName,
        arguments: [String] = [],
        environment: [String: String] = [:]
    ) async throws {
        let planned = try self.arguments(of: name) + (plan.arguments[name.program] ?? [])
        let process = try await ChildProcess(
            "\(plan.programs)/\(name.program)",
            planned + arguments,
            environment: environment,
            log: log(of: name)
        )
        processes.removeAll { $0.name == name }
        processes.append((name, process))
    }

    /// Ends a process with SIGTERM, as an operator would, starts it again and waits until it serves.
    ///
    /// A worker finishes what it has before it ends. Processes that a plan has more of than it says
    /// are started, but not waited for.
    ///
    /// - Parameter name: The process, which runs.
    /// - Throws: ``LocalNetworkError``; `died` when it did not end by itself with status 0.
    package func restart(_ name: ProcessName) async throws {
        guard let process = process(name) else {
            throw LocalNetworkError(.notReady, "\(name) does not run")
        }
        // Workers say goodbye for 25 seconds at most, and a machine may be slow.
        await process.terminate(within: max(plan.patience, .seconds(30)))
        guard process.ending == .exited(0) else {
            throw LocalNetworkError(
                .died,
                "\(name) was asked to end and \(process.ending.map { "\($0)" } ?? "did not"): "
                    + lastLine(of: name)
            )
        }
        try await start(name)
        switch name.role {
        case .bridge: try await waitForBridge(of: name.node)
        case .gateway: try await waitForGateway(of: name.node)
        case .provider, .requester, .compute: try await waitForWorkers(of: name.node)
        case .simnet: break
        }
    }

    /// The newest process of a name.
    package func process(_ name: ProcessName) -> ChildProcess? {
        processes.first { $0.name == name }?.process
    }

    /// How often each method of a node's lnd was called since the start, by the method's name.
    ///
    /// - Parameter node: Whose lnd.
    /// - Returns: A count for each method that was called.
    /// - Throws: ``LocalNetworkError``.
    package func lndCalls(of node: String) async throws -> [String: Int] {
        let log = "\(directory)/logs/status-\(UUID().uuidString).log"
        defer { try? FileManager.default.removeItem(atPath: log) }
        let status = try await ChildProcess(
            "\(plan.programs)/lcp-simnet",
            ["ctl", "status", "--dir", "\(directory)/simnet"],
            log: log
        )
        let ending = await status.wait()
        let text = String(
            decoding: FileManager.default.contents(atPath: log) ?? Data(),
            as: UTF8.self
        )
        guard ending == .exited(0) else {
            throw LocalNetworkError(.died, "lcp-simnet ctl status failed: \(text)")
        }
        var calls: [String: Int] = [:]
        var current = ""
        // A node's line begins with its name; below it stand counts and methods, indented.
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if !line.hasPrefix(" ") { current = words.first.map { String($0) } ?? "" }
            guard current == node, words.count == 2, let count = Int(words[0]),
                let method = words[1].split(separator: "/").last
            else { continue }
            calls[String(method)] = count
        }
        return calls
    }

    /// Where a process's output goes.
    package nonisolated func log(of name: ProcessName) -> String {
        let file = name.description.split(separator: "/").joined(separator: "-")
        return "\(directory)/logs/\(file).log"
    }

    // MARK: - End

    /// Ends all processes: who buys first, then workers, so that they say goodbye, the network last.
    private func shutDown() async {
        let order: [[ProcessName.Role]] = [
            [.gateway], [.provider, .requester, .compute], [.bridge], [.simnet],
        ]
        for roles in order {
            await withTaskGroup(of: Void.self) { group in
                for (name, process) in processes where roles.contains(name.role) {
                    group.addTask { await process.terminate() }
                }
            }
        }
    }
}

/// How far the start of a local network has come.
package enum LocalNetworkStep: Sendable {
    /// The simulated nodes serve.
    case lightning([LocalNode])
    /// Each bridge has its lnd.
    case bridges
    /// All workers are members.
    case workers
    /// Each buyer knows what each seller offers.
    case offers
    /// Every gateway takes connections.
    case gateways
}
