import Glibc

/// What a local network consists of.
package struct LocalNetworkPlan: Sendable {
    /// A node with its bridge and its workers.
    package struct Node: Sendable {
        /// Its name, which is also its directory's.
        package var name: String
        /// How many `lcp-provider` it has.
        package var providers: Int
        /// How many `lcp-requester`.
        package var requesters: Int
        /// How many `lcp-compute`.
        package var computes: Int
        /// Whether it has a bridge; one without is a bare lnd, for a peer that somebody else plays.
        package var hasBridge = true
        /// Where its `lcp-gateway` listens, `127.0.0.1:8080`; nil without one.
        package var gateway: String?
        /// More arguments of its bridge, besides those of all.
        package var bridgeArguments: [String] = []

        /// A node without a bridge and workers.
        package static func bare(_ name: String) -> Node {
            var node = Node(name)
            node.hasBridge = false
            return node
        }

        /// Describes a node.
        package init(_ name: String, providers: Int = 0, requesters: Int = 0, computes: Int = 0) {
            self.name = name
            self.providers = providers
            self.requesters = requesters
            self.computes = computes
        }
    }

    /// The nodes.
    package var nodes: [Node]
    /// Channels as `lcp-simnet` takes them: `opener:acceptor:capacity[:pushed]`, in satoshis.
    package var channels: [String]
    /// What `lcp-provider` gets as its `provider.yaml`.
    package var providerConfiguration: String
    /// More arguments by program: `["lcp-compute": ["--slow"]]`.
    package var arguments: [String: [String]] = [:]
    /// Where the programs are; by default beside this one.
    package var programs: String
    /// How long each step of the start may take, and later an answer of a bridge.
    ///
    /// A process that dies is noticed at once: this is for one that hangs, not for a slow machine.
    package var patience: Duration = .seconds(60)

    /// Describes a network.
    package init(
        nodes: [Node],
        channels: [String],
        providerConfiguration: String,
        programs: String = LocalNetworkPlan.ownDirectory
    ) {
        self.nodes = nodes
        self.channels = channels
        self.providerConfiguration = providerConfiguration
        self.programs = programs
    }

    /// A buyer and a seller, and a channel between them with all money on the buyer's side.
    package static func market(
        capacitySat: UInt64 = 10_000_000,
        requesters: Int = 1,
        providers: Int = 1,
        computes: Int = 1
    ) -> LocalNetworkPlan {
        var plan = LocalNetworkPlan(
            nodes: [
                Node("alice", requesters: requesters),
                Node("bob", providers: providers, computes: computes),
            ],
            channels: ["alice:bob:\(capacitySat)"],
            providerConfiguration: """
                enabled: true
                quote_ttl_seconds: 300
                llm:
                  max_output_tokens: 256
                  chat_profiles:
                    demo:
                      price:
                        input_msat_per_mtok: 1750000
                        output_msat_per_mtok: 14000000
                peers:
                  max_open_jobs: 100000
                  requests_per_minute: 1000000

                """
        )
        // One buyer stands for the whole world here, and its money is not real.
        plan.arguments["lcp-bridge"] = [
            "--max-jobs-per-peer", "100000", "--peer-rate", "100000", "--total-rate", "100000",
            "--daily-budget-sat", "\(capacitySat)", "--monthly-budget-sat", "\(capacitySat)",
        ]
        return plan
    }

    /// The directory of the running program.
    package static let ownDirectory = directory(of: "/proc/self/exe")

    /// The directory a program lies in, links followed.
    package static func directory(of program: String) -> String {
        guard let path = realpath(program, nil) else { return "." }
        defer { free(path) }
        let text = String(cString: path)
        return String(text[..<(text.lastIndex(of: "/") ?? text.endIndex)])
    }
}

/// Names a process of a local network: `bob/compute-1`.
package struct ProcessName: Hashable, Sendable, CustomStringConvertible {
    /// What a process is there for.
    package enum Role: String, Sendable {
        /// The simulated Lightning network.
        case simnet
        /// The bridge of a node.
        case bridge
        /// A protocol worker that sells.
        case provider
        /// A protocol worker that buys.
        case requester
        /// A worker that computes.
        case compute
        /// The HTTP front of a node that buys.
        case gateway
    }

    /// The node it belongs to; empty for the network itself.
    package var node: String
    /// What it is there for.
    package var role: Role
    /// Tells several of a role apart, from 1 on.
    package var number: Int

    /// Names a process.
    package init(_ node: String, _ role: Role, _ number: Int = 1) {
        self.node = node
        self.role = role
        self.number = number
    }

    /// The program's file name.
    package var program: String { "lcp-\(role.rawValue)" }

    /// `bob/compute-1`, `alice/bridge`, `alice/gateway`, `simnet`.
    package var description: String {
        switch role {
        case .simnet: "simnet"
        case .bridge, .gateway: "\(node)/\(role.rawValue)"
        case .provider, .requester, .compute: "\(node)/\(role.rawValue)-\(number)"
        }
    }
}
