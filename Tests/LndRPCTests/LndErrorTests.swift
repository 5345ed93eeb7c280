import GRPCCore
import LndRPC
import Testing

@Suite struct LndErrorTests {
    /// What lnd says, and what it means.
    struct Row: CustomTestStringConvertible {
        var status: RPCError.Code
        var text: String
        var code: LndError.Code
        var testDescription: String { "\(status) \(text)" }

        init(_ status: RPCError.Code, _ text: String, _ code: LndError.Code) {
            self.status = status
            self.text = text
            self.code = code
        }
    }

    static let key = Sample.nodeHex

    static let rows = [
        Row(.unknown, "waiting to start, RPC services not available", .waitingToStart),
        Row(
            .unknown,
            "wallet not created, create one to enable full RPC access",
            .walletNotCreated
        ),
        Row(.unknown, "wallet locked, unlock it to enable full RPC access", .walletLocked),
        Row(
            .unknown,
            "the RPC server is in the process of starting up, but not yet ready to accept calls",
            .starting
        ),
        Row(.unknown, "server is still in the process of starting", .starting),
        Row(.unknown, "server exiting", .serverExiting),
        Row(.unknown, "shutdown", .serverExiting),

        Row(.unknown, "expected 1 macaroon, got 0", .macaroonMissing),
        Row(.unknown, "expected 1 macaroon, got 2", .macaroonMissing),
        Row(.unknown, "permission denied", .permissionDenied),
        Row(.permissionDenied, "", .permissionDenied),
        Row(.unknown, "cannot get macaroon: cannot get macaroon", .macaroonInvalid),
        Row(
            .unknown,
            "verification failed: signature mismatch after caveat verification",
            .macaroonInvalid
        ),
        Row(.unauthenticated, "no", .macaroonInvalid),

        Row(.notFound, "peer is not connected", .peerNotConnected),
        Row(
            .unknown,
            "unable to disconnect peer: peer \(key) is not connected",
            .peerNotConnected
        ),
        Row(.unknown, "peer \(key) disconnected", .peerDisconnected),
        Row(.unknown, "peer exiting", .peerDisconnected),
        Row(
            .unknown,
            "message payload is too large - encoded 65534 bytes, but maximum message payload is "
                + "65533 bytes",
            .messageTooLarge
        ),
        Row(
            .unknown,
            "msg type: 513 not in custom range: <unknown> and not overridden",
            .typeNotCustom
        ),
        Row(.unknown, "invalid vertex length of 32, want 33", .invalidRequest),
        Row(.unknown, "already connected to peer: \(key)@127.0.0.1:9735", .alreadyConnected),
        Row(.unknown, "cannot make connection to self", .cannotConnectToSelf),
        Row(.unknown, "need: lnc pubkeyhash@hostname", .invalidRequest),
        Row(
            .unknown,
            "cannot disconnect from peer(\(key)), still has 1 active channels",
            .hasActiveChannels
        ),

        Row(.notFound, "unable to locate invoice", .invoiceUnknown),
        Row(.unknown, "unable to locate invoice", .invoiceUnknown),
        Row(.notFound, "there are no existing invoices", .invoiceUnknown),
        Row(.unknown, "there are no existing invoices", .invoiceUnknown),
        Row(.invalidArgument, "invoice ref must be set", .invalidRequest),
        Row(.unknown, "payment hash must be exactly 32 bytes, is instead 31", .invalidRequest),
        Row(.unknown, "invoice already settled", .invoiceAlreadySettled),
        Row(.unknown, "invoice already canceled", .invoiceAlreadyCanceled),
        Row(.unknown, "invoice still open", .invoiceStillOpen),
        Row(.unknown, "invoice with payment hash already exists", .invoiceExists),
        Row(.unknown, "sat and msat arguments are mutually exclusive", .invalidRequest),
        Row(.unknown, "amount cannot be negative", .invalidRequest),
        Row(.unknown, "description hash is 31 bytes, must be 32", .invalidRequest),
        Row(.unknown, "memo too large: 1025 bytes (maxsize=1024)", .invalidRequest),
        Row(
            .unknown,
            "expiry of 31536001.000000 seconds greater than max expiry of 31536000.000000 seconds",
            .invalidRequest
        ),
        Row(.unknown, "CLTV delta of 3 must be greater than minimum of 24", .invalidRequest),

        Row(
            .unknown,
            "invoice not for current active network 'regtest'",
            .wrongNetwork
        ),
        Row(.unknown, "checksum failed. Expected qqqqqq, got pppppp.", .invoiceInvalid),
        Row(.unknown, "string not all lowercase or all uppercase", .invoiceInvalid),
        Row(.unknown, "invalid index of 1", .invoiceInvalid),
        Row(.unknown, "unknown multiplier x", .invoiceInvalid),
        Row(.unknown, "invoice is too large", .invoiceInvalid),
        Row(.unknown, "neither description nor description hash set", .invoiceInvalid),
        Row(.unknown, "both description and description hash set", .invoiceInvalid),
        Row(.unknown, "no payment hash found", .invoiceInvalid),
        Row(.unknown, "short invoice", .invoiceInvalid),

        Row(.alreadyExists, "invoice is already paid", .alreadyPaid),
        Row(.unknown, "invoice is already paid", .alreadyPaid),
        Row(.alreadyExists, "payment is in transition", .paymentInFlight),
        Row(.unknown, "payment is in transition", .paymentInFlight),
        Row(.alreadyExists, "payment already exists", .paymentInFlight),
        Row(.alreadyExists, "words of a later version", .paymentInFlight),
        Row(.notFound, "payment isn't initiated", .paymentUnknown),
        Row(.unknown, "self-payments not allowed", .selfPayment),
        Row(.unknown, "timeout_seconds must be specified", .invalidRequest),
        Row(
            .unknown,
            "amount must not be specified when paying a non-zero amount invoice",
            .invalidRequest
        ),
        Row(
            .unknown,
            "dest and payment_request cannot appear together",
            .invalidRequest
        ),
        Row(
            .unknown,
            "invoice expired. Valid until 2026-01-02 03:04:05 +0000 UTC",
            .invoiceExpired
        ),
        Row(
            .unknown,
            "payment request must contain either a payment address or blinded paths",
            .invoiceInvalid
        ),

        Row(.unimplemented, "unknown service routerrpc.Router", .unimplemented),
        Row(.unavailable, "connection refused", .unavailable),
        Row(.deadlineExceeded, "", .deadlineExceeded),
        Row(.cancelled, "context canceled", .cancelled),
        Row(.internalError, "internal server error", .malformedAnswer),
        Row(.resourceExhausted, "too many", .other),
        Row(.unknown, "something new", .other),
        Row(.notFound, "something new", .other),
    ]

