import BridgeProtocol
import BusClient
import Foundation
import LightningTypes
import LndSim
import LocalNetwork

/// Two simulated nodes in this process, and what it takes to run a bridge for one of them.
///
/// The network is not a process of its own, so that a peer's message costs a call on the model and
/// not one over gRPC: on few cores the load must not take the time of what it measures.
struct BridgeNetwork: Sendable {
    /// A short path: it holds Unix sockets.
    let directory: String
    let seller: Simnet.Node

    private let simnet: Simnet
    private let peer: NodeHandle
    private let sellerID: [UInt8]

    var busDirectory: String { "\(directory)/bus" }
    var journal: String { "\(directory)/journal.sqlite" }

    /// Serves the network for the time of a closure.
    static func run(
        in directory: String,
        _ body: @escaping @Sendable (Self) async throws -> Void
    ) async throws {
        let simnet = try await Simnet(
            SimnetOptions(
                directory: "\(directory)/simnet",
                nodes: ["seller", "buyer"],
                channels: ["buyer:seller:1000000"].compactMap(ChannelOption.init)
            )
        )
        let (summaries, ready) = AsyncStream<Simnet.Summary>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await simnet.run { ready.yield($0) } }
            group.addTask {
                for await summary in summaries {
                    let peer = await simnet.change { $0.node(named: "buyer") }
                    guard let seller = summary.nodes.first(where: { $0.name == "seller" }),
                        let id = NodeID(hex: seller.pubkey), let peer
                    else { throw Missing(what: "a node of the simulated network") }
                    return try await body(
                        Self(
                            directory: directory,
                            seller: seller,
                            simnet: simnet,
                            peer: peer,
                            sellerID: id.bytes
                        )
                    )
                }
            }
            // The network ends only when it is told to or fails.
            try await group.next()
            group.cancelAll()
        }
    }

    /// Starts the seller's bridge, without limits that a benchmark would meet.
    func startBridge() async throws -> ChildProcess {
        // Clients look for it at once.
        try FileManager.default.createDirectory(
            atPath: busDirectory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        return try await ChildProcess(
            "\(LocalNetworkPlan.ownDirectory)/lcp-bridge",
            [
                "--lnd-address", seller.rpcAddress, "--lnd-tls-cert", seller.tlsCert,
                "--lnd-macaroon", seller.macaroon, "--journal", journal, "--bus-dir", busDirectory,
                "--max-jobs", "1000000", "--max-jobs-per-peer", "1000000", "--peer-rate",
                "1000000", "--total-rate", "1000000",
            ],
            log: "\(directory)/bridge.log"
        )
    }

    /// Waits until the bridge answers, its lnd is ready and it has so many workers.
    func ready(workers: Int) async throws {
        var settings = BusClientSettings()
        settings.connectTimeout = .seconds(60)
        try await BusClient.connected(to: busDirectory, settings: settings) { client in
            while try await client.status().lndState != "ready" {
                try await Task.sleep(for: .milliseconds(5))
            }
            while try await client.workers().count < workers {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    /// A message of the peer, from the instant in which the seller's lnd has it.
    func send(_ payload: [UInt8], type: UInt16) async throws {
        let isSent = await simnet.change { [peer, sellerID] network in
            let sending = try? network.sendCustomMessage(
                to: sellerID,
                type: UInt32(type),
                data: payload,
                on: peer
            )
            return sending != nil
        }
        guard isSent else { throw Missing(what: "the connection of the simulated nodes") }
    }

    struct Missing: Error {
        var what: String
    }
}
