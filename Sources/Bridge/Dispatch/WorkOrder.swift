package import BridgeProtocol
package import Journal

/// One thing for one worker to do.
package struct WorkOrder: Sendable {
    /// What the worker is sent, without lease, attempt and time, which the room writes.
    package enum Body: Sendable {
        /// A step, for the room of a protocol role.
        case step(BusJobItem)
        /// A paid computation, for the room of the compute workers.
        case computation(BusComputeItem)
    }

    /// The engine's name for the order, unique in the process.
    package var id: UInt64
    /// Orders of one job are handed out one after the other, in the order they were given.
    package var job: JobKey
    /// What a worker must have announced to get it; nil when every worker of the role will do.
    package var capability: BusCapability?
    /// What the worker is sent.
    package var body: Body

    /// Takes the parts.
    package init(id: UInt64, job: JobKey, capability: BusCapability?, body: Body) {
        self.id = id
        self.job = job
        self.capability = capability
        self.body = body
    }
}

/// How an order ended; each order that is not withdrawn has exactly one.
package enum WorkOutcome: Sendable {
    /// A protocol worker answered; whether its version still holds is the engine's to compare.
    case step(UInt64, BusJobReply)
    /// A compute worker came to an end: a result, or a failure that another attempt won't mend.
    case computed(UInt64, BusComputeReply)
    /// Given up after ``DispatchSettings/maximumAttempts`` counted attempts, with the last failure.
    case failed(UInt64, BusFailure)
}

/// What tells apart who can do what: a kind of task, and for llm.chat one profile.
struct Capability: Hashable, Sendable {
    let taskKind: String
    var profile: String

    init(_ capability: BusCapability) {
        taskKind = capability.taskKind
        profile = capability.profile
    }
}
