import FoundationEssentials
import GRPCCore
import GRPCNGHTTP2
import Glibc
import LightningTypes

/// A simulated Lightning network that serves lnd's gRPC API, one port for each node.
///
/// Everything is kept in one directory: `network.log`, `simnet.json`, `control.sock` for
/// ``ControlService``, and for each node a directory with `tls.cert`, `tls.key` and
/// `admin.macaroon`.
package struct Simnet: Sendable {
    /// A node as `simnet.json` describes it.
    package struct Node: Codable, Sendable, Equatable {
        /// The name.
        package let name: String
        /// The public key, 66 hex digits.
        package let pubkey: String
        /// Where its gRPC is served, `127.0.0.1:port`.
        package let rpcAddress: String
        /// What ConnectPeer wants as its host.
        package let p2pAddress: String
        /// The absolute path of its certificate.
        package let tlsCert: String
        /// The absolute path of its admin macaroon.
        package let macaroon: String

        private enum CodingKeys: String, CodingKey {
            case name, pubkey, macaroon
            case rpcAddress = "rpc_address"
            case p2pAddress = "p2p_address"
            case tlsCert = "tls_cert"
        }
    }

    /// The whole of `simnet.json`.
    package struct Summary: Codable, Sendable, Equatable {
        /// The nodes in the order in which they were added.
        package let nodes: [Node]
    }

    /// The path of `simnet.json`.
    package var summaryPath: String { "\(directory)/simnet.json" }

    let world: World
    private let directory: String
    private let encryptsTLSKeys: Bool
    private let nodes: [(handle: NodeHandle, record: NodeRecord, port: UInt16)]

    /// Opens or makes the network; nothing is served before ``run(ready:)``.
    ///
    /// - Parameters:
    ///   - options: What shall exist.
    ///   - clock: The current time.
    /// - Throws: ``SimnetError``.
    package init(
        _ options: SimnetOptions,
        clock: @escaping @Sendable () -> NetworkTime = systemTime
    ) async throws(SimnetError) {
        try NodeFiles.makeDirectory(options.directory)
        guard let absolute = realpath(options.directory, nil) else {
            throw SimnetError(.fileRefused, options.directory)
        }
        defer { free(absolute) }
        directory = String(cString: absolute)
        encryptsTLSKeys = options.encryptsTLSKeys
        world = try World(directory: directory, seed: options.seed, clock: clock)
        try options.check(existing: await world.records.map(\.name))
        try await world.complete(options)

        let former = Self.formerPorts(directory)
        var nodes: [(NodeHandle, NodeRecord, UInt16)] = []
        for record in await world.records {
            guard let handle = await world.node(record.id) else { continue }
            // Clients may hold on to an address, so a restart keeps it unless told otherwise.
            let port = options.portBase.map { $0 + UInt16(nodes.count) }
            nodes.append((handle, record, port ?? Self.usable(former[record.name])))
        }
        self.nodes = nodes
    }

    /// Changes the network while it serves: faults for tests in the same process.
    ///
    /// - Parameter body: The change; the network's news go out when it returns.
    /// - Returns: What the closure returns.
    package func change<Result: Sendable>(
        _ body: @Sendable (inout SimulatedNetwork) -> Result
    ) async -> Result {
        await world.callFreely(body)
    }

    /// Serves until the task is cancelled; once only, since the directory is given free then.
    ///
    /// - Parameter ready: Called once every node listens and `simnet.json` is written.
    /// - Throws: ``SimnetError`` when an address can't be listened on.
    package func run(ready: @escaping @Sendable (Summary) async -> Void) async throws {
        do {
            try await serve(ready: ready)
        } catch {
            await world.end()
            throw error
        }
        await world.end()
    }

    private func serve(ready: @escaping @Sendable (Summary) async -> Void) async throws {
        let (ports, port) = AsyncStream<(Int, UInt16)>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, node) in nodes.enumerated() {
                let files = NodeFiles(node.record.name, in: directory)
                try await files.prepare(now: await world.time.unix) {
                    await world.adminMacaroon(of: node.handle)
                }
                let server = NodeServer(
                    services: NodeServices(world: world, node: node.handle),
                    files: files,
                    port: node.port,
                    encryptsKey: encryptsTLSKeys
                )
                await world.start(node.handle)
                group.addTask { try await server.run { port.yield((index, $0)) } }
            }
            let control = try controlTransport()
            group.addTask { try await serveControl(control) }
            group.addTask {
                // Whoever reads the readiness line may use the control socket at once. When it can't
                // be had, `serveControl` says why.
                guard (try? await control.listeningAddress) != nil else { return }
                var found: [Int: UInt16] = [:]
                for await (index, port) in ports {
                    found[index] = port
                    if found.count == nodes.count { break }
                }
                guard found.count == nodes.count else { return }
                let summary = summary(found)
                try write(summary)
                await ready(summary)
            }
            // The first to fail ends the others; cancellation ends all.
            for try await _ in group {}
        }
    }

    private var controlPath: String { "\(directory)/control.sock" }

    private func controlTransport() throws(SimnetError) -> HTTP2ServerTransport {
        guard controlPath.utf8.count < 108 else {
            throw SimnetError(.invalidOption, "\(controlPath) is too long for a unix socket")
        }
        return HTTP2ServerTransport(address: .unix(path: controlPath), security: .plaintext)
    }

    private func serveControl(_ transport: HTTP2ServerTransport) async throws {
        let server = GRPCServer(transport: transport, services: [ControlService(world: world)])
        do {
            try await server.serve()
        } catch let error as GRPCTransportError {
            throw SimnetError(.addressRefused, "\(controlPath): \(error)")
        }
    }

    private func summary(_ ports: [Int: UInt16]) -> Summary {
        Summary(
            nodes: nodes.enumerated().map { index, node in
                let files = NodeFiles(node.record.name, in: directory)
                return Node(
                    name: node.record.name,
                    pubkey: node.record.id.hex,
                    rpcAddress: "127.0.0.1:\(ports[index] ?? 0)",
                    p2pAddress: node.record.address,
                    tlsCert: files.certificate,
                    macaroon: files.macaroon
                )
            }
        )
    }

    private func write(_ summary: Summary) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .withoutEscapingSlashes]
        let json = try encoder.encode(summary)
        try NodeFiles.write(Array(json) + [0x0a], to: summaryPath, mode: 0o644)
    }

    private static func formerPorts(_ directory: String) -> [String: UInt16] {
        guard let json = try? Data(contentsOf: URL(filePath: "\(directory)/simnet.json")),
            let summary = try? JSONDecoder().decode(Summary.self, from: json)
        else { return [:] }
        var ports: [String: UInt16] = [:]
        for node in summary.nodes {
            ports[node.name] = node.rpcAddress.split(separator: ":").last.flatMap { UInt16($0) }
        }
        return ports
    }

    /// The port if nobody listens on it now, else 0.
    private static func usable(_ port: UInt16?) -> UInt16 {
        guard let port else { return 0 }
        let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard probe >= 0 else { return 0 }
        defer { Glibc.close(probe) }
        var reuse: Int32 = 1
        setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        // The address is a local variable of the size given, rebound for the call alone.
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(probe, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return bound == 0 ? port : 0
    }
}

