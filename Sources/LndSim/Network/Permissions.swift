/// One thing a macaroon allows: an action on an entity, or one method (entity `uri`).
package struct MacaroonPermission: Hashable, Sendable {
    /// `info`, `offchain`, … or `uri`.
    package let entity: String
    /// `read`, `write`, `generate`, or a full method path.
    package let action: String

    /// Takes entity and action as they are.
    package init(entity: String, action: String) {
        self.entity = entity
        self.action = action
    }
}

/// lnd's table of what each method requires.
package enum Permissions {
    /// What a call of a method requires; nil for methods that exist nowhere.
    package static func required(by method: String) -> MacaroonPermission? { table[method] }

    /// Methods that need no macaroon, in any phase of the wallet.
    package static let free: Set<String> = [
        "/lnrpc.State/GetState", "/lnrpc.State/SubscribeState",
    ]

    /// Everything `admin.macaroon` holds.
    static let admin: [MacaroonPermission] =
        [
            "address", "info", "invoices", "message", "offchain", "onchain", "peers",
        ]
        .flatMap { entity in
            ["read", "write"].map { MacaroonPermission(entity: entity, action: $0) }
        }
        + [("macaroon", "generate"), ("macaroon", "read"), ("macaroon", "write")]
        .map(MacaroonPermission.init)
        + [("signer", "generate"), ("signer", "read")].map(MacaroonPermission.init)

    static let entities = [
        "onchain", "offchain", "address", "message", "peers", "info", "invoices", "signer",
        "macaroon", "uri",
    ]

    static let actions = ["read", "write", "generate"]

    private static let table: [String: MacaroonPermission] = {
        let groups: [(String, String, String, [String])] = [
            ("lnrpc.Lightning", "info", "read", ["GetInfo"]),
            ("lnrpc.Lightning", "peers", "read", ["ListPeers", "SubscribePeerEvents"]),
            ("lnrpc.Lightning", "peers", "write", ["ConnectPeer", "DisconnectPeer"]),
            ("lnrpc.Lightning", "offchain", "write", ["SendCustomMessage"]),
            (
                "lnrpc.Lightning", "offchain", "read",
                [
                    "SubscribeCustomMessages", "DecodePayReq", "ListPayments", "ChannelBalance",
                    "ListChannels",
                ]
            ),
            ("lnrpc.Lightning", "invoices", "write", ["AddInvoice"]),
            (
                "lnrpc.Lightning", "invoices", "read",
                ["LookupInvoice", "ListInvoices", "SubscribeInvoices"]
            ),
            ("lnrpc.Lightning", "macaroon", "generate", ["BakeMacaroon"]),
            ("lnrpc.Lightning", "macaroon", "read", ["CheckMacaroonPermissions"]),
            ("routerrpc.Router", "offchain", "write", ["SendPaymentV2"]),
            ("routerrpc.Router", "offchain", "read", ["TrackPaymentV2"]),
            (
                "invoicesrpc.Invoices", "invoices", "write",
                ["CancelInvoice", "LookupInvoiceV2", "AddHoldInvoice", "SettleInvoice"]
            ),
            ("invoicesrpc.Invoices", "invoices", "read", ["SubscribeSingleInvoice"]),
            ("verrpc.Versioner", "info", "read", ["GetVersion"]),
        ]
        var table: [String: MacaroonPermission] = [:]
        for (service, entity, action, methods) in groups {
            for method in methods {
                table["/\(service)/\(method)"] = MacaroonPermission(entity: entity, action: action)
            }
        }
        return table
    }()
}
