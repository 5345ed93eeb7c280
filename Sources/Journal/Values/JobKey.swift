package import LightningTypes

/// Names a job: which side this node is on, with whom, and the identifier the two agreed on.
///
/// The journal speaks no LCP, so the identifier is bare bytes here.
package struct JobKey: Hashable, Sendable {
    /// The side of the job this node is on.
    package enum Role: UInt8, Sendable, CaseIterable {
        /// This node sells.
        case provider = 1
        /// This node buys.
        case requester = 2
    }

    /// The side of the job this node is on.
    package var role: Role
    /// The other node.
    package var peer: NodeID
    /// The job_id, 32 bytes; for a requester the first one it drew.
    package var id: Bytes32

    /// Takes the three parts.
    package init(role: Role, peer: NodeID, id: Bytes32) {
        self.role = role
        self.peer = peer
        self.id = id
    }
}

extension JobKey: CustomStringConvertible {
    /// The role and the whole job_id, for logs: `provider job 00ab…`.
    package var description: String { "\(role) job \(id.hex)" }
}

extension JobKey: Comparable {
    /// By job_id, then role, then peer: an order that is the same in every process.
    package static func < (left: JobKey, right: JobKey) -> Bool {
        if left.id != right.id { return left.id < right.id }
        if left.role != right.role { return left.role.rawValue < right.role.rawValue }
        return left.peer < right.peer
    }
}
