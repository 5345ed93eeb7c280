/// The sockets of the bus; the bridge binds each of them.
package enum BusEndpoint: Hashable, Sendable, CaseIterable {
    /// XPUB: work for the workers of a role.
    case events(WorkerRole)
    /// PULL: what those workers push back.
    case replies(WorkerRole)
    /// PUB: every custom message with its payload, for trusted observers.
    case feedMessages
    /// PUB: metadata for observers.
    case feedEvents
    /// ROUTER: what can spend, change or read contents.
    case control
    /// ROUTER: read-only metadata.
    case query

    /// Every endpoint.
    package static var allCases: [BusEndpoint] {
        WorkerRole.allCases.flatMap { [.events($0), .replies($0)] }
            + [.feedMessages, .feedEvents, .control, .query]
    }

    /// The socket's path below the bus directory: `provider/events`.
    package var path: String {
        switch self {
        case .events(let role): "\(role.rawValue)/events"
        case .replies(let role): "\(role.rawValue)/replies"
        case .feedMessages: "feed/messages/socket"
        case .feedEvents: "feed/events/socket"
        case .control: "control/socket"
        case .query: "query/socket"
        }
    }
}

/// What a worker works on; follows from the endpoint it could open.
package enum WorkerRole: String, Hashable, Sendable, CaseIterable {
    /// Steps of jobs this node sells.
    case provider
    /// Steps of jobs this node buys.
    case requester
    /// Computations.
    case compute
}
