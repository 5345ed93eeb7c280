package import GRPCCore

/// A call of lnd that ``LndNode`` can make: the one list of them, and of who needs which.
///
/// What is not in this list can't be called, so a macaroon that is made from it can't lack anything.
package enum LndCall: String, CaseIterable, Sendable {
    // Who and how.
    case getInfo, getVersion, getState, subscribeState
    // Peers and messages.
    case listPeers, connectPeer, disconnectPeer, subscribePeerEvents
    case sendCustomMessage, subscribeCustomMessages
    // Channels.
    case listChannels, channelBalance
    // Invoices.
    case addInvoice, addHoldInvoice, lookupInvoice, lookupInvoiceV2, listInvoices
    case subscribeInvoices, subscribeSingleInvoice, cancelInvoice, settleInvoice, decodePayReq
    // Payments.
    case sendPaymentV2, trackPaymentV2, listPayments
    // Macaroons.
    case bakeMacaroon, checkMacaroonPermissions

    /// Which bridges make a call.
    private enum Use {
        /// Every bridge.
        case bridge
        /// One that sells.
        case selling
        /// One that buys.
        case buying
        /// None: a diagnosis, a test or an administrator does.
        case none
    }

    /// The RPC.
    package var method: MethodDescriptor { facts.method }

    /// The RPC's path as a `uri:` permission names it: `/lnrpc.Lightning/GetInfo`.
    package var path: String { "/\(facts.method.fullyQualifiedMethod)" }

    /// The RPC's name alone: `GetInfo`.
    package var name: String { facts.method.method }

    /// What lnd wants a macaroon to allow for this call; nil when it wants none.
    ///
    /// The permission to make this call alone is as good; see ``MacaroonPermission/init(calling:)``.
    package var permission: MacaroonPermission? {
        facts.permission.map { MacaroonPermission(entity: $0.0, action: $0.1) }
    }

    /// The calls a bridge makes that need a macaroon, in the order of this list.
    ///
    /// - Parameter role: What the bridge is for.
    /// - Returns: What its macaroon must allow, and nothing more.
    package static func needed(by role: BridgeRole) -> [LndCall] {
        allCases.filter { call in
            guard call.permission != nil else { return false }
            return switch call.facts.use {
            case .bridge: true
            case .selling: role.sells
            case .buying: role.buys
            case .none: false
            }
        }
    }

    private typealias Facts = (
        method: MethodDescriptor, permission: (String, String)?, use: Use
    )

    private var facts: Facts {
        typealias Lightning = Lnrpc_Lightning.Method
        typealias Router = Routerrpc_Router.Method
        typealias Invoices = Invoicesrpc_Invoices.Method
        typealias State = Lnrpc_State.Method
        return switch self {
        case .getInfo: (Lightning.GetInfo.descriptor, ("info", "read"), .bridge)
        case .getVersion:
            (Verrpc_Versioner.Method.GetVersion.descriptor, ("info", "read"), .none)
        case .getState: (State.GetState.descriptor, nil, .bridge)
        case .subscribeState: (State.SubscribeState.descriptor, nil, .bridge)

        case .listPeers: (Lightning.ListPeers.descriptor, ("peers", "read"), .bridge)
        case .connectPeer: (Lightning.ConnectPeer.descriptor, ("peers", "write"), .bridge)
        case .disconnectPeer: (Lightning.DisconnectPeer.descriptor, ("peers", "write"), .bridge)
        case .subscribePeerEvents:
            (Lightning.SubscribePeerEvents.descriptor, ("peers", "read"), .bridge)
        case .sendCustomMessage:
            (Lightning.SendCustomMessage.descriptor, ("offchain", "write"), .bridge)
        case .subscribeCustomMessages:
            (Lightning.SubscribeCustomMessages.descriptor, ("offchain", "read"), .bridge)

        case .listChannels: (Lightning.ListChannels.descriptor, ("offchain", "read"), .bridge)
        case .channelBalance: (Lightning.ChannelBalance.descriptor, ("offchain", "read"), .none)

        case .addInvoice: (Lightning.AddInvoice.descriptor, ("invoices", "write"), .selling)
        case .addHoldInvoice: (Invoices.AddHoldInvoice.descriptor, ("invoices", "write"), .none)
        case .lookupInvoice: (Lightning.LookupInvoice.descriptor, ("invoices", "read"), .selling)
        case .lookupInvoiceV2: (Invoices.LookupInvoiceV2.descriptor, ("invoices", "write"), .none)
        case .listInvoices: (Lightning.ListInvoices.descriptor, ("invoices", "read"), .none)
        // A bridge does not know whether it will sell, and opens it in any case.
        case .subscribeInvoices:
            (Lightning.SubscribeInvoices.descriptor, ("invoices", "read"), .bridge)
        case .subscribeSingleInvoice:
            (Invoices.SubscribeSingleInvoice.descriptor, ("invoices", "read"), .none)
        case .cancelInvoice: (Invoices.CancelInvoice.descriptor, ("invoices", "write"), .selling)
        case .settleInvoice: (Invoices.SettleInvoice.descriptor, ("invoices", "write"), .none)
        case .decodePayReq: (Lightning.DecodePayReq.descriptor, ("offchain", "read"), .none)

        case .sendPaymentV2: (Router.SendPaymentV2.descriptor, ("offchain", "write"), .buying)
        case .trackPaymentV2: (Router.TrackPaymentV2.descriptor, ("offchain", "read"), .buying)
        case .listPayments: (Lightning.ListPayments.descriptor, ("offchain", "read"), .none)

        case .bakeMacaroon: (Lightning.BakeMacaroon.descriptor, ("macaroon", "generate"), .none)
        case .checkMacaroonPermissions:
            (Lightning.CheckMacaroonPermissions.descriptor, ("macaroon", "read"), .none)
        }
    }
}

/// What a bridge is for.
package enum BridgeRole: String, CaseIterable, Sendable {
    /// It sells, and can't pay.
    case provider
    /// It buys, and makes no invoices.
    case requester
    /// It sells and buys.
    case both

    /// Whether it makes invoices.
    package var sells: Bool { self != .requester }
    /// Whether it pays.
    package var buys: Bool { self != .provider }
}
