import BridgeProtocol
import BusClient
import FoundationEssentials
import Glibc
import LightningTypes

// From nothing to a network in which jobs can be bought.
extension LocalNetwork {
    func startNodes(_ report: @Sendable (LocalNetworkStep) -> Void) async throws {
        let folders =
            ["logs", "simnet"]
            + plan.nodes.flatMap { [$0.name, "\($0.name)/bus"] }
        do {
            for folder in folders {
                try FileManager.default.createDirectory(
                    atPath: "\(directory)/\(folder)",
                    withIntermediateDirectories: true
                )
            }
            let yaml = Data(plan.providerConfiguration.utf8)
            try yaml.write(to: URL(filePath: "\(directory)/provider.yaml"))
        } catch {
            throw LocalNetworkError(.notStarted, "\(directory) can't be written to")
        }
        let simnet = ProcessName("", .simnet)
        try await start(simnet)
        let path = "\(directory)/simnet/simnet.json"
        let summary: SimnetSummary = try await until("simnet.json is written", by: [simnet]) {
            guard let json = FileManager.default.contents(atPath: path) else { return nil }
            return try? JSONDecoder().decode(SimnetSummary.self, from: json)
        }
        nodes = try plan.nodes.compactMap { node in
            try summary.nodes.first { $0.name == node.name }
                .map { try LocalNode($0, in: directory) }
        }
        report(.lightning(nodes))
        for node in bridgedNodes { try await start(ProcessName(node.name, .bridge)) }
    }

    func becomeReady(_ report: @Sendable (LocalNetworkStep) -> Void) async throws {
        for node in bridgedNodes { try await waitForBridge(of: node.name) }
        report(.bridges)
        for node in plan.nodes {
            for name in Self.workers(of: node) { try await start(name) }
        }
        for node in bridgedNodes { try await waitForWorkers(of: node.name) }
        report(.workers)
        for node in plan.nodes where node.requesters > 0 {
            for seller in plan.nodes where seller.providers > 0 && seller.name != node.name {
                try await waitForOffers(of: seller.name, at: node.name)
            }
        }
        report(.offers)
        let names = plan.nodes.filter { $0.gateway != nil }.map(\.name)
        guard !names.isEmpty else { return }
        for name in names { try await start(ProcessName(name, .gateway)) }
        for name in names { try await waitForGateway(of: name) }
        report(.gateways)
    }

    /// Waits until a bridge answers at both doors and its lnd is ready.
    ///
    /// - Parameter node: Whose bridge.
    /// - Throws: ``LocalNetworkError`` `died` or `notReady`.
    package func waitForBridge(of node: String) async throws {
        let client = try client(of: node)
        try await until("\(node)'s bridge is ready", by: [ProcessName(node, .bridge)]) {
            try await Self.asking { () -> Void? in
                guard try await client.status().lndState == "ready" else { return nil }
                // Each socket connects by itself: whoever finds one door open may find the other
                // one still shut, and our patience with a bridge never heard is short.
                _ = try await client.job(submittedAs: .random())
                return ()
            }
        }
    }

    /// Waits until all workers of the plan are members.
    ///
    /// - Parameter node: Whose workers.
    /// - Throws: ``LocalNetworkError`` `died` or `notReady`.
    package func waitForWorkers(of node: String) async throws {
        guard let planned = plan.nodes.first(where: { $0.name == node }) else { return }
        let names = Self.workers(of: planned)
        let client = try client(of: node)
        try await until("\(node)'s workers are connected", by: names) {
            try await Self.asking {
                let workers = try await client.workers()
                let isComplete =
                    workers.count { $0.role == .provider } >= planned.providers
                    && workers.count { $0.role == .requester } >= planned.requesters
                    && workers.count { $0.role == .compute } >= planned.computes
                return isComplete ? () : nil
            }
        }
    }

    /// Waits until a node knows what another sells, and connects the two if need be.
    ///
    /// - Parameters:
    ///   - seller: Who sells.
    ///   - buyer: Who must know.
    /// - Throws: ``LocalNetworkError`` `died` or `notReady`.
    package func waitForOffers(of seller: String, at buyer: String) async throws {
        let seller = try node(seller)
        let client = try client(of: buyer)
        let watched = [ProcessName(buyer, .bridge), ProcessName(seller.name, .bridge)]
        try await until("\(buyer) knows what \(seller.name) offers", by: watched) {
            try await Self.asking {
                let peer = try await client.peers().first { $0.id == Data(seller.id.bytes) }
                if peer?.connected != true {
                    _ = try await client.connect(to: seller.id, at: seller.peerAddress)
                }
                return peer.map { $0.connected && !$0.offers.isEmpty } == true ? () : nil
            }
        }
    }

    /// What a client's refusals and silences mean while things start: not yet.
    static func asking<Result>(_ body: () async throws -> Result?) async throws -> Result? {
        do {
            return try await body()
        } catch is BusClientError {
            return nil
        }
    }

    /// Waits until something is there, or a process it depends on has died, or patience is over.
    func until<Result: Sendable>(
        _ what: String,
        by names: [ProcessName],
        _ body: () async throws -> Result?
    ) async throws -> Result {
        let deadline = ContinuousClock.now + plan.patience
        while true {
            if let result = try await body() { return result }
            for name in names {
                guard let ending = process(name)?.ending else { continue }
                throw LocalNetworkError(.died, "\(name) \(ending): \(lastLine(of: name))")
            }
            guard .now < deadline else {
                let lines = names.map { "\($0): \(lastLine(of: $0))" }.joined(separator: "; ")
                throw LocalNetworkError(
                    .notReady,
                    "after \(plan.patience) it is not so that \(what); \(lines)"
                )
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func lastLine(of name: ProcessName) -> String {
        let bytes = FileManager.default.contents(atPath: log(of: name)) ?? Data()
        let text = String(decoding: bytes.suffix(2_000), as: UTF8.self)
        return text.split(separator: "\n").last.map { String($0) } ?? "nothing in \(log(of: name))"
    }

    static func workers(of node: LocalNetworkPlan.Node) -> [ProcessName] {
        func names(_ role: ProcessName.Role, _ count: Int) -> [ProcessName] {
            (0..<count).map { ProcessName(node.name, role, $0 + 1) }
        }
        return names(.provider, node.providers) + names(.requester, node.requesters)
            + names(.compute, node.computes)
    }

    func arguments(of name: ProcessName) throws(LocalNetworkError) -> [String] {
        if name.role == .simnet {
            return ["--dir", "\(directory)/simnet"]
                + plan.nodes.flatMap { ["--node", $0.name] }
                + plan.channels.flatMap { ["--channel", $0] }
        }
        let node = try node(name.node)
        let bus = ["--bus-dir", node.busDirectory]
        switch name.role {
        case .simnet, .requester: return bus
        case .bridge:
            return [
                "--lnd-address", node.lndAddress, "--lnd-tls-cert", node.certificate,
                "--lnd-macaroon", node.macaroon, "--journal", node.journal,
            ] + bus + (plan.nodes.first { $0.name == node.name }?.bridgeArguments ?? [])
        case .provider: return bus + ["--config", "\(directory)/provider.yaml"]
        case .compute: return bus + ["--backend", "deterministic"]
        case .gateway:
            let address = plan.nodes.first { $0.name == name.node }?.gateway
            return bus + (address.map { ["--listen", $0] } ?? [])
        }
    }
}