    @Test(arguments: rows)
    func `each status and text of lnd has its code`(row: Row) {
        let error = LndError(RPCError(code: row.status, message: row.text), rpc: "SomeCall")
        #expect(error.code == row.code)
        #expect(error.detail.hasPrefix("SomeCall: "))
    }

    @Test func `every code that lnd can cause is reached by the table above`() {
        let local: Set<LndError.Code> = [.macaroonFile, .closed]
        let reached = Set(Self.rows.map(\.code))
        #expect(Set(LndError.Code.allCases).subtracting(reached) == local)
    }

    @Test(arguments: [
        "payment isn't initiated, or so it seems", "an invoice already settled elsewhere",
        "was: unable to locate invoice", "invoice is already paid!",
    ])
    func `a wording that is only similar is no certainty about money`(text: String) {
        for status in [RPCError.Code.unknown, .notFound] {
            let error = LndError(RPCError(code: status, message: text), rpc: "SomeCall")
            #expect(error.code == .other)
            #expect(error.outcomeIsUnknown)
        }
    }

    @Test func `a lost connection, a deadline and a cancellation leave the outcome open`() {
        let open = LndError.Code.allCases.filter { LndError($0, "").outcomeIsUnknown }
        #expect(
            Set(open) == [
                .unavailable, .deadlineExceeded, .cancelled, .serverExiting, .malformedAnswer,
                .peerDisconnected, .other,
            ]
        )
    }

    @Test func `every code has an advice of its own`() {
        let advices = LndError.Code.allCases.map { LndError($0, "").advice }
        #expect(Set(advices).count == advices.count)
        #expect(advices.allSatisfy { $0.hasSuffix(".") })
    }

    @Test func `a detail keeps public keys and leaves out what may be a secret`() {
        let preimage = String(repeating: "a1", count: 32)
        let macaroon = String(repeating: "0201", count: 40)
        let text = "peer \(Sample.nodeHex) \(Sample.invoiceText) \(preimage) \(macaroon)\nend"
        let detail = LndError(RPCError(code: .unknown, message: text), rpc: "Call").detail
        #expect(detail.contains(Sample.nodeHex))
        #expect(detail.hasSuffix("?end"))
        for secret in [Sample.invoiceText, preimage, macaroon] { #expect(!detail.contains(secret)) }
    }

    @Test func `a detail is bounded and never ends in half a secret`() {
        for padding in 380..<420 {
            let text =
                String(repeating: "a ", count: padding / 2) + String(repeating: "5", count: 64)
            let detail = LndError(RPCError(code: .unknown, message: text), rpc: "Call").detail
            #expect(!detail.contains("55"))
        }
        let long = String(repeating: "word ", count: 10_000)
        let detail = LndError(RPCError(code: .unknown, message: long), rpc: "Call").detail
        #expect(detail.utf8.count < 420)
    }
}
