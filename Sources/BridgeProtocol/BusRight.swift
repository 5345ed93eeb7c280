/// What a process may do on the bus: which endpoints it may open.
///
/// Over Unix sockets a right is a folder's permissions, over tcp a key that the operator has listed.
package enum BusRight: String, Hashable, Sendable, CaseIterable {
    /// To make steps of jobs this node sells.
    case provider
    /// To make steps of jobs this node buys.
    case requester
    /// To see prompts of paid jobs and answer them.
    case compute
    /// To read every message, prompts and results included.
    case feedMessages = "feed-messages"
    /// To see metadata as it happens.
    case feedEvents = "feed-events"
    /// To spend, cancel and read results.
    case control
    /// To ask for metadata.
    case query
}

extension BusEndpoint {
    /// The right that opens it.
    package var right: BusRight {
        switch self {
        case .events(.provider), .replies(.provider): .provider
        case .events(.requester), .replies(.requester): .requester
        case .events(.compute), .replies(.compute): .compute
        case .feedMessages: .feedMessages
        case .feedEvents: .feedEvents
        case .control: .control
        case .query: .query
        }
    }

    /// Its port over tcp, counted from the bridge's first one: 0 to ``maximumPortOffset``.
    package var portOffset: UInt16 {
        switch self {
        case .events(.provider): 0
        case .replies(.provider): 1
        case .events(.requester): 2
        case .replies(.requester): 3
        case .events(.compute): 4
        case .replies(.compute): 5
        case .feedMessages: 6
        case .feedEvents: 7
        case .control: 8
        case .query: 9
        }
    }

    /// The offset of the last endpoint.
    package static let maximumPortOffset: UInt16 = 9
}
