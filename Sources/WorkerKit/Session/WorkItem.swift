package import BridgeProtocol
package import struct Foundation.Data

/// What the bridge gives a worker to do, for as long as the worker has the lease.
package enum WorkItem: Equatable, Sendable {
    /// A step of a job, for a provider or requester worker.
    case step(BusJobItem)
    /// A paid computation, for a compute worker.
    case computation(BusComputeItem)

    /// 16 random bytes that every reply about the item carries.
    package var lease: Data {
        switch self {
        case .step(let item): item.lease
        case .computation(let item): item.lease
        }
    }

    /// Which job it belongs to.
    package var job: BusJobKey {
        switch self {
        case .step(let item): item.job
        case .computation(let item): item.job
        }
    }

    /// 1 for the first attempt at it.
    package var attempt: UInt32 {
        switch self {
        case .step(let item): item.attempt
        case .computation(let item): item.attempt
        }
    }

    /// Whether a worker of a role can be given it.
    package func suits(_ role: WorkerRole) -> Bool {
        switch (self, role) {
        case (.step, .provider), (.step, .requester), (.computation, .compute): true
        case (.step, .compute), (.computation, .provider), (.computation, .requester): false
        }
    }
}
