package import BOLT11
import CrashPoints
package import Journal
import LightningTypes
package import LndRPC
import Synchronization

/// Which node the journal belongs to, and on which network; known from the first start on.
///
/// A journal beside another node would look for invoices and payments that were never there, and
/// take them for lost.
package final class NodeIdentity: Sendable {
    private struct Identity {
        var node: NodeID
        var network: Network
    }

    private let journal: Journal
    private let expected: Network?
    private let known: Mutex<Identity?>

    /// Reads what an earlier start has learned.
    ///
    /// - Parameters:
    ///   - journal: The journal in question.
    ///   - expected: The network lnd must be on; nil for any.
    /// - Throws: ``JournalError``.
    package init(_ journal: Journal, expected: Network?) async throws(JournalError) {
        self.journal = journal
        self.expected = expected
        let bytes = try await journal.setting(Journal.ownerSetting) ?? []
        if let node = NodeID(bytes.prefix(33)),
            let network = Network(rawValue: String(decoding: bytes.dropFirst(33), as: UTF8.self))
        {
            known = Mutex(Identity(node: node, network: network))
        } else {
            known = Mutex(nil)
        }
    }

    /// The network invoices must be for; nil before lnd was ever reached.
    var network: Network? { known.withLock { $0?.network } }

    /// What workers are told of the node.
    var facts: WorkerRoom.NodeFacts {
        let known = known.withLock { $0 }
        return (known?.node, known?.network.rawValue ?? "")
    }

    /// Compares lnd with what is known, and keeps it the first time.
    ///
    /// - Parameter node: What lnd says of itself.
    /// - Throws: ``BridgeError`` when it is another node or network, ``JournalError``.
    package func confirm(_ node: NodeInfo) async throws {
        guard let network = Network(lndChainNetwork: node.network) else {
            throw BridgeError(.otherNetwork, "lnd is on \(node.network), which is not known here")
        }
        if let expected, expected != network {
            throw BridgeError(.otherNetwork, "lnd is on \(network), not on \(expected)")
        }
        let earlier = known.withLock { known in
            defer { known = known ?? Identity(node: node.nodeID, network: network) }
            return known
        }
        if let earlier {
            guard earlier.node == node.nodeID else {
                throw BridgeError(
                    .otherNode,
                    "the journal belongs to node \(earlier.node), lnd is node \(node.nodeID)"
                )
            }
            guard earlier.network == network else {
                throw BridgeError(
                    .otherNetwork,
                    "the journal belongs to \(earlier.network), lnd is on \(network)"
                )
            }
        } else {
            CrashPoint.beforeKeepIdentity.reach()
            try await journal.keep(
                node.nodeID.bytes + Array(network.rawValue.utf8),
                asSetting: Journal.ownerSetting
            )
            CrashPoint.afterKeepIdentity.reach()
        }
    }
}
