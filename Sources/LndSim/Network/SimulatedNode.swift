import LightningCrypto
package import LightningTypes

/// Names one node of a ``SimulatedNetwork``; stays the same over restarts.
package struct NodeHandle: Hashable, Sendable, Comparable {
    /// The node's place in the order in which nodes were added.
    package let index: Int

    /// Nodes added earlier come first.
    package static func < (left: NodeHandle, right: NodeHandle) -> Bool {
        left.index < right.index
    }
}

/// What makes a node itself, for ever.
package struct NodeRecord: Sendable {
    /// The name given by the operator; also lnd's alias.
    package let name: String
    /// The private key that signs the node's invoices.
    package let secretKey: Redacted<Bytes32>
    /// Where other nodes find it, `host:port`.
    package let address: String
    /// When it was added; the first node's is the time of the simulated chain's first block.
    package let created: UnixTime

    let signer: SecretKey

    /// The public key.
    package var id: NodeID { signer.publicKey }

    /// Takes the parts of a node's identity; nil when the key is no valid private key.
    ///
    /// - Parameters:
    ///   - name: The operator's name for it.
    ///   - secretKey: The private key.
    ///   - address: `host:port`, unique in the network.
    ///   - created: The current time.
    package init?(
        name: String,
        secretKey: Redacted<Bytes32>,
        address: String,
        created: UnixTime
    ) {
        guard let signer = SecretKey(secretKey.reveal("to sign invoices").bytes) else {
            return nil
        }
        self.name = name
        self.secretKey = secretKey
        self.address = address
        self.created = created
        self.signer = signer
    }
}

extension NodeRecord: Equatable {
    /// Whether everything is the same; the signer follows from the key.
    package static func == (left: NodeRecord, right: NodeRecord) -> Bool {
        left.name == right.name && left.secretKey == right.secretKey
            && left.address == right.address && left.created == right.created
    }
}

/// One simulated lnd: what is durable, and what a restart forgets.
struct SimulatedNode: Sendable {
    let record: NodeRecord

    // Durable: every change of these is a ``Change``.
    var channels: [Int] = []
    var permanentPeers: [NodeID: String] = [:]
    var bakery = Bakery()
    var invoices = InvoiceBook()
    var payments = PaymentBook()

    // Forgotten at a restart.
    var phase: NodePhase = .stopped(orderly: false)
    var subscribers = Subscribers()
    var faults = NodeFaults()
    var flaps: [NodeHandle: Int32] = [:]

    init(_ record: NodeRecord) { self.record = record }
}
