import Foundation
import GRPCNGHTTP2
import LightningTypes
import LndRPC

typealias LndClient = LndNode<HTTP2ClientTransport>

/// A running `lcp-simnet` with our client on every node.
struct SimnetProcess: Sendable {
    /// A node as `simnet.json` describes it.
    struct Node: Decodable, Sendable {
        var name: String
        var pubkey: String
        var rpc_address: String
        var p2p_address: String
        var tls_cert: String
        var macaroon: String
    }

    /// The whole of `simnet.json`.
    struct Summary: Decodable, Sendable {
        var nodes: [Node]
    }

    let directory: String
    let nodes: [String: Node]
    let clients: [String: LndClient]

    func client(_ name: String) throws -> LndClient {
        guard let client = clients[name] else { throw ProgramFailure("no client of \(name)") }
        return client
    }

    func node(_ name: String) throws -> Node {
        guard let node = nodes[name] else { throw ProgramFailure("no node \(name)") }
        return node
    }

    func id(_ name: String) throws -> NodeID {
        guard let id = NodeID(hex: try node(name).pubkey) else {
            throw ProgramFailure("\(name)'s key is none")
        }
        return id
    }

    /// `lcp-simnet ctl`.
    @discardableResult
    func ctl(_ command: String, _ arguments: String...) async throws -> String {
        try await Executables.output(
            of: Executables.simnet,
            ["ctl", command, "--dir", directory] + arguments
        )
    }

    /// A client that is not connected yet.
    static func client(
        address: String,
        certificate: String,
        macaroon: String?,
        timeout: Duration = .seconds(30)
    ) throws -> LndClient {
        let connection = try LndConnection(
            address: address,
            certificatePath: certificate,
            macaroonPath: macaroon
        )
        var configuration = ClientConfiguration()
        configuration.backoff = BackoffConfiguration(
            initial: .milliseconds(20),
            maximum: .milliseconds(200)
        )
        let transport = HTTP2ClientTransport(
            target: .dns(host: connection.host, port: connection.port),
            security: .tls(trust: .certificateFile(certificate)),
            configuration: configuration
        )
        return LndNode(transport: transport, macaroonPath: macaroon, timeout: timeout)
    }
}

/// Runs a fresh network, or what a directory keeps, beside a closure; then kills it.
func withSimnetProcess<Result: Sendable>(
    _ nodes: [String],
    _ channels: [String] = [],
    options: [String] = [],
    in kept: String? = nil,
    _ body: @escaping @Sendable (SimnetProcess) async throws -> Result
) async throws -> Result {
    let directory = kept ?? temporaryDirectory()
    defer {
        if kept == nil { try? FileManager.default.removeItem(atPath: directory) }
    }
    let arguments =
        ["--dir", directory] + nodes.flatMap { ["--node", $0] }
        + channels.flatMap { ["--channel", $0] } + options
    return try await Executables.running(Executables.simnet, arguments) { _ in
        let json = try Data(contentsOf: URL(filePath: "\(directory)/simnet.json"))
        let summary = try JSONDecoder().decode(SimnetProcess.Summary.self, from: json)
        var clients: [String: LndClient] = [:]
        for node in summary.nodes {
            clients[node.name] = try SimnetProcess.client(
                address: node.rpc_address,
                certificate: node.tls_cert,
                macaroon: node.macaroon
            )
        }
        let simnet = SimnetProcess(
            directory: directory,
            nodes: Dictionary(uniqueKeysWithValues: summary.nodes.map { ($0.name, $0) }),
            clients: clients
        )
        return try await withClients(Array(clients.values)) { try await body(simnet) }
    }
}

/// Keeps clients connected while a closure runs; waits until each is ready.
func withClients<Result: Sendable>(
    _ clients: [LndClient],
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        for client in clients {
            group.addTask {
                try await client.run()
                return nil
            }
        }
        group.addTask {
            for client in clients { try await client.waitUntilReady { _ in } }
            return try await body()
        }
        // Clients end only when they are told to, so whatever comes first is the body's, or an
        // error.
        defer { group.cancelAll() }
        while let next = try await group.next() {
            if let result = next { return result }
        }
        throw ProgramFailure("all clients have ended")
    }
}

func temporaryDirectory() -> String {
    "\(FileManager.default.temporaryDirectory.path)/interop-\(UUID().uuidString.prefix(8))"
}