extension World {
    /// All nodes, in order.
    var records: [NodeRecord] {
        callFreely { network in network.allNodes.map { network.record(of: $0) } }
    }

    /// The node with this key.
    func node(_ id: NodeID) -> NodeHandle? { callFreely { $0.node(id) } }

    /// Lets a node serve.
    func start(_ node: NodeHandle) { callFreely { $0.startNode(node) } }

    /// A fresh admin macaroon of a node.
    func adminMacaroon(of node: NodeHandle) -> Redacted<[UInt8]> {
        callFreely { network, random in network.adminMacaroon(of: node, nonce: random.bytes(16)) }
    }

    /// Adds the nodes and channels that are asked for and missing.
    func complete(_ options: SimnetOptions) throws(SimnetError) {
        for name in options.nodes {
            callFreely { network, random in
                while network.node(named: name) == nil {
                    let record = NodeRecord(
                        name: name,
                        secretKey: Redacted(random.bytes32()),
                        address: "127.0.0.1:\(9735 + network.allNodes.count)",
                        created: network.now.unix
                    )
                    // Hardly any 32 bytes are no private key; then others are drawn.
                    guard let record else { continue }
                    _ = network.addNode(record, rootKey: Redacted(random.bytes32()))
                }
            }
        }
        var wanted: [ChannelOption: Int] = [:]
        for option in options.channels {
            wanted[option, default: 0] += 1
            let number = wanted[option] ?? 0
            do {
                try call { network throws(LndFault) in
                    try network.open(option, unlessThereAre: number)
                }
            } catch {
                throw SimnetError(
                    .invalidOption,
                    "channel \(option.opener):\(option.acceptor): \(error.text)"
                )
            }
        }
    }
}

extension SimulatedNetwork {
    fileprivate mutating func open(
        _ option: ChannelOption,
        unlessThereAre number: Int
    ) throws(LndFault) {
        guard let opener = node(named: option.opener), let acceptor = node(named: option.acceptor)
        else { return }
        let present = channels(of: opener).count {
            $0.ends.opener == opener && $0.ends.acceptor == acceptor
                && $0.capacityMsat == option.capacitySat * 1000
                && $0.isPrivate == option.isPrivate
        }
        guard present < number else { return }
        try openChannel(
            from: opener,
            to: acceptor,
            capacitySat: option.capacitySat,
            pushedSat: option.pushedSat,
            isPrivate: option.isPrivate
        )
    }
}
