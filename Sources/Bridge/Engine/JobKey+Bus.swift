package import BridgeProtocol
import Foundation
package import Journal
import LightningTypes
import SwiftProtobuf

extension JobKey {
    /// The job's name on the bus.
    package var bus: BusJobKey {
        .with {
            $0.role = role == .provider ? .provider : .requester
            $0.peer = Data(peer.bytes)
            $0.jobID = Data(id.bytes)
        }
    }

    /// Reads a complete name.
    ///
    /// nil when a part is missing or malformed, or the role is not a side of a job.
    ///
    /// - Parameter key: The name as a client or a worker wrote it.
    package init?(_ key: BusJobKey) {
        guard let role = Role(key.role), let peer = NodeID(key.peer), let id = Bytes32(key.jobID)
        else { return nil }
        self.init(role: role, peer: peer, id: id)
    }
}

extension JobKey.Role {
    /// The side of a job that a role on the bus stands for; nil for compute and unknown ones.
    package init?(_ role: BusRole) {
        switch role {
        case .provider: self = .provider
        case .requester: self = .requester
        case .compute, .unspecified, .UNRECOGNIZED: return nil
        }
    }

    /// Whose workers make the steps of this side.
    package var worker: WorkerRole {
        switch self {
        case .provider: .provider
        case .requester: .requester
        }
    }
}
