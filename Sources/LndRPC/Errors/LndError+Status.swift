package import GRPCCore

extension LndError {
    /// Reads a status that lnd, or the way to it, gave.
    ///
    /// The table is read from the top and the first row that fits decides. Where money hangs on a
    /// code, the whole text must agree: an unknown wording becomes ``Code/other``, whose outcome
    /// counts as unknown, and never a wrong certainty.
    ///
    /// - Parameters:
    ///   - error: The status, or what the transport says instead.
    ///   - rpc: The RPC's name, as in `SendPaymentV2`.
    package init(_ error: RPCError, rpc: String) {
        let text = error.message
        let row = Self.rows.first { $0.fits(status: error.code, text: text) }
        let code = row?.code ?? Self.codes[error.code] ?? .other
        self.init(code, "\(rpc): \(text.isEmpty ? "status \(error.code)" : Self.bounded(text))")
    }

    /// One row of the table: which statuses, which text, which code.
    private struct Row: Sendable {
        enum Match: Sendable {
            case equal(String)
            case prefix(String)
            case contains(String)
            case ends(String, String)
        }

        var statuses: [RPCError.Code]
        var match: Match
        var code: Code

        init(_ code: Code, _ match: Match, _ statuses: [RPCError.Code] = [.unknown]) {
            self.code = code
            self.match = match
            self.statuses = statuses
        }

        func fits(status: RPCError.Code, text: String) -> Bool {
            guard statuses.contains(status) else { return false }
            return switch match {
            case .equal(let whole): text == whole
            case .prefix(let start): text.hasPrefix(start)
            case .contains(let part): text.contains(part)
            case .ends(let start, let end): text.hasPrefix(start) && text.hasSuffix(end)
            }
        }
    }

    /// lnd's texts, 0.17 to 0.22.
    ///
    /// Plain errors of lnd's handlers have status Unknown; where a version gives another one, both
    /// are listed.
    private static let rows: [Row] = [
        // Start-up phases, the same for every call.
        Row(.walletLocked, .prefix("wallet locked, unlock it")),
        Row(.walletNotCreated, .prefix("wallet not created, create one")),
        Row(.waitingToStart, .prefix("waiting to start, RPC services not available")),
        Row(.starting, .prefix("the RPC server is in the process of starting up")),
        Row(.starting, .prefix("server is still in the process of starting")),
        Row(.serverExiting, .equal("server exiting")),
        Row(.serverExiting, .equal("shutdown")),

        // Macaroons; the wording is a library's and varies.
        Row(.permissionDenied, .contains("permission denied"), [.unknown, .permissionDenied]),
        Row(.macaroonMissing, .prefix("expected 1 macaroon, got")),
        Row(.macaroonInvalid, .prefix("cannot get macaroon"), [.unknown, .unauthenticated]),
        Row(.macaroonInvalid, .contains("verification failed"), [.unknown, .unauthenticated]),
        Row(.macaroonInvalid, .contains("unmarshal macaroon"), [.unknown, .unauthenticated]),

        // Payments.
        Row(.alreadyPaid, .equal("invoice is already paid"), [.alreadyExists, .unknown]),
        Row(.paymentInFlight, .equal("payment is in transition"), [.alreadyExists, .unknown]),
        Row(.paymentInFlight, .equal("payment already exists"), [.alreadyExists, .unknown]),
        Row(.paymentUnknown, .equal("payment isn't initiated"), [.notFound, .unknown]),
        Row(.selfPayment, .prefix("self-payments not allowed")),
        Row(.invoiceExpired, .prefix("invoice expired. Valid until")),
        Row(.invoiceInvalid, .prefix("payment request must contain either a payment address")),
        Row(.wrongNetwork, .prefix("invoice not for current active network")),

        // Invoices.
        Row(.invoiceUnknown, .equal("unable to locate invoice"), [.notFound, .unknown]),
        Row(.invoiceUnknown, .equal("there are no existing invoices"), [.notFound, .unknown]),
        Row(.invoiceAlreadySettled, .equal("invoice already settled")),
        Row(.invoiceAlreadyCanceled, .equal("invoice already canceled")),
        Row(.invoiceStillOpen, .equal("invoice still open")),
        Row(.invoiceExists, .equal("invoice with payment hash already exists")),

        // Peers and messages.
        Row(.peerNotConnected, .equal("peer is not connected"), [.notFound, .unknown]),
        Row(.peerNotConnected, .ends("unable to disconnect peer: peer ", "is not connected")),
        Row(.hasActiveChannels, .prefix("cannot disconnect from peer(")),
        Row(.alreadyConnected, .prefix("already connected to peer")),
        Row(.cannotConnectToSelf, .prefix("cannot make connection to self")),
        Row(.peerDisconnected, .equal("peer exiting")),
        Row(.peerDisconnected, .ends("peer ", " disconnected")),
        Row(.messageTooLarge, .prefix("message payload is too large")),
        Row(.typeNotCustom, .contains("not in custom range")),

        // Invoices that lnd can't read.
        Row(.invoiceInvalid, .prefix("checksum failed")),
        Row(.invoiceInvalid, .prefix("string not all lowercase or all uppercase")),
        Row(.invoiceInvalid, .prefix("invalid index of")),
        Row(.invoiceInvalid, .prefix("unknown multiplier")),
        Row(.invoiceInvalid, .prefix("invoice is too large")),
        Row(.invoiceInvalid, .prefix("neither description nor description hash set")),
        Row(.invoiceInvalid, .prefix("both description and description hash set")),
        Row(.invoiceInvalid, .prefix("no payment hash found")),
        Row(.invoiceInvalid, .prefix("short invoice")),

        // What a request may not say.
        Row(.invalidRequest, .prefix("invalid vertex length of")),
        Row(.invalidRequest, .prefix("payment hash must be exactly 32 bytes")),
        Row(.invalidRequest, .prefix("sat and msat arguments are mutually exclusive")),
        Row(.invalidRequest, .prefix("amount cannot be negative")),
        Row(.invalidRequest, .prefix("description hash is ")),
        Row(.invalidRequest, .prefix("memo too large")),
        Row(.invalidRequest, .prefix("expiry of ")),
        Row(.invalidRequest, .prefix("CLTV delta of ")),
        Row(.invalidRequest, .prefix("timeout_seconds must be specified")),
        Row(.invalidRequest, .prefix("amount must not be specified when paying")),
        Row(.invalidRequest, .contains("and payment_request cannot appear together")),
        Row(.invalidRequest, .prefix("need: lnc pubkeyhash@hostname")),
        Row(.invalidRequest, .prefix("invalid permission action")),
    ]

    /// What a status means whose text says nothing more.
    private static let codes: [RPCError.Code: Code] = [
        .cancelled: .cancelled,
        .deadlineExceeded: .deadlineExceeded,
        // Only SendPaymentV2 answers so: some payment with this hash exists.
        .alreadyExists: .paymentInFlight,
        .permissionDenied: .permissionDenied,
        .unauthenticated: .macaroonInvalid,
        .unavailable: .unavailable,
        .unimplemented: .unimplemented,
        .invalidArgument: .invalidRequest,
        .outOfRange: .invalidRequest,
        .internalError: .malformedAnswer,
        .dataLoss: .malformedAnswer,
    ]
}
