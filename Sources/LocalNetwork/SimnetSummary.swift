import FoundationEssentials
import GRPCNGHTTP2
package import LightningTypes
import LndRPC

/// What `lcp-simnet` says about its nodes, in `simnet.json`.
struct SimnetSummary: Decodable {
    struct Node: Decodable {
        var name: String
        var pubkey: String
        var rpcAddress: String
        var p2pAddress: String
        var tlsCert: String
        var macaroon: String

        private enum CodingKeys: String, CodingKey {
            case name, pubkey, macaroon
            case rpcAddress = "rpc_address"
            case p2pAddress = "p2p_address"
            case tlsCert = "tls_cert"
        }
    }

    var nodes: [Node]
}

/// A node of a local network: where its lnd and its bridge are.
package struct LocalNode: Sendable {
    /// Its name.
    package let name: String
    /// Its key.
    package let id: NodeID
    /// Where its lnd's gRPC is served, `host:port`.
    package let lndAddress: String
    /// What another node's `connect` takes.
    package let peerAddress: String
    /// The path of lnd's certificate.
    package let certificate: String
    /// The path of lnd's macaroon.
    package let macaroon: String
    /// Its bridge's bus directory.
    package let busDirectory: String
    /// Its bridge's journal.
    package let journal: String

    init(_ node: SimnetSummary.Node, in directory: String) throws(LocalNetworkError) {
        guard let id = NodeID(hex: node.pubkey) else {
            throw LocalNetworkError(.notReady, "simnet.json has no key for \(node.name)")
        }
        name = node.name
        self.id = id
        lndAddress = node.rpcAddress
        peerAddress = node.p2pAddress
        certificate = node.tlsCert
        macaroon = node.macaroon
        busDirectory = "\(directory)/\(node.name)/bus"
        journal = "\(directory)/\(node.name)/journal.sqlite"
    }

    /// What its channels hold on its side, as lnd says; what is on its way not included.
    ///
    /// - Returns: The balance, and whether payments are on their way.
    /// - Throws: `LndError`.
    package func balance() async throws -> (local: MilliSatoshi, isMoving: Bool) {
        let connection = try LndConnection(
            address: lndAddress,
            certificatePath: certificate,
            macaroonPath: macaroon
        )
        let lnd = LndNode(
            transport: HTTP2ClientTransport(
                target: .dns(host: connection.host, port: connection.port),
                security: .tls(trust: .certificateFile(certificate)),
                configuration: ClientConfiguration()
            ),
            macaroonPath: macaroon,
            timeout: .seconds(10)
        )
        return try await withThrowingTaskGroup(of: ChannelBalance?.self) { group in
            group.addTask {
                try await lnd.run()
                return nil
            }
            group.addTask { try await lnd.channelBalance() }
            defer { group.cancelAll() }
            while let ended = try await group.next() {
                guard let balance = ended else { continue }
                let isMoving = balance.unsettledLocal > .zero || balance.unsettledRemote > .zero
                return (balance.local, isMoving)
            }
            throw CancellationError()
        }
    }
}
