import Foundation
import GRPCNGHTTP2
import LightningTypes
import LndRPC
import LndSim

typealias Client = LndNode<HTTP2ClientTransport>

/// A served network in this process, with our own client connected to each node.
struct RunningSimnet: Sendable {
    let directory: String
    let nodes: [String: Simnet.Node]
    let clients: [String: Client]

    func client(_ name: String) throws -> Client {
        guard let client = clients[name] else { throw MissingNode(name: name) }
        return client
    }

    func id(_ name: String) throws -> NodeID {
        guard let id = nodes[name].flatMap({ NodeID(hex: $0.pubkey) }) else {
            throw MissingNode(name: name)
        }
        return id
    }

    struct MissingNode: Error {
        let name: String
    }

    static func client(of node: Simnet.Node, macaroon: String? = nil) throws -> Client {
        let connection = try LndConnection(
            address: node.rpcAddress,
            certificatePath: node.tlsCert,
            macaroonPath: node.macaroon
        )
        let transport = HTTP2ClientTransport(
            target: .dns(host: connection.host, port: connection.port),
            security: .tls(trust: .certificateFile(node.tlsCert))
        )
        return LndNode(transport: transport, macaroonPath: macaroon ?? node.macaroon)
    }
}

/// Serves a network for the time of a test; a directory given is kept.
func withSimnet(
    _ nodes: [String],
    _ channels: [String] = [],
    in kept: String? = nil,
    _ body: @escaping @Sendable (RunningSimnet) async throws -> Void
) async throws {
    let directory = kept ?? temporaryDirectory()
    defer {
        if kept == nil { try? FileManager.default.removeItem(atPath: directory) }
    }
    let simnet = try await Simnet(
        SimnetOptions(
            directory: directory,
            nodes: nodes,
            channels: channels.compactMap(ChannelOption.init)
        )
    )
    let (summaries, ready) = AsyncStream<Simnet.Summary>.makeStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await simnet.run { ready.yield($0) } }
        group.addTask {
            for await summary in summaries {
                try await withClients(of: summary, in: directory, body)
                return
            }
        }
        // Whichever ends first, test or server, ends the other.
        try await group.next()
        group.cancelAll()
    }
}

func temporaryDirectory() -> String {
    "\(FileManager.default.temporaryDirectory.path)/simnet-\(UUID().uuidString.prefix(8))"
}

private func withClients(
    of summary: Simnet.Summary,
    in directory: String,
    _ body: @escaping @Sendable (RunningSimnet) async throws -> Void
) async throws {
    var nodes: [String: Simnet.Node] = [:]
    var clients: [String: Client] = [:]
    for node in summary.nodes {
        nodes[node.name] = node
        clients[node.name] = try RunningSimnet.client(of: node)
    }
    let running = RunningSimnet(directory: directory, nodes: nodes, clients: clients)
    try await withThrowingTaskGroup(of: Void.self) { group in
        for client in clients.values { group.addTask { try await client.run() } }
        for client in clients.values { try await client.waitUntilReady { _ in } }
        try await body(running)
        for client in clients.values { client.beginGracefulShutdown() }
    }
}
